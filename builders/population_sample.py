"""`test_population`: people who look like the population, not like cluster centres.

A systematic sample of the unflagged people sorted by sex and trait-quintile codes; of 20 fixed seeds the one whose item
variance, extreme answers, mean alpha and trait distributions come nearest to those of all unflagged people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM, Instrument
from papi.scoring import Answers, rows_of, scores_from_responses
from validation.psychometrics import alphas

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
SEEDS = range(20)
QUINTILES = np.array([0.2, 0.4, 0.6, 0.8])
TOLERANCE = 0.05  # relative, of variance ratio, extremes and alpha; absolute, of the Kolmogorov-Smirnov distances


@dataclass(frozen=True)
class Portrait:
    """What a group of people looks like: item variances (items,), extreme answers, mean alpha, sorted trait scores."""

    variances: NDArray[np.float64]
    extremes: float
    alpha: float
    traits: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Resemblance:
    """A sample against everybody: ratios (1 = the same) and the largest Kolmogorov-Smirnov distance of a trait."""

    variance_ratio: float
    extremes_ratio: float
    alpha_ratio: float
    trait_distance: float

    @property
    def worst(self) -> float:
        """The largest deviation, in units of the tolerance."""
        ratios = (self.variance_ratio, self.extremes_ratio, self.alpha_ratio)
        deviations = np.array([*(abs(ratio - 1) for ratio in ratios), self.trait_distance])
        return float(np.nan_to_num(deviations, nan=np.inf).max() / TOLERANCE)


def systematic_sample(order: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """`count` people at equal steps through an order, from a random start; ascending."""
    step = len(order) / count
    start = np.random.default_rng(seed).random() * step
    return np.sort(order[(start + step * np.arange(count)).astype(np.intp)])


def population_sample(
    responses: Answers,
    traits: list[NDArray[np.float32]],
    sex: NDArray[np.int64] | None,
    unflagged: NDArray[np.bool_],
    free: NDArray[np.bool_],
    count: int,
    of: Instrument,
) -> tuple[NDArray[np.intp], Resemblance]:
    """Rows of `count` unflagged people who are `free` (not test subjects), and how well they resemble all unflagged.

    `responses` (people, items); `traits` one array (people,) per domain, NaN = no score; `sex` codes or None.
    """
    rows = np.flatnonzero(unflagged & free)
    everybody = portrait(responses, traits, np.flatnonzero(unflagged), of)
    # Within a stratum people stay in the order of their subject ids, which are hashes: that is a random order.
    order = rows[np.argsort(_strata(traits, sex, rows), kind="stable")]
    samples = [systematic_sample(order, count, seed) for seed in SEEDS]
    likenesses = [resemblance(portrait(responses, traits, sample, of), everybody) for sample in samples]
    best = min(SEEDS, key=lambda seed: likenesses[seed].worst)
    return samples[best], likenesses[best]


def portrait(responses: Answers, traits: list[NDArray[np.float32]], rows: NDArray[np.intp], of: Instrument) -> Portrait:
    """The portrait of the people in `rows`."""
    chosen = rows_of(responses, rows)
    counts = np.array([np.bincount(column, minlength=MAXIMUM + 1)[MINIMUM:] for column in chosen.T])
    alpha = float(np.mean(list(alphas(scores_from_responses(chosen, of), of).values())))
    sorted_traits = tuple(np.sort(trait[rows][~np.isnan(trait[rows])]) for trait in traits)
    extreme = (counts[:, 0].sum() + counts[:, -1].sum()) / counts.sum()
    return Portrait(_variances(counts), float(extreme), alpha, sorted_traits)


def _variances(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Variance of each item from how often each response was given, shape (items, responses) → (items,)."""
    values = np.arange(MINIMUM, MAXIMUM + 1)
    n, total, square = counts.sum(axis=1), counts @ values, counts @ values**2
    variances: NDArray[np.float64] = (square - total**2 / n) / n
    return variances


def resemblance(sample: Portrait, everybody: Portrait) -> Resemblance:
    """How far a sample's portrait is from everybody's."""
    distances = [_distance(a, b) for a, b in zip(sample.traits, everybody.traits, strict=True)]
    return Resemblance(
        variance_ratio=float(sample.variances.mean() / everybody.variances.mean()),
        extremes_ratio=sample.extremes / everybody.extremes,
        alpha_ratio=sample.alpha / everybody.alpha,
        trait_distance=max(distances),
    )


def _distance(sample: NDArray[np.float32], everybody: NDArray[np.float32]) -> float:
    """Kolmogorov-Smirnov distance of sorted samples; the largest gap is at, or just below, a value of the first."""
    gaps = [_share_below(sample, sample, side) - _share_below(everybody, sample, side) for side in SIDES]
    return float(np.abs(gaps).max())


def _share_below(
    values: NDArray[np.float32], at: NDArray[np.float32], side: Literal["left", "right"]
) -> NDArray[np.float64]:
    return np.searchsorted(values, at, side=side) / len(values)


def _strata(
    traits: list[NDArray[np.float32]], sex: NDArray[np.int64] | None, rows: NDArray[np.intp]
) -> NDArray[np.int64]:
    """One code a person: sex first, then the quintile of each trait."""
    codes = np.zeros(len(rows), dtype=np.int64) if sex is None else sex[rows] + 1
    for trait in traits:
        values = trait[rows]
        cuts = np.quantile(values[~np.isnan(values)], QUINTILES, method="inverted_cdf")
        codes = codes * 6 + np.where(np.isnan(values), 5, np.searchsorted(cuts, values, side="right"))
    return codes
