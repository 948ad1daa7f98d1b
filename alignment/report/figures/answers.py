"""Figure: how often each method gives each answer, beside the people."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.decoding import OPTIONS, argmax
from alignment.measures import option_shares
from alignment.report.figures.methods import BOTTOM, ROW, called, names_room
from alignment.report.leaderboard import ranked, without_result
from alignment.report.results import Results
from alignment.report.rows import Row
from papi.floors import Matrix, rounded
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour

PEOPLE = "the people"
FRAME, COLUMN = 26, 148  # pixels


def draw(results: Results, heading: Heading) -> Picture | str:
    """A row for the people and for each method, a column for each answer."""
    shares = {PEOPLE: _of_people(results)}
    for each in ranked(results):
        shares[each.row.name] = _of_method(each.row)
    for each in without_result(results):
        if each.row.n:
            shares[f"{each.row.name} – refused"] = _of_method(each.row)
    left, letters = names_room(shares)
    sheet = Sheet(TOP + FRAME + ROW * len(shares) + BOTTOM // 2, heading)
    width = min(COLUMN * len(OPTIONS), WIDTH - MARGIN - left)
    axes = sheet.axes(left, TOP + FRAME, width, ROW * len(shares))
    table = np.stack(list(shares.values()))
    axes.imshow(_coloured(table), aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    axes.set_xticks(range(len(OPTIONS)), [str(option) for option in OPTIONS])
    axes.tick_params(axis="x", top=False, bottom=False, labeltop=True, labelbottom=False, labelcolor=colour("ink"))
    axes.set_yticks(range(len(shares)), [called(name, letters) for name in shares])
    axes.tick_params(axis="y", labelcolor=colour("ink"))
    axes.axhline(0.5, color=colour("ink"), linewidth=1)
    for spine in axes.spines.values():
        spine.set_visible(False)
    where: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
    for (row, column), of_all in np.ndenumerate(table):
        axes.text(column, row, f"{100 * of_all:.0f}", **where)
    return Picture(sheet, _alt(shares))


def _of_people(results: Results) -> Matrix:
    """Everybody once, however many methods were asked about them."""
    answers = results.rows.rows[0].answers
    for row in results.rows.rows[1:]:
        answers = np.where(np.isnan(answers), row.answers, answers)
    return option_shares(answers)


def _of_method(row: Row) -> Matrix:
    """Among the items that people answered."""
    if row.probabilities is None:
        said = rounded(row.values) if row.values is not None else np.full_like(row.answers, np.nan)
    elif row.floor:
        known = row.probabilities[:, 0][~np.isnan(row.answers)]
        return np.asarray(known.mean(axis=0) if len(known) else np.zeros(len(OPTIONS)))
    else:
        said = argmax(row.probabilities)
        return option_shares(np.where(np.isnan(row.answers)[:, None], np.nan, said))
    return option_shares(np.where(np.isnan(row.answers), np.nan, said))


def _coloured(table: Matrix) -> NDArray[np.float64]:
    """From the background for none to a colour for all."""
    from matplotlib.colors import to_rgb

    none, every = (np.array(to_rgb(colour(name))) for name in ("background", "all"))
    return np.asarray(none + table[..., None] * (every - none))


def _alt(shares: dict[str, Matrix]) -> str:
    people = ", ".join(f"{100 * of_all:.0f}" for of_all in shares[PEOPLE])
    most = {name: row for name, row in shares.items() if name != PEOPLE and row.max() >= 0.9}
    said = "; ".join(f"{name} gives {OPTIONS[row.argmax()]} to {100 * row.max():.0f} %" for name, row in most.items())
    lead = f"a table of {len(shares) - 1} methods. The people's answers 1 to 5 are {people} per cent"
    return f"{lead}; {said}." if said else f"{lead}; no method gives one answer to 90 %."
