"""Figure: the alphas of the scales, beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.figures.facts import Manifest
from cards.figures.stated import Alpha, alphas
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300, instrument
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import number, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES = {IPIP_300: "o", IPIP_120: "s", DARK_TRIAD: "D"}
FILLED, HOLLOW = 5.5, 8.5  # points
FIRST, ROW, LABELS, GAP, BOTTOM = 34, 20, 196, 24, 54  # pixels
LOWEST = 0.5  # where the scale begins, unless an alpha is lower
Found = Mapping[str, Sequence[Alpha]]  # by config
Group = tuple[str, dict[str, list[Alpha]]]  # a heading; the alphas by what their row is called


def draw(release: Path, manifest: Manifest, heading: Heading) -> Picture:
    """A row for each scale: filled marks are measured, hollow ones published."""
    found = {config: alphas(manifest, config) for config in manifest["configs"]}
    columns = _columns(_groups(found))
    rows = [sum(len(members) + 1 for _, members in groups) for groups in columns]
    sheet = Sheet(TOP + FIRST + ROW * max(rows) + BOTTOM, heading)
    sheet.legend(MARGIN, TOP, _handles(found))
    lowest = min([LOWEST, *(value for each in found.values() for one in each for value in _values(one))])
    room = (WIDTH - 2 * MARGIN + GAP) / len(columns)
    for column, groups in enumerate(columns):
        left = MARGIN + column * room + LABELS
        axes = sheet.axes(left, TOP + FIRST, room - LABELS - GAP, ROW * rows[column])
        axes.set(xlim=(lowest - 0.02, 1), ylim=(rows[column] - 0.5, -0.5), xlabel="alpha")
        _rows(axes, groups)
    return Picture(sheet, _alt(found))


def _values(one: Alpha) -> list[float]:
    return [value for value in (one.measured, one.published) if value is not None]


def _groups(found: Found) -> list[Group]:
    """The facets by domain, both forms in one row, then the scales of the Dark Triad."""
    groups: dict[str, dict[str, list[Alpha]]] = {}
    for config, each in found.items():
        domains = {domain.name: domain.title.split()[0] for domain in instrument(config).domains}
        for one in each:
            facet = instrument(config).is_ipip
            group = domains[one.scale[0]] if facet else "Dark Triad"
            label = f"{one.scale}  {one.title}" if facet else one.title
            groups.setdefault(group, {}).setdefault(label, []).append(one)
    return list(groups.items())


def _columns(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups in two columns, the first of which is the longer; in one where there is one group."""
    half = -(-len(groups) // 2)
    return [list(part) for part in (groups[:half], groups[half:]) if part]


def _rows(axes: Axes, groups: Sequence[Group]) -> None:
    labels: list[str] = []
    for title, members in groups:
        labels.append(title)
        for label, values in members.items():
            for one in values:
                _marks(axes, one, len(labels))
            labels.append(label)
    axes.set_yticks(range(len(labels)), labels)
    axes.locator_params(axis="x", nbins=6)
    titles = {title for title, _ in groups}
    for label, words, line in zip(labels, axes.get_yticklabels(), axes.get_ygridlines(), strict=True):
        words.set(color=colour("ink"), weight="bold" if label in titles else "normal")
        line.set_visible(label not in titles)


def _marks(axes: Axes, one: Alpha, row: int) -> None:
    how: dict[str, Any] = {"marker": SHAPES[one.config], "color": colour(one.config), "linestyle": ""}
    if one.measured is not None:
        axes.plot(one.measured, row, markersize=FILLED, markeredgewidth=0, **how)
    if one.published is not None:
        axes.plot(one.published, row, markersize=HOLLOW, fillstyle="none", **how)


def _handles(found: Found) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = []
    for config, each in found.items():
        how: dict[str, Any] = {"marker": SHAPES[config], "color": colour(config), "linestyle": ""}
        handles.append(Line2D([], [], label=config, markersize=FILLED, markeredgewidth=0, **how))
        if any(one.published is not None for one in each):
            handles.append(Line2D([], [], label="published", markersize=HOLLOW, fillstyle="none", **how))
    return handles


def _alt(found: Found) -> str:
    return f"dots by scale. Alphas are {'; '.join(_said(config, each) for config, each in found.items())}."


def _said(config: str, each: Sequence[Alpha]) -> str:
    measured = [one.measured for one in each if one.measured is not None]
    mean = f", mean {number(sum(measured) / len(measured))}" if measured else ""
    apart = [abs(o.measured - o.published) for o in each if o.measured is not None and o.published is not None]
    published = f", at most {number(max(apart))} from the {len(apart)} published values" if apart else ""
    return f"{span(measured)} in {config}{mean}{published}"
