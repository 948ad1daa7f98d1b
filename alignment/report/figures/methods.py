"""What the figures share: methods as rows with their marks, and ridge as a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mode
from typing import TYPE_CHECKING, Any

from alignment.report.leaderboard import kind
from alignment.report.results import RIDGE, Measured, Results
from papi.sheet import MARGIN, Sheet, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, BOTTOM = 22, 54  # pixels
LETTER, WIDEST = 8.8, 300  # pixels of a letter, and of the names
SHAPES = {"model": "o", "floor": "s", "leaky": "D"}
FILLED, HOLLOW = 6.0, 6.0  # points
RIDGE_LINES: dict[str, dict[str, Any]] = {
    "value": {"linestyle": "-", "linewidth": 1.1},
    "rounded": {"linestyle": (0, (4, 3)), "linewidth": 1.1},
}


def called(name: str, letters: int) -> str:
    """The name of a row without the owner of a model, with its middle left out where there is no room for it."""
    method, opened, model = name.partition(" (")
    short = f"{method}{opened}{model.rpartition('/')[2]}"
    if len(short) <= letters:
        return short
    head = (letters - 1) // 2
    return f"{short[:head]}…{short[len(short) - (letters - 1 - head) :]}"


def names_with_people(methods: Sequence[Measured]) -> list[str]:
    """The names of rows, with the number of people where it is another than that of most rows."""
    usual = mode(each.row.n for each in methods)
    return [each.row.name if each.row.n == usual else f"{each.row.name}, {each.row.n} people" for each in methods]


def names_room(names: Iterable[str], widest: int = WIDEST) -> tuple[int, int]:
    """Pixels to the left of the rows, and the letters that have room there."""
    letters = min(max(map(len, (called(name, 1000) for name in names))), int(widest / LETTER))
    return MARGIN + int(letters * LETTER) + 8, letters


def rows_of(sheet: Sheet, place: tuple[float, float, float], names: Sequence[str], labelled: bool = True) -> Axes:
    """Axes with a row for each name, its frame at left, top and with a width."""
    left, top, width = place
    axes = sheet.axes(left, top, width, ROW * len(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names if labelled else [""] * len(names))
    axes.tick_params(axis="y", labelcolor=colour("ink"))
    axes.spines["left"].set_visible(False)
    return axes


def mark(axes: Axes, each: Measured, row: int, value: float, low: float, high: float) -> None:
    """A filled mark of the method's kind with its interval."""
    of = kind(each)
    axes.plot([low, high], [row, row], color=colour(of), linewidth=1.6)
    axes.plot(value, row, marker=SHAPES[of], markersize=FILLED, markeredgewidth=0, color=colour(of))


def hollow(axes: Axes, each: Measured, row: int, value: float) -> None:
    """A hollow mark, for the decode that stands beside."""
    of = kind(each)
    how: dict[str, Any] = {"marker": SHAPES[of], "markersize": HOLLOW, "fillstyle": "none", "markeredgewidth": 1.1}
    axes.plot(value, row, color=colour(of), **how)


def kinds_legend(methods: Sequence[Measured]) -> list[Any]:
    """Handles for the kinds of methods that there are."""
    from matplotlib.lines import Line2D

    there = {kind(each) for each in methods}
    how: dict[str, Any] = {"markersize": FILLED, "markeredgewidth": 0, "linestyle": ""}
    return [Line2D([], [], label=of, marker=SHAPES[of], color=colour(of), **how) for of in SHAPES if of in there]


def ridge_of(results: Results) -> Measured | None:
    """The row of ridge, if there is one with a result."""
    each = results.methods.get(RIDGE)
    return each if each is not None and each.decodes else None
