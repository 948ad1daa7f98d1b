"""Figure: the correlations of the facet scores."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cards.figures.facts import Correlations, Manifest, facet_correlations
from papi.instruments import Scale, instrument
from papi.sheet import TOP, Heading, Picture, Sheet, colour
from papi.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAP = "RdBu_r"  # of ColorBrewer: blue below 0, red above; people with any kind of colour vision tell them apart
LEFT, FIRST, CELL, BOTTOM = 222, 26, 21, 60  # pixels
BAR_LEFT, BAR_WIDTH = 14, 14  # from the right edge of the matrix


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture | None:
    """A matrix of coloured cells with outlined domains; None where a release has no facets."""
    found = facet_correlations(release, manifest)
    if found is None:
        return None
    facets, side = instrument(found.config).facets, CELL * len(found.values)
    sheet = Sheet(TOP + FIRST + side + BOTTOM, heading)
    sheet.text(LEFT, sheet.height - 12, f"{found.config}, {found.people:,} people", color=colour("muted"))
    axes = sheet.axes(LEFT, TOP + FIRST, side, side)
    limit = _limit(found)
    axes.imshow(_cells(found.values, limit), interpolation="nearest")
    _labels(axes, facets)
    _outlines(axes, found)
    _bar(sheet, sheet.axes(LEFT + side + BAR_LEFT, TOP + FIRST, BAR_WIDTH, side), limit)
    return Picture(sheet, _alt(found, facets))


def _pairs(found: Correlations) -> NDArray[np.float64]:
    """The correlations of different facets, (facets, facets); NaN elsewhere."""
    return np.where(np.eye(len(found.values), dtype=bool), np.nan, found.values)


def _limit(found: Correlations) -> float:
    """The end of the scale: the next tenth above every correlation."""
    defined = np.abs(_pairs(found)[~np.isnan(_pairs(found))])
    return math.ceil(10 * float(defined.max(initial=0.1))) / 10


def _cells(values: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Colours of the cells: grey where undefined, none on the diagonal."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba

    cells: NDArray[np.float64] = np.array(colormaps[MAP]((values / limit + 1) / 2))
    cells[np.isnan(values)] = to_rgba(colour("undefined"))
    cells[np.eye(len(values), dtype=bool)] = to_rgba(colour("background"))
    return cells


def _labels(axes: Axes, facets: tuple[Scale, ...]) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=colour("ink"))
    axes.set_xticks(range(len(facets)), [facet.name for facet in facets], rotation="vertical")
    axes.set_yticks(range(len(facets)), [f"{facet.title}  {facet.name}" for facet in facets])


def _outlines(axes: Axes, found: Correlations) -> None:
    """A frame around every domain, its name above."""
    from matplotlib.patches import Rectangle

    start = 0
    of = instrument(found.config)
    for domain in of.domains:
        size = sum(facet.name.startswith(domain.name) for facet in of.facets)
        frame = Rectangle((start - 0.5, start - 0.5), size, size, fill=False, edgecolor=colour("ink"), clip_on=False)
        axes.add_patch(frame)
        axes.text(start - 0.5, -0.85, domain.title.split()[0])
        start += size


def _bar(sheet: Sheet, axes: Axes, limit: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = sheet.figure.colorbar(ScalarMappable(Normalize(-limit, limit), MAP), cax=axes)
    bar.outline.set_visible(False)
    axes.set_ylabel("correlation")


def _alt(found: Correlations, facets: tuple[Scale, ...]) -> str:
    pairs, letters = _pairs(found), np.array([facet.name[0] for facet in facets])
    same = np.equal.outer(letters, letters)
    said = f"a {len(facets)} × {len(facets)} matrix of {found.config}, {found.people:,} people"
    if np.isnan(pairs).all():
        return f"{said}; no correlation is defined."
    within, between = (number(float(np.nanmean(np.abs(np.where(which, pairs, np.nan))))) for which in (same, ~same))
    ends = [_named(pairs, int(place), facets) for place in (np.nanargmax(pairs), np.nanargmin(pairs))]
    return (
        f"{said}. Their size is {within} on average within a domain and {between} between domains; the highest is "
        f"{ends[0]}, the lowest {ends[1]}."
    )


def _named(pairs: NDArray[np.float64], place: int, facets: tuple[Scale, ...]) -> str:
    row, column = divmod(place, len(facets))
    return f"{number(pairs[row, column])} ({facets[row].name} with {facets[column].name})"
