"""Figure: how the domain scores are distributed in each split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.figures.facts import Manifest, ScoreDistribution, score_distributions
from papi.instruments import DEV, MAXIMUM, MINIMUM, SPLITS, TEST, TEST_POPULATION, instrument
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import joined, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Distributions = Mapping[str, Mapping[str, ScoreDistribution]]  # of a config, by domain and split
FEWEST = 30  # people; a line of fewer is all chance
LINES: dict[str, dict[str, Any]] = {
    DEV: {"linestyle": "-", "linewidth": 1.2},
    TEST: {"linestyle": "-", "linewidth": 2.2},
    TEST_POPULATION: {"linestyle": (0, (3, 1.6)), "linewidth": 1.7},
}
LEFT, GAP, FIRST, ROW, FRAME, PANEL, BOTTOM = 72, 18, 34, 196, 46, 112, 20  # pixels
BESIDE = 0.15  # points of the scale that are shown beyond its ends


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture:
    """A row for each config, a panel for each domain, a line for each split."""
    found = {config: score_distributions(release, manifest, config) for config in manifest["configs"]}
    lines = {config: _with_line(facts["splits"]) for config, facts in manifest["configs"].items()}
    sheet = Sheet(TOP + FIRST + ROW * len(found) + BOTTOM, heading)
    sheet.legend(LEFT, TOP, _handles({split for splits in lines.values() for split in splits}), 2.4)
    columns = max(map(len, found.values()))
    width = (WIDTH - LEFT - MARGIN + GAP) / columns - GAP
    for row, (config, domains) in enumerate(found.items()):
        top = TOP + FIRST + ROW * row
        sheet.text(LEFT, top + 14, config, weight="bold")
        sizes = _sizes(manifest["configs"][config]["splits"], lines[config])
        sheet.text(LEFT + 120, top + 14, sizes, color=colour("muted"))
        for column, (scale, splits) in enumerate(zip(instrument(config).domains, domains.values(), strict=True)):
            axes = sheet.axes(LEFT + column * (width + GAP), top + FRAME, width, PANEL)
            axes.set(title=scale.title.split()[0], ylim=(0, 1.05 * _highest(domains, lines[config])))
            axes.set_ylabel("% of people" if column == 0 else "")
            axes.tick_params(labelleft=column == 0)
            axes.locator_params(axis="y", nbins=3, integer=True)
            _lines(axes, splits, lines[config])
    sheet.text(LEFT, sheet.height - 14, "score: mean of the answered items, from 1 to 5", color=colour("muted"))
    return Picture(sheet, _alt(found))


def _with_line(sizes: Mapping[str, int]) -> list[str]:
    """The splits with enough people; where none has, that with most."""
    fewest = min(FEWEST, max(sizes.values()))
    return [split for split in SPLITS if sizes.get(split, 0) >= fewest]


def _sizes(sizes: Mapping[str, int], lines: Sequence[str]) -> str:
    return ", ".join(f"{n:,} in {split}" + " (too few for a line)" * (split not in lines) for split, n in sizes.items())


def _highest(domains: Distributions, lines: Sequence[str]) -> float:
    return max(float(splits[split].per_tenth.max()) for splits in domains.values() for split in lines)


def _lines(axes: Axes, splits: Mapping[str, ScoreDistribution], lines: Sequence[str]) -> None:
    axes.set_xlim(MINIMUM - BESIDE, MAXIMUM + BESIDE)
    axes.set_xticks(range(MINIMUM, MAXIMUM + 1))
    for split in lines:
        one = splits[split]
        middles = (one.edges[:-1] + one.edges[1:]) / 2
        if split == DEV:
            axes.fill_between(middles, one.per_tenth, color=colour("everybody"), linewidth=0)
        axes.plot(middles, one.per_tenth, color=colour(split), **LINES[split])


def _handles(splits: set[str]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    area = Patch(facecolor=colour("everybody"), edgecolor=colour(DEV), label=DEV, **LINES[DEV])
    lines = [Line2D([], [], color=colour(split), label=split, **LINES[split]) for split in (TEST, TEST_POPULATION)]
    return [handle for handle in (area, *lines) if handle.get_label() in splits]


def _alt(found: Mapping[str, Distributions]) -> str:
    said = "; ".join(f"{config} {joined(_spreads(domains))}" for config, domains in found.items())
    return f"a line for each split, a panel for each domain. The standard deviations of the domain scores are: {said}."


def _spreads(domains: Distributions) -> list[str]:
    splits = next(iter(domains.values()))
    return [f"{span(each[split].spread for each in domains.values())} in {split}" for split in splits]
