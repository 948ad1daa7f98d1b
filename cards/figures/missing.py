"""Figure: how many people left out how many items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cards.figures.facts import Manifest, Missing, missing_answers
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TAIL = 5  # numbers of missing answers beyond the limit that are shown; the last of them stands for all that follow
MARKS: dict[str, dict[str, Any]] = {
    "within": {"marker": "o", "markersize": 6.5, "markeredgewidth": 0},
    "beyond": {"marker": "D", "markersize": 5.5, "markeredgewidth": 0},
}
LEFT, GAP, FIRST, PANEL, BOTTOM = 114, 26, 66, 220, 56  # pixels


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture:
    """A panel for each config: the share of people by number of missing answers."""
    found = {config: missing_answers(release, manifest, config) for config in manifest["configs"]}
    sheet = Sheet(TOP + FIRST + PANEL + BOTTOM, heading)
    width = (WIDTH - LEFT - MARGIN + GAP) / len(found) - GAP
    powers = range(min(map(_lowest, found.values())), 3)  # of ten, from the lowest share to 100 %
    for column, (config, missing) in enumerate(found.items()):
        left = LEFT + column * (width + GAP)
        sheet.text(left, TOP + 14, config, weight="bold")
        sheet.text(left, TOP + 34, f"{percent(missing.complete)} answered everything")
        sheet.text(left, TOP + 52, f"{_beyond(missing)} beyond the limit of {missing.limit}")
        axes = sheet.axes(left, TOP + FIRST, width, PANEL)
        axes.set(yscale="log", ylim=(10.0 ** powers[0] * 0.6, 150), xlabel="missing answers")
        axes.set_yticks([10.0**power for power in powers], [f"{10.0**power:g} %" for power in powers])
        axes.minorticks_off()
        axes.tick_params(labelleft=column == 0)
        axes.set_ylabel("people" if column == 0 else "")
        _dots(axes, missing)
    return Picture(sheet, _alt(found))


def _shown(missing: Missing) -> NDArray[np.float64]:
    """Per cent of the people by number of missing answers; the last value is of all numbers from there on."""
    last = missing.limit + TAIL
    shown: NDArray[np.float64] = np.append(missing.counts[:last], missing.counts[last:].sum()) * 100 / missing.people
    return shown


def _lowest(missing: Missing) -> int:
    """The power of ten at or below every share, of those that are not zero."""
    shares = _shown(missing)
    return math.floor(math.log10(shares[shares > 0].min()))


def _dots(axes: Axes, missing: Missing) -> None:
    last, limit = missing.limit + TAIL, missing.limit + 0.5
    shown, number = _shown(missing), np.arange(last + 1)
    for name, chosen in (("within", number < limit), ("beyond", number > limit)):
        there = chosen & (shown > 0)
        axes.plot(number[there], shown[there], color=colour(name), linestyle="", **MARKS[name])
    axes.axvline(limit, color=colour("ink"), linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate("flagged", (limit, 1), (5, -10), xycoords=axes.get_xaxis_transform(), textcoords="offset points")
    ticks = range(0, last, 1 if last < 10 else 5)
    axes.set_xlim(-0.8, last + 0.8)
    axes.set_xticks([*ticks, last], [*map(str, ticks), f"{last}+"])


def _beyond(missing: Missing) -> str:
    return f"{percent(missing.beyond)} are" if missing.beyond else "nobody is"


def _alt(found: Mapping[str, Missing]) -> str:
    said = [
        f"in {config} {percent(missing.complete)} answered everything, {_beyond(missing)} beyond the limit of "
        f"{missing.limit}"
        for config, missing in found.items()
    ]
    return f"dots by number of missing answers; {'; '.join(said)}."
