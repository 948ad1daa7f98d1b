"""Indices of careless answering, and the flags that follow from them.

All indices look at responses, as given: on reversed scores a straight-liner seems to alternate. Conventions are those
of the R package `careless` (Yentes & Wilhelm), except that a higher `even_odd` means more consistent. Nobody is
removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MISSING, Instrument
from papi.scoring import Answers
from papi.tables import read_toml

Floats = NDArray[np.float32]
Halves = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
BLOCK_ROWS = 50_000
NO_VARIANCE = 1e-9  # below this a person's facet means do not differ, whatever rounding says


@dataclass(frozen=True)
class Indices:
    """Per person, shape (people,): counts are int16, the others float32 with NaN where undefined.

    `even_odd` and `row_keying` are None for the Dark Triad, which has too few scales.
    """

    n_missing: NDArray[np.int16]
    longest_run: NDArray[np.int16]
    irv: Floats
    even_odd: Floats | None
    row_keying: Floats | None


def careless_indices(responses: Answers, scores: Answers, of: Instrument) -> Indices:
    """All indices of a matrix of responses and the item scores that belong to it, shape (people, items)."""
    halves = even_odd_halves(of), keyed_halves(of)
    even_odd, row_keying = (
        (_in_blocks(scores, halves_correlation, half) for half in halves) if of.is_ipip else (None, None)
    )
    return Indices(
        n_missing=(responses == MISSING).sum(axis=1, dtype=np.int16),
        longest_run=longest_run(responses),
        irv=response_variability(responses),
        even_odd=None if even_odd is None else spearman_brown(even_odd),
        row_keying=row_keying,
    )


def careless_flags(indices: Indices, copy_number: NDArray[np.integer], of: Instrument) -> dict[str, NDArray[np.bool_]]:
    """The flags of a config; thresholds are in `validation/tables/careless.toml`."""
    limits = {name: np.float32(limit) for name, limit in read_toml("validation", "careless.toml")[of.name].items()}
    flags = {
        "flag_missing": indices.n_missing > of.missing_limit,
        "flag_long_run": indices.longest_run >= limits["longest_run"],
        "flag_low_variance": indices.irv < limits["irv"],
    }
    if indices.even_odd is not None and indices.row_keying is not None:
        consistent = (indices.even_odd >= limits["even_odd"]) & (indices.row_keying >= limits["row_keying"])
        flags["flag_inconsistent"] = ~consistent  # NaN compares false: undefined is inconsistent
    flags["flag_duplicate"] = copy_number > 0
    return flags


def longest_run(responses: Answers) -> NDArray[np.int16]:
    """Longest run of one response in consecutive items; a missing answer ends a run."""
    run = np.zeros(len(responses), dtype=np.int16)
    longest = np.zeros(len(responses), dtype=np.int16)
    before = np.full(len(responses), MISSING, dtype=np.int8)
    for column in responses.T:
        run *= column == before
        run += column != MISSING
        np.maximum(longest, run, out=longest)
        before = column
    return longest


def response_variability(responses: Answers) -> Floats:
    """Intra-individual response variability: standard deviation (n − 1) of a person's responses (Dunn et al. 2018)."""
    count, total, square = (np.zeros(len(responses), dtype=np.int32) for _ in range(3))
    for column in responses.T:
        count += column != MISSING
        total += column
        square += column.astype(np.int16) ** 2
    pairs = count.astype(np.float64) * (count - 1)
    excess = count * square.astype(np.float64) - total.astype(np.float64) ** 2
    variance = np.divide(excess, pairs, out=np.full(len(responses), np.nan), where=pairs > 0)
    deviation: Floats = np.sqrt(variance).astype(np.float32)
    return deviation


def even_odd_halves(of: Instrument) -> Halves:
    """Each facet's items in two halves: the 1st, 3rd, … and the 2nd, 4th, …"""
    return [(facet.positions[::2], facet.positions[1::2]) for facet in of.facets]


def keyed_halves(of: Instrument) -> Halves:
    """Each facet's + and − items, for facets that have both."""
    both = [(f.positions[of.keyed[f.positions] > 0], f.positions[of.keyed[f.positions] < 0]) for f in of.facets]
    return [(plus, minus) for plus, minus in both if len(plus) and len(minus)]


def halves_correlation(scores: Answers, halves: Halves) -> Floats:
    """A person's correlation, over facets, between the mean scores of two halves; NaN where it is undefined."""
    sums = np.zeros((6, len(scores)))
    for first, second in halves:
        x, y = _mean(scores, first), _mean(scores, second)
        both = ~np.isnan(x) & ~np.isnan(y)
        x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
        sums += np.stack([both.astype(np.float64), x, y, x * x, y * y, x * y])
    n, sx, sy, sxx, syy, sxy = sums
    spread_x, spread_y = n * sxx - sx * sx, n * syy - sy * sy
    defined = (spread_x > NO_VARIANCE) & (spread_y > NO_VARIANCE)
    spread = np.sqrt(spread_x * spread_y, out=np.ones(len(scores)), where=defined)
    r = np.divide(n * sxy - sx * sy, spread, out=np.full(len(scores), np.nan), where=defined)
    clipped: Floats = np.clip(r, -1, 1).astype(np.float32)
    return clipped


def spearman_brown(r: Floats) -> Floats:
    """Reliability of the whole from the correlation of its halves, not below −1."""
    with np.errstate(divide="ignore"):
        whole: Floats = np.maximum(2 * r / (1 + r), np.float32(-1))
    return whole


def _mean(scores: Answers, positions: NDArray[np.intp]) -> NDArray[np.float64]:
    total, count = np.zeros(len(scores)), np.zeros(len(scores))
    for j in positions:
        total += scores[:, j]
        count += scores[:, j] != MISSING
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(scores), np.nan), where=count > 0)
    return mean


def _in_blocks(scores: Answers, index: Callable[[Answers, Halves], Floats], halves: Halves) -> Floats:
    """The index block by block, so that a full-size file needs little memory."""
    starts = range(0, len(scores), BLOCK_ROWS)
    return np.concatenate([index(scores[start : start + BLOCK_ROWS], halves) for start in starts])
