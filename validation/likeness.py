"""How much a group of people looks like everybody: item variances, extreme answers, reliability, traits.

The people of the published recipe lie near cluster centres and do not (FACTS: item variance .73 of the population's);
those of `test_population` must.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM, Instrument
from papi.scoring import Answers, rows_of, scores_from_responses
from validation.psychometrics import alphas

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
TOLERANCE = 0.05  # relative, of variance ratio, extremes and alpha; absolute, of the Kolmogorov-Smirnov distances
DECIMALS = 4


@dataclass(frozen=True)
class Portrait:
    """What a group looks like: item variances (items,), share of extreme answers (1 or 5), mean alpha of the scales.

    `traits` has the sorted domain scores of those who have one, by domain.
    """

    people: int
    variances: NDArray[np.float64]
    extremes: float
    alpha: float
    traits: dict[str, NDArray[np.float32]]

    def described(self) -> dict[str, Any]:
        """The numbers for the manifest."""
        return {"people": self.people, "extremes": _rounded(self.extremes), "alpha": _rounded(self.alpha)}


@dataclass(frozen=True)
class Likeness:
    """A group against everybody: ratios (1 = the same) and Kolmogorov-Smirnov distances by domain (0 = the same)."""

    group: Portrait
    variance_ratio: float
    extremes_ratio: float
    alpha_ratio: float
    trait_distances: dict[str, float]

    @property
    def deviation(self) -> float:
        """The largest deviation of a ratio from 1; NaN where one is undefined."""
        return max_or_nan(abs(ratio - 1) for ratio in (self.variance_ratio, self.extremes_ratio, self.alpha_ratio))

    @property
    def trait_distance(self) -> float:
        """The largest distance of a trait."""
        return max_or_nan(self.trait_distances.values())

    def described(self) -> dict[str, Any]:
        """The numbers for the manifest; null where undefined."""
        ratios = {name: _rounded(getattr(self, name)) for name in ("variance_ratio", "extremes_ratio", "alpha_ratio")}
        distances = {name: _rounded(value) for name, value in self.trait_distances.items()}
        return self.group.described() | ratios | {"trait_distances": distances}


def portrait(
    responses: Answers, traits: dict[str, NDArray[np.float32]], rows: NDArray[np.intp], of: Instrument
) -> Portrait:
    """The portrait of the people in `rows` of `responses` (people, items) and `traits` (people,), NaN = no score."""
    chosen = rows_of(responses, rows)
    counts = np.array([np.bincount(column, minlength=MAXIMUM + 1)[MINIMUM:] for column in chosen.T])
    alpha = float(np.mean(list(alphas(scores_from_responses(chosen, of), of).values())))
    sorted_traits = {name: np.sort(trait[rows][~np.isnan(trait[rows])]) for name, trait in traits.items()}
    extremes = float(counts[:, [0, -1]].sum() / counts.sum()) if len(rows) else float("nan")
    return Portrait(len(rows), _variances(counts), extremes, alpha, sorted_traits)


def likeness(group: Portrait, everybody: Portrait) -> Likeness:
    """How far a group's portrait is from everybody's."""
    return Likeness(
        group=group,
        variance_ratio=float(group.variances.mean() / everybody.variances.mean()),
        extremes_ratio=group.extremes / everybody.extremes,
        alpha_ratio=group.alpha / everybody.alpha,
        trait_distances={name: _distance(group.traits[name], them) for name, them in everybody.traits.items()},
    )


def max_or_nan(values: Iterable[float]) -> float:
    """The largest value, NaN where one of them is."""
    return float(np.max(list(values)))


def _variances(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Variance of each item from how often each response was given, (items, responses) → (items,)."""
    values = np.arange(MINIMUM, MAXIMUM + 1)
    n, total, square = counts.sum(axis=1), counts @ values, counts @ values**2
    with np.errstate(invalid="ignore"):  # an item that nobody answered has no variance
        variances: NDArray[np.float64] = (square - total**2 / n) / n
    return variances


def _distance(sample: NDArray[np.float32], everybody: NDArray[np.float32]) -> float:
    """Kolmogorov-Smirnov distance of sorted samples; the largest gap is at, or just below, a value of the first."""
    gaps = [_share_below(sample, sample, side) - _share_below(everybody, sample, side) for side in SIDES]
    return float(np.abs(gaps).max())


def _share_below(
    values: NDArray[np.float32], at: NDArray[np.float32], side: Literal["left", "right"]
) -> NDArray[np.float64]:
    return np.searchsorted(values, at, side=side) / len(values)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, DECIMALS)
