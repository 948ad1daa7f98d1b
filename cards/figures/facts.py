"""What the figures show, measured from the tables of a release: numbers only, nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from papi.columns import OTHER_COUNTRY, Column, demographics_of
from papi.instruments import IPIP_120, IPIP_300, MAXIMUM, MINIMUM, Scale, instrument
from papi.manifest import shard_files, splits_of
from papi.parquet import ROWS_PER_GROUP, read_parquet

BIN = 0.25  # points; about the width of a bin of scores
COUNTRIES = 8  # shown by name
COUNTRY = "country"
DECIMALS = 3  # of a correlation: so few that the order of summing, hence the machine, does not show
Manifest = dict[str, Any]


@dataclass(frozen=True)
class ScoreDistribution:
    """The scores of a scale in a split: people who have one, mean, standard deviation, and `counts` between `edges`."""

    people: int
    mean: float
    spread: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def per_tenth(self) -> NDArray[np.float64]:
        """Per cent of the people for every tenth of a point, by bin."""
        density: NDArray[np.float64] = self.counts / max(self.people, 1) / np.diff(self.edges) * 10
        return density


@dataclass(frozen=True)
class Correlations:
    """Correlations of the facet scores of a config, (facets, facets); NaN where one is undefined."""

    config: str
    people: int
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """How many people have which value of a column, in the order to show; `known` are the names of actual values."""

    column: str
    people: int
    counts: dict[str, int]
    known: tuple[str, ...]

    def percent(self, name: str) -> float:
        """The people with a value, in per cent of everybody."""
        return 100 * self.counts[name] / self.people


@dataclass(frozen=True)
class Missing:
    """People of a config by the number of items they left out, from 0 on; beyond `limit` they are flagged."""

    limit: int
    counts: NDArray[np.int64]

    @property
    def people(self) -> int:
        """Everybody."""
        return int(self.counts.sum())

    @property
    def complete(self) -> float:
        """Per cent who answered everything."""
        return 100 * int(self.counts[0]) / self.people

    @property
    def beyond(self) -> float:
        """Per cent beyond the limit."""
        return 100 * int(self.counts[self.limit + 1 :].sum()) / self.people


def score_distributions(release: Path, manifest: Manifest, config: str) -> dict[str, dict[str, ScoreDistribution]]:
    """The distributions of the domain scores of a config, by domain and split."""
    of = instrument(config)
    names = [f"score_{domain.name}" for domain in of.domains]
    result: dict[str, dict[str, ScoreDistribution]] = {domain.name: {} for domain in of.domains}
    for split, table in _splits(release, manifest, config, names):
        for domain, name in zip(of.domains, names, strict=True):
            result[domain.name][split] = _distribution(table[name], domain)
    return result


def facet_correlations(release: Path, manifest: Manifest) -> Correlations | None:
    """The correlations of the facet scores of the longest form in a release; None where it has no form of the IPIP."""
    config = next((name for name in (IPIP_300, IPIP_120) if name in manifest["configs"]), None)
    if config is None:
        return None
    names = [f"score_{facet.name}" for facet in instrument(config).facets]
    sums, people = np.zeros((4, len(names), len(names))), 0
    for _, table in _splits(release, manifest, config, names):
        people += len(table)
        for batch in table.to_batches(max_chunksize=ROWS_PER_GROUP):
            sums += _sums_of_pairs(np.column_stack([column.to_numpy(zero_copy_only=False) for column in batch]))
    return Correlations(config, people, _correlations(*sums))


def demographics(release: Path, manifest: Manifest, config: str) -> list[Shares]:
    """Who is in a config, by each column that says something of its people."""
    columns = demographics_of(instrument(config))
    counted: dict[str, Counter[Any]] = {column.name: Counter() for column in columns}
    for _, table in _splits(release, manifest, config, list(counted)):
        for column in columns:
            pairs = table[column.name].value_counts()
            values, counts = pairs.field("values").to_pylist(), pairs.field("counts").to_pylist()
            counted[column.name].update(dict(zip(values, counts, strict=True)))
    return [_shares(column, counted[column.name]) for column in columns]


def missing_answers(release: Path, manifest: Manifest, config: str) -> Missing:
    """How many people of a config left out how many items."""
    of = instrument(config)
    counts = np.zeros(len(of.items) + 1, dtype=np.int64)
    for _, table in _splits(release, manifest, config, ["n_missing"]):
        counts += np.bincount(table["n_missing"].to_numpy(), minlength=len(counts))
    return Missing(of.missing_limit, counts)


def _splits(release: Path, manifest: Manifest, config: str, names: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """The named columns of every split that a config has."""
    for split in splits_of(manifest, config):
        yield split, read_parquet(shard_files(release, manifest, config, split), config, names)


def _distribution(column: pa.ChunkedArray, scale: Scale) -> ScoreDistribution:
    values = column.drop_null().to_numpy().astype(np.float64)
    edges = _edges(len(scale.positions))
    counts, _ = np.histogram(values, edges)
    mean, spread = (float(values.mean()), float(values.std())) if len(values) else (float("nan"), float("nan"))
    return ScoreDistribution(len(values), mean, spread, edges, counts.astype(np.int64))


def _edges(items: int) -> NDArray[np.float64]:
    """Bins that each hold equally many of the scores that a complete answer can have, so that none sticks out."""
    steps = max(1, round(BIN * items))
    bins = -(-((MAXIMUM - MINIMUM) * items + 1) // steps)
    edges: NDArray[np.float64] = MINIMUM + (np.arange(bins + 1) * steps - 0.5) / items
    return edges


def _sums_of_pairs(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """For every pair of columns, over the rows that have both: count, Σx, Σx², Σxy, where x is the first of the two."""
    known = ~np.isnan(scores)
    centred = np.where(known, scores - (MINIMUM + MAXIMUM) / 2, 0).astype(np.float64)
    there = known.astype(np.float64)
    return np.stack([there.T @ there, centred.T @ there, (centred**2).T @ there, centred.T @ centred])


def _correlations(
    count: NDArray[np.float64], total: NDArray[np.float64], square: NDArray[np.float64], product: NDArray[np.float64]
) -> NDArray[np.float64]:
    variance = count * square - total**2
    variance[variance <= 1e-9 * count * square] = np.nan  # nobody differs, but for rounding
    return np.round((count * product - total * total.T) / np.sqrt(variance * variance.T), DECIMALS)


def _shares(column: Column, counted: Counter[Any]) -> Shares:
    people = counted.total()
    unknown = {"not known": counted.pop(None, 0)}
    if column.name == COUNTRY:
        known = _frequent(counted)
        counts = known | {"other": counted.total() - sum(known.values())} | unknown
    else:
        known = {name: counted[code] for code, name in enumerate(column.classes)}
        counts = known | unknown
    return Shares(column.name, people, counts, tuple(known))


def _frequent(counted: Counter[Any]) -> dict[str, int]:
    """The countries with most people; of equally frequent ones the first in the alphabet."""
    named = sorted((-count, name) for name, count in counted.items() if name != OTHER_COUNTRY)
    return {name: -count for count, name in named[:COUNTRIES]}
