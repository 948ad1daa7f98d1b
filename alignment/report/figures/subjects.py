"""Figure: how the errors of the subjects are spread, by method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alignment.report.figures.methods import BOTTOM, ROW, called, names_room, ridge_of, rows_of
from alignment.report.leaderboard import SHOWN, kind, ranked
from alignment.report.results import RIDGE, Measured, Results
from papi.floors import Matrix
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST, BOX = 8, 0.56  # pixels; of a row


def draw(results: Results, heading: Heading) -> Picture | str:
    """A row for each method: ticks of subjects, a box for their middle half."""
    methods = {each.row.name: each for each in ranked(results)}
    errors = {name: _of_subjects(each) for name, each in methods.items()}
    errors = {name: each for name, each in errors.items() if len(each)}
    if not errors:
        return "no subject answered items of every domain"
    left, letters = names_room(errors)
    sheet = Sheet(TOP + FIRST + ROW * len(errors) + BOTTOM, heading)
    axes = rows_of(sheet, (left, TOP + FIRST, WIDTH - MARGIN - left), [called(name, letters) for name in errors])
    axes.set_xlabel("sum of a subject's mean absolute errors in the domains")
    if ridge_of(results) is not None and RIDGE in errors:
        axes.axvline(float(np.median(errors[RIDGE])), color=colour("ink"), linewidth=1.1, zorder=1)
    for row, (name, each) in enumerate(errors.items()):
        _spread(axes, each, row, colour(kind(methods[name])))
    return Picture(sheet, _alt(errors))


def _of_subjects(each: Measured) -> Matrix:
    """The sum over domains, of the subjects who answered something in every domain."""
    total = each.errors[SHOWN[each.row.floor]].sum(axis=1)
    return np.asarray(total[~np.isnan(total)])


def _spread(axes: Axes, errors: Matrix, row: int, shade: str) -> None:
    low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
    axes.plot(errors, np.full(len(errors), row), "|", color=shade, markersize=6, markeredgewidth=0.8, alpha=0.45)
    axes.barh(row, high - low, BOX, left=low, facecolor="none", edgecolor=colour("ink"), linewidth=1)
    axes.plot([middle, middle], [row - BOX / 2, row + BOX / 2], color=colour("ink"), linewidth=2)


def _alt(errors: Mapping[str, Matrix]) -> str:
    """The best and the worst method's middle halves."""
    names = list(errors)
    said = []
    for name in dict.fromkeys([names[0], names[-1]]):
        low, high = np.quantile(errors[name], [0.25, 0.75])
        said.append(f"of {name} between {number(float(low))} and {number(float(high))}")
    return f"a row of ticks and a box for each of {len(names)} methods; half of the subjects are {', '.join(said)}."
