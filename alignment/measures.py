"""How well answers agree with a person's: decodes of option probabilities, errors, correlations, intervals.

Matrices have the shape (people, held-out items), float, NaN where a person did not answer or was not asked; option
probabilities have a third axis for the options 1 to 5. Answers are in one convention, that of the run's labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignment.decoding import DECODES, OPTIONS, expected
from alignment.labels import against_the_trait
from papi.columns import ROLES
from papi.floors import Matrix, rounded
from papi.instruments import instrument
from papi.scoring import TURN

Scales = Mapping[str, NDArray[np.intp]]
RESAMPLES, SEED, TAIL = 10_000, 0, 0.025
_, HELD_OUT = ROLES
CONSTANT = 1e-9  # scores that differ by less do not differ


@dataclass(frozen=True)
class Asked:
    """The held-out items of an instrument: which labels are 6 − score, and the items of each scale by position."""

    items: tuple[str, ...]
    turned: NDArray[np.bool_]
    domains: Scales
    facets: Scales


@dataclass(frozen=True)
class Decoded:
    """Predictions with what they come to: absolute error, whether the option is right, and at most one beside.

    Of a method with several seeds all are means over the seeds; `by_seed` are the errors of each.
    """

    predicted: Matrix
    errors: Matrix
    hits: Matrix
    near: Matrix
    by_seed: tuple[Matrix, ...] = ()


def asked_of(config: str, labels: str) -> Asked:
    """The held-out items of a config. Published labels of the IPIP-NEO already are in the direction of the trait."""
    of = instrument(config)
    places = [i for i, item in enumerate(of.items) if item.role == HELD_OUT]
    turned = against_the_trait(of, labels)
    domains, facets = (
        {scale.name: np.flatnonzero(np.isin(places, scale.positions)) for scale in scales}
        for scales in (of.domains, of.facets)
    )
    return Asked(tuple(of.items[i].name for i in places), turned[places], domains, facets)


# decodes


def decoded(predicted: Matrix, answers: Matrix) -> Decoded:
    """Predictions against answers. Those between options count for accuracy as the nearest option."""
    beside = np.abs(rounded(predicted) - answers)
    known = ~np.isnan(beside)
    hits, near = (np.where(known, beside <= limit, np.nan) for limit in (0, 1))
    return Decoded(predicted, np.abs(predicted - answers), hits, near)


def drawn(probabilities: Matrix, answers: Matrix) -> Decoded:
    """What is to be expected of answers drawn from the option distribution; as a prediction, its mean."""
    shares = probabilities / probabilities.sum(axis=-1, keepdims=True)
    beside = np.abs(answers[..., None] - OPTIONS)
    errors = (shares * beside).sum(axis=-1)
    hits, near = (np.where(np.isnan(errors), np.nan, (shares * (beside <= limit)).sum(axis=-1)) for limit in (0, 1))
    return Decoded(expected(probabilities), errors, hits, near)


def decodes_of_model(probabilities: Matrix, answers: Matrix) -> dict[str, Decoded]:
    """argmax, median and expected score from the same probabilities."""
    return {name: decoded(decode(probabilities), answers) for name, decode in DECODES.items()}


def over_seeds(decodes: Sequence[Decoded]) -> Decoded:
    """What the same decode of several seeds comes to in the mean: of the errors, not the error of the mean answer."""
    if len(decodes) == 1:
        return decodes[0]
    fields = [(each.predicted, each.errors, each.hits, each.near) for each in decodes]
    predicted, errors, hits, near = (np.mean(values, axis=0) for values in zip(*fields, strict=True))
    return Decoded(predicted, errors, hits, near, tuple(each.errors for each in decodes))


def decodes_of_floor(values: Matrix, answers: Matrix) -> dict[str, Decoded]:
    """A floor's predictions as they are, and as options."""
    return {"value": decoded(values, answers), "rounded": decoded(rounded(values), answers)}


# over items and people


def mean_known(values: Matrix, axis: int) -> Matrix:
    """The mean of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count, total / np.maximum(count, 1), np.nan)


def by_scale(values: Matrix, scales: Scales) -> Matrix:
    """The mean of each person over the answered items of each scale, (people, scales)."""
    columns = [mean_known(values[:, positions], axis=1) for positions in scales.values()]
    return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))


def share(values: Matrix) -> float:
    """The mean over people of the mean over a person's answered items."""
    return float(mean_known(mean_known(values, axis=1), axis=0))


def score_correlations(predicted: Matrix, answers: Matrix, asked: Asked, scales: Scales) -> list[float | None]:
    """Over people, the correlation of predicted and actual held-out score by scale; None where one is constant.

    Both scores are over the items that the person answered, in the direction of the trait.
    """
    both = [np.where(asked.turned, TURN - each, each) for each in (predicted, answers)]
    both[0] = np.where(np.isnan(answers), np.nan, both[0])
    theirs, actual = (by_scale(each, scales) for each in both)
    return [correlation(theirs[:, column], actual[:, column]) for column in range(len(scales))]


def correlation(one: Matrix, other: Matrix) -> float | None:
    """Pearson's r over the people who have both values; None where either is constant."""
    there = ~(np.isnan(one) | np.isnan(other))
    x, y = one[there], other[there]
    if not len(x) or min(np.ptp(x), np.ptp(y)) < CONSTANT:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))


def option_lock(options: Matrix) -> tuple[int, float]:
    """The option that is answered most often (the smallest of them) and its share of all answers."""
    shares = option_shares(options)
    return int(OPTIONS[shares.argmax()]), float(shares.max())


def option_shares(options: Matrix) -> Matrix:
    """The share of each option among the answers that there are, (options,); zeros where there are none."""
    known = options[~np.isnan(options)]
    return np.array([(known == option).sum() for option in OPTIONS]) / max(len(known), 1)


# intervals


class Resamples:
    """Paired resamples of people: everything is resampled with the same people, in the order of the rows."""

    def __init__(self, people: int, count: int = RESAMPLES, seed: int = SEED) -> None:
        random = np.random.default_rng(seed)
        self.weights = random.multinomial(people, np.full(people, 1 / people), size=count).astype(np.float64)
        self.counted: dict[bytes, Matrix] = {}

    def means(self, values: Matrix) -> Matrix:
        """The mean over the people of each resample who have a value, (resamples, columns); NaN where nobody has."""
        known = ~np.isnan(values)
        totals = self.weights @ np.where(known, values, 0)
        if (known == known[:, :1]).all():  # the same people in all columns, as is the rule
            return _divided(totals, self._counts(known[:, :1]))
        return _divided(totals, np.hstack([self._counts(column[:, None]) for column in known.T]))

    def _counts(self, known: NDArray[np.bool_]) -> Matrix:
        """How many people of each resample are among the known, (resamples, 1)."""
        key = known.tobytes()
        if key not in self.counted:
            self.counted[key] = self.weights @ known.astype(np.float64)
        return self.counted[key]

    def interval(self, samples: Matrix) -> tuple[Matrix, Matrix]:
        """The middle 95 % of each column of some samples, over the resamples in which it is defined."""
        result = np.full((2, samples.shape[1]), np.nan)
        some = ~np.isnan(samples).all(axis=0)
        known = np.ascontiguousarray(samples[:, some].T)
        quantile = np.nanquantile if np.isnan(known).any() else np.quantile
        result[:, some] = quantile(known, [TAIL, 1 - TAIL], axis=-1)
        return result[0], result[1]


def _divided(totals: Matrix, counts: Matrix) -> Matrix:
    return totals / counts if counts.all() else totals / np.where(counts, counts, np.nan)
