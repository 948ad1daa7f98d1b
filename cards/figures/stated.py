"""What the figures show that the manifest of a release states already, and what is published elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cards.figures.facts import Manifest
from papi.instruments import IPIP_120, IPIP_300, TEST, TEST_POPULATION, instrument
from papi.tables import read_csv

PUBLISHED = {IPIP_300: "alpha_300", IPIP_120: "alpha_120"}  # columns of the table of facets


@dataclass(frozen=True)
class Alpha:
    """Cronbach's alpha of a scale over everybody, and the published one; None where undefined, or not published."""

    config: str
    scale: str
    title: str
    measured: float | None
    published: float | None


@dataclass(frozen=True)
class Comparison:
    """A test split against everybody: by measure, the ratio or the largest distance; None where undefined."""

    config: str
    split: str
    values: dict[str, float | None]


def alphas(manifest: Manifest, config: str) -> list[Alpha]:
    """The alphas of the scales of a config, from its manifest, with those that were published."""
    measured, scales = manifest["configs"][config]["quality"]["alphas"], instrument(config).scales
    published = _published(config)
    return [Alpha(config, s.name, s.title, measured[s.name], published.get(s.name)) for s in scales]


def comparisons(manifest: Manifest) -> list[Comparison]:
    """The test splits of every config against everybody, from the manifest."""
    return [
        Comparison(config, split, _against_everybody(facts["likeness"][split]))
        for config, facts in manifest["configs"].items()
        for split in (TEST, TEST_POPULATION)
        if split in facts["likeness"]
    ]


def _published(config: str) -> dict[str, float]:
    column = PUBLISHED.get(config)
    rows = read_csv("papi", "facets.csv") if column else ()
    return {row["facet"]: float(row[column]) for row in rows if column and row[column]}


def _against_everybody(likeness: dict[str, Any]) -> dict[str, float | None]:
    ratios = {name: likeness[f"{name}_ratio"] for name in ("variance", "extremes", "alpha")}
    distances = list(likeness["trait_distances"].values())
    return ratios | {"distance": None if None in distances else max(distances)}
