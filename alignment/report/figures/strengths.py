"""Figure: the fold error of each steering strength, of methods that choose one for each subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alignment.report.figures.methods import LETTER, called
from alignment.report.leaderboard import ranked
from alignment.report.results import Measured, Results
from papi.files import is_number
from papi.floors import Matrix
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import joined

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, LEFT, GAP, FRAME, PANEL, BELOW = 4, 80, 18, 44, 110, 62  # pixels, but the first


@dataclass(frozen=True)
class Strengths:
    """Strengths with the mean fold error less that at strength 0, its standard error, and the share given it."""

    name: str
    people: int
    alphas: list[float]
    errors: Matrix
    deviations: Matrix
    given: Matrix


def draw(results: Results, heading: Heading) -> Picture | str:
    """A panel for each method with fold errors."""
    found = [one for each in ranked(results) if (one := strengths_of(each)) is not None]
    if not found:
        return "no method of these runs chose a strength by cross-validation"
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    sheet = Sheet(TOP + rows * (FRAME + PANEL + BELOW), heading)
    width = (WIDTH - LEFT - MARGIN + GAP) / COLUMNS - GAP
    low = min(float(np.min(one.errors - one.deviations)) for one in found)
    high = max(float(np.max(one.errors + one.deviations)) for one in found)
    beside = 0.08 * (high - low) or 0.1
    for position, one in enumerate(found):
        row, column = divmod(position, columns)
        place = (LEFT + column * (width + GAP), TOP + FRAME + row * (FRAME + PANEL + BELOW), width, PANEL)
        axes = sheet.axes(*place)
        axes.set(title=_title(one.name, int(width / LETTER)), ylim=(low - beside, high + beside))
        axes.locator_params(axis="y", nbins=5)
        axes.tick_params(labelleft=column == 0)
        axes.set_ylabel("error" if column == 0 else "")
        _panel(axes, one)
    return Picture(sheet, _alt(found))


def strengths_of(each: Measured) -> Strengths | None:
    """What a method's fits say together; None where there is none with fold errors and a strength 0."""
    fits = [fit for fit in each.row.fits.values() if _has_errors(fit)]
    if not fits:
        return None
    errors = [{float(a): e for a, e in fit["fold_errors"].items() if is_number(e)} for fit in fits]
    alphas = sorted(set().union(*errors))
    apart = np.array([[one.get(alpha, np.nan) - one[0.0] for alpha in alphas] for one in errors])
    count = (~np.isnan(apart)).sum(axis=0)
    mean = np.nansum(apart, axis=0) / count
    variance = np.nansum((apart - mean) ** 2, axis=0) / np.maximum(count - 1, 1)
    given = np.array([np.mean([fit["alpha"] == alpha for fit in fits]) for alpha in alphas])
    return Strengths(each.row.name, len(fits), alphas, mean, np.sqrt(variance / count), given)


def _has_errors(fit: Mapping[str, Any]) -> bool:
    errors = fit.get("fold_errors")
    if not isinstance(errors, dict) or not is_number(fit.get("alpha")):
        return False
    try:
        known = {float(alpha): error for alpha, error in errors.items()}
    except ValueError:
        return False
    return is_number(known.get(0.0))


def _title(name: str, letters: int) -> str:
    """The method, and below it the model where the name has one."""
    method, _, model = called(name, len(name)).partition(" (")
    return "\n".join(called(part, letters) for part in (method, model.removesuffix(")")) if part)


def _panel(axes: Axes, one: Strengths) -> None:
    where = np.arange(len(one.alphas))
    axes.axhline(0, color=colour("muted"), linewidth=1)
    how: dict[str, Any] = {"color": colour("model"), "marker": "o", "markersize": 4.5}
    axes.errorbar(where, one.errors, one.deviations, linewidth=1.2, elinewidth=1.2, **how)
    axes.set_xlim(-0.5, len(where) - 0.5)
    labels = [f"{alpha:g}\n{100 * share:.0f}" for alpha, share in zip(one.alphas, one.given, strict=True)]
    axes.set_xticks(where, labels)


def _alt(found: Sequence[Strengths]) -> str:
    said = [f"{one.name} steers {100 * float(1 - _unsteered(one)):.0f} % of {one.people}" for one in found]
    return f"a line for each method, fold error by strength; {joined(said)}."


def _unsteered(one: Strengths) -> float:
    return float(one.given[one.alphas.index(0.0)])
