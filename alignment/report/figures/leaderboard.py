"""Figure: the sum of errors of each method with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alignment.report.figures.methods import (
    BOTTOM,
    HOLLOW,
    RIDGE_LINES,
    ROW,
    called,
    hollow,
    kinds_legend,
    mark,
    names_room,
    names_with_people,
    ridge_of,
    rows_of,
)
from alignment.report.leaderboard import beside, ranked, shown
from alignment.report.results import Measured, Results
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import number

FIRST, NUMBERS = 34, 52  # pixels


def draw(results: Results, heading: Heading) -> Picture | str:
    """A row for each method, the best first."""
    methods = [each for each in ranked(results) if shown(each)["sum"] is not None]
    if not methods:
        return "no method has a sum"
    said = names_with_people(methods)
    left, letters = names_room(said)
    sheet = Sheet(TOP + FIRST + ROW * len(methods) + BOTTOM, heading)
    sheet.legend(MARGIN, TOP, _handles(results, methods), 1.6)
    names = [called(name, letters) for name in said]
    axes = rows_of(sheet, (left, TOP + FIRST, WIDTH - MARGIN - NUMBERS - left), names)
    axes.set_xlabel("sum of the mean absolute errors of the domains")
    ridge = ridge_of(results)
    for decode, how in RIDGE_LINES.items():
        if ridge is not None and decode in ridge.decodes:
            axes.axvline(ridge.facts["decodes"][decode]["sum"], color=colour("ink"), zorder=1, **how)
    for row, each in enumerate(methods):
        facts, other = shown(each), beside(each)
        if other is not None:
            hollow(axes, each, row, other["sum"])
        mark(axes, each, row, facts["sum"], facts["sum_low"], facts["sum_high"])
        where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center_baseline"}
        axes.text(1.015, row, number(facts["sum"]), **where)
    return Picture(sheet, _alt(results, methods))


def _handles(results: Results, methods: Sequence[Measured]) -> list[Any]:
    from matplotlib.lines import Line2D

    how: dict[str, Any] = {"marker": "o", "markersize": HOLLOW, "fillstyle": "none", "color": colour("ink")}
    handles = [*kinds_legend(methods), Line2D([], [], label="argmax, rounded", linestyle="", **how)]
    ridge = ridge_of(results)
    words = {"value": "ridge", "rounded": "ridge rounded"}
    lines = [decode for decode in RIDGE_LINES if ridge is not None and decode in ridge.decodes]
    return handles + [Line2D([], [], label=words[d], color=colour("ink"), **RIDGE_LINES[d]) for d in lines]


def _alt(results: Results, methods: Sequence[Measured]) -> str:
    best, worst = methods[0], methods[-1]
    said = f"a row for each of {len(methods)} methods, from {_said(best)} to {_said(worst)}"
    ridge = ridge_of(results)
    return f"{said}; {_said(ridge)}." if ridge else f"{said}."


def _said(each: Measured) -> str:
    return f"{each.row.name} with {number(shown(each)['sum'])}"
