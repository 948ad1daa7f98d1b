"""Figure: how the test splits compare with everybody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.figures.facts import Manifest
from cards.figures.stated import Comparison, comparisons
from papi.instruments import TEST, TEST_POPULATION
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import joined, number, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOLERANCE = 0.05  # of a ratio and of a distance, as of the sample that is to look like everybody
MEASURES = {
    "variance": "Variance of the items",
    "extremes": "Answers 1 and 5",
    "alpha": "Alpha of the scales",
    "distance": "Domain scores",
}
MARKS: dict[str, dict[str, Any]] = {
    TEST: {"marker": "o", "markersize": 8},
    TEST_POPULATION: {"marker": "D", "markersize": 6.5, "fillstyle": "none", "markeredgewidth": 1.6},
}
OFFSETS = {TEST: -0.17, TEST_POPULATION: 0.17}
LEFT, GAP, FIRST, FRAME, ROW, BOTTOM = 130, 20, 30, 24, 56, 54  # pixels
ROOM = 0.3  # of a panel, to the right of the marks, for their values


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture:
    """A row for each config, a panel for each measure, a mark for each test split."""
    found = comparisons(manifest)
    configs = list(manifest["configs"])
    sheet = Sheet(TOP + FIRST + FRAME + ROW * len(configs) + BOTTOM, heading)
    sheet.legend(LEFT, TOP, _handles({one.split for one in found}))
    width = (WIDTH - LEFT - MARGIN + GAP) / len(MEASURES) - GAP
    ratios = [one.values[name] for one in found for name in MEASURES if name != "distance"]
    for column, (name, title) in enumerate(MEASURES.items()):
        axes = sheet.axes(LEFT + column * (width + GAP), TOP + FIRST + FRAME, width, ROW * len(configs))
        axes.set(title=title, ylim=(len(configs) - 0.5, -0.5))
        axes.set_yticks(range(len(configs)), configs if column == 0 else [""] * len(configs))
        axes.tick_params(axis="y", labelcolor=colour("ink"))
        if name == "distance":
            _scale(axes, 0, [one.values[name] for one in found], "largest distance")
        else:
            _scale(axes, 1, ratios, "ratio to everybody")
        for one in found:
            _mark(axes, one, name, configs.index(one.config))
    return Picture(sheet, _alt(found))


def _scale(axes: Axes, same: float, values: Sequence[float | None], label: str) -> None:
    """An axis with room for the values, a line where a split is like everybody and the band around it."""
    band = max(0, same - TOLERANCE), same + TOLERANCE
    ends = [*band, *(value for value in values if value is not None)]
    low, high = min(ends), max(ends)
    axes.set(xlim=(low - 0.08 * (high - low), high + ROOM / (1 - ROOM) * (high - low)), xlabel=label)
    axes.axvspan(*band, color=colour("everybody"), linewidth=0)
    axes.axvline(same, color=colour("ink"), linewidth=1)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)


def _mark(axes: Axes, one: Comparison, name: str, row: int) -> None:
    value, height = one.values[name], row + OFFSETS[one.split]
    if value is None:
        return
    axes.plot(value, height, color=colour(one.split), linestyle="", **MARKS[one.split])
    axes.text(1, height, number(value), transform=axes.get_yaxis_transform(), ha="right", va="center_baseline")


def _handles(splits: set[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    there = {split: how for split, how in MARKS.items() if split in splits}
    return [Line2D([], [], color=colour(split), label=split, linestyle="", **how) for split, how in there.items()]


def _alt(found: Sequence[Comparison]) -> str:
    said = []
    for split in MARKS:
        mine = [one.values for one in found if one.split == split]
        parts = [f"{span(v[name] for v in mine)} ({title.lower()})" for name, title in MEASURES.items()]
        said += [f"of {split} {joined(parts)}"] if mine else []
    return f"marks by config. Ratios to everybody, and for domain scores the largest distance, are {'; '.join(said)}."
