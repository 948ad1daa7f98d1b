"""`test_population`: people who look like the population, not like cluster centres.

A systematic sample of the unflagged people sorted by sex and trait-quintile codes; of 20 fixed seeds the one whose item
variance, extreme answers, mean alpha and trait distributions come nearest to those of all unflagged people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from papi.instruments import Instrument
from papi.scoring import Answers
from validation.likeness import Likeness, Portrait, likeness, max_or_nan, portrait

Traits = dict[str, NDArray[np.float32]]
SEEDS = range(20)
QUINTILES = np.array([0.2, 0.4, 0.6, 0.8])


def systematic_sample(order: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """`count` people at equal steps through an order, from a random start; ascending."""
    step = len(order) / count
    start = np.random.default_rng(seed).random() * step
    return np.sort(order[(start + step * np.arange(count)).astype(np.intp)])


def population_sample(
    responses: Answers,
    traits: Traits,
    sex: NDArray[np.int64] | None,
    candidates: NDArray[np.intp],
    everybody: Portrait,
    count: int,
    of: Instrument,
) -> NDArray[np.intp]:
    """Rows of `count` people out of the `candidates` (unflagged, no test subjects) who resemble `everybody` unflagged.

    `responses` (people, items); `traits` one array (people,) per domain, NaN = no score; `sex` codes or None.
    """
    # Within a stratum people stay in the order of their subject ids, which are hashes: that is a random order.
    order = candidates[np.argsort(_strata(traits, sex, candidates), kind="stable")]
    samples = [systematic_sample(order, count, seed) for seed in SEEDS]
    return min(samples, key=lambda sample: _badness(likeness(portrait(responses, traits, sample, of), everybody)))


def _badness(sample: Likeness) -> float:
    """The largest deviation of any kind; an undefined one is the worst."""
    worst = max_or_nan((sample.deviation, sample.trait_distance))
    return np.inf if np.isnan(worst) else worst


def _strata(traits: Traits, sex: NDArray[np.int64] | None, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """One code a person: sex first, then the quintile of each trait."""
    codes = np.zeros(len(rows), dtype=np.int64) if sex is None else sex[rows] + 1
    for trait in traits.values():
        values = trait[rows]
        cuts = np.quantile(values[~np.isnan(values)], QUINTILES, method="inverted_cdf")
        codes = codes * 6 + np.where(np.isnan(values), 5, np.searchsorted(cuts, values, side="right"))
    return codes
