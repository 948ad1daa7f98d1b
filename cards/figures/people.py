"""Figure: sex, age, country and source of the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cards.figures.facts import Manifest, Shares, demographics
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import joined, percent, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = (("sex", "source"), ("age_band",), ("country",))  # columns that stand at the same height
TITLES = {"sex": "Sex", "source": "How they came to the test", "age_band": "Age in years", "country": "Country"}
GAP, LABELS, VALUES, FIRST, SECTION, BAR, BOTTOM = 20, 108, 58, 26, 40, 20, 6  # pixels
LETTERS = 13  # of a label
Found = Mapping[str, Sequence[Shares]]  # by config


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture:
    """A column for each config, bars for each value."""
    found = {config: demographics(release, manifest, config) for config in manifest["configs"]}
    bands = {names: band for names in BANDS if (band := _band(found, names))}
    sizes = [max(len(shares.counts) for shares in band.values()) for band in bands.values()]
    sheet = Sheet(TOP + FIRST + sum(SECTION + BAR * size for size in sizes) + BOTTOM, heading)
    room = (WIDTH - 2 * MARGIN + GAP) / len(found)
    lefts = {config: MARGIN + room * column for column, config in enumerate(found)}
    for config, left in lefts.items():
        sheet.text(left, TOP + 16, config, weight="bold")
        sheet.text(left + 118, TOP + 16, f"{found[config][0].people:,} people", color=colour("muted"))
    top = TOP + FIRST
    for (names, band), size in zip(bands.items(), sizes, strict=True):
        longest = max(shares.percent(name) for shares in band.values() for name in shares.counts)
        for config, left in lefts.items():
            if config not in band:
                sheet.text(left, top + 24, f"{TITLES[names[0]]}: not recorded", color=colour("muted"))
                continue
            shares = band[config]
            sheet.text(left, top + 24, TITLES[shares.column])
            width, height = room - GAP - LABELS - VALUES, BAR * len(shares.counts)
            _bars(sheet.axes(left + LABELS, top + SECTION - 6, width, height), shares, longest)
        top += SECTION + BAR * size
    return Picture(sheet, _alt(found))


def _band(found: Found, names: Sequence[str]) -> dict[str, Shares]:
    return {config: shares for config, each in found.items() for shares in each if shares.column in names}


def _bars(axes: Axes, shares: Shares, longest: float) -> None:
    values = [shares.percent(name) for name in shares.counts]
    colours = [colour("bar" if name in shares.known else "rest") for name in shares.counts]
    axes.barh(range(len(values)), values, height=0.7, color=colours)
    axes.set(xlim=(0, longest), ylim=(len(values) - 0.5, -0.5))
    axes.set_axis_off()
    for row, (name, value) in enumerate(zip(shares.counts, values, strict=True)):
        label = shortened(name.replace("_", " "), LETTERS)
        axes.annotate(label, (0, row), (-6, 0), textcoords="offset points", ha="right", va="center_baseline")
        axes.annotate(percent(value), (value, row), (4, 0), textcoords="offset points", va="center_baseline")


def _alt(found: Found) -> str:
    said = [f"{config} {joined([_said(shares) for shares in each])}" for config, each in found.items()]
    return f"bars of the shares by config. Most frequent are, of {'; of '.join(said)}."


def _said(shares: Shares) -> str:
    name = max(shares.counts, key=shares.counts.__getitem__)
    return f"{shares.column.replace('_', ' ')} {name.replace('_', ' ')} ({percent(shares.percent(name))})"
