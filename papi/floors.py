"""Floors: errors that anybody reaches without a model, from nothing but other people's and one's own answers.

They work on people's answers in one convention, responses or published labels, `given` (people, given items) and
`held_out` (people, held-out items): int8 with 0 = missing where something is fitted, matrices with NaN = missing
elsewhere. The measure is that of Zhu et al. (ICLR 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM, MISSING
from papi.scoring import Answers

Matrix = NDArray[np.float64]
FOLDS = 10
BLOCK = 16_384  # people
RIDGE_PENALTY = 100.0


def summed_error(predicted: Matrix, held_out: Matrix, domains: Sequence[str]) -> float:
    """The paper's measure: mean absolute error of each domain, averaged over people, summed over domains.

    `predicted` broadcasts to the shape of `held_out` (people, items); `domains` names each item's. A person's error in
    a domain is the mean over the answered items; whoever answered none of them is left out there.
    """
    return error_sum(np.abs(predicted - held_out), domains)


def error_sum(errors: Matrix, domains: Sequence[str]) -> float:
    """The same measure from absolute errors, (people, items), NaN = not answered."""
    total = 0.0
    for domain in dict.fromkeys(domains):
        part = errors[:, [name == domain for name in domains]]
        answered = ~np.isnan(part)
        asked = answered.any(axis=1)
        total += float((np.nansum(part[asked], axis=1) / answered[asked].sum(axis=1)).mean())
    return total


def uniform_error(held_out: Matrix, domains: Sequence[str]) -> float:
    """The expected measure of a model that draws each option with the same probability."""
    options = np.arange(MINIMUM, MAXIMUM + 1)
    return error_sum(np.abs(held_out[:, :, None] - options).mean(axis=2), domains)


def item_medians_of_others(held_out: Matrix) -> Matrix:
    """For each person the median of everybody else's answers to each item, shape of `held_out`."""
    others = np.arange(len(held_out))
    return np.stack([np.nanmedian(held_out[others != person], axis=0) for person in others])


def facet_means(given: Matrix, given_facets: Sequence[str], asked_facets: Sequence[str]) -> Matrix:
    """For each person and held-out item the mean of the given scores of its facet, (people, held-out items).

    `given` are scores (in the direction of the trait); so are the predictions. Where a person answered nothing of a
    facet it is the middle of the options.
    """
    middle = (MINIMUM + MAXIMUM) / 2
    by_facet = {}
    for facet in dict.fromkeys(given_facets):
        part = given[:, [name == facet for name in given_facets]]
        answered = (~np.isnan(part)).sum(axis=1)
        by_facet[facet] = np.where(answered, np.nansum(part, axis=1) / np.maximum(answered, 1), middle)
    return np.stack([by_facet[facet] for facet in asked_facets], axis=1)


@dataclass(frozen=True)
class Ridge:
    """A ridge regression of all held-out items on the given ones, on answers centred on their items' means.

    `given_means` (given items,), `held_out_means` (held-out items,), `weights` (given items, held-out items).
    """

    given_means: NDArray[np.float64]
    held_out_means: NDArray[np.float64]
    weights: Matrix

    def predict(self, given: Matrix) -> Matrix:
        """Predictions (people, held-out items); an answer that is missing is at its item's mean."""
        return self.held_out_means + np.nan_to_num(given - self.given_means) @ self.weights


def fit_ridge(given: Answers, held_out: Answers) -> Ridge:
    """Fit on people's labels, 0 = missing, (people, given items) and (people, held-out items); missing is at the mean.

    The people pass in blocks, so that the memory does not grow with them.
    """
    means = [item_means(answers) for answers in (given, held_out)]
    square, product = np.zeros((given.shape[1],) * 2), np.zeros((given.shape[1], held_out.shape[1]))
    for start in range(0, len(given), BLOCK):
        people = slice(start, start + BLOCK)
        x, y = centred(given[people], means[0]), centred(held_out[people], means[1])
        square += x.T @ x
        product += x.T @ y
    weights = np.linalg.solve(square + RIDGE_PENALTY * np.eye(len(square)), product)
    return Ridge(means[0], means[1], weights.astype(np.float64))


def ridge_from_others(given: Answers, held_out: Answers) -> Matrix:
    """Ridge cross-fitted over people, (people, held-out items): ten folds by position."""
    predicted = np.empty(held_out.shape)
    fold = people_folds(len(given))
    for each in range(FOLDS):
        learn, ask = fold != each, fold == each
        predicted[ask] = fit_ridge(given[learn], held_out[learn]).predict(as_matrix(given[ask]))
    return predicted


def people_folds(count: int) -> NDArray[np.intp]:
    """The fold, 0 to 9, of each of so many people: by position. (Subjects stand in the order of hashes.)"""
    return np.arange(count) % FOLDS


def as_matrix(answers: Answers) -> Matrix:
    """Labels as numbers, NaN where nothing was answered."""
    return np.where(answers == MISSING, np.nan, answers.astype(np.float64))


def item_means(answers: Answers) -> NDArray[np.float64]:
    """The mean answer to each item, (items,); 3, the middle, where nobody answered."""
    answered = (answers != MISSING).sum(axis=0)
    middle = (MINIMUM + MAXIMUM) / 2
    return np.where(answered, answers.sum(axis=0, dtype=np.float64) / np.maximum(answered, 1), middle)


def centred(answers: Answers, means: NDArray[np.float64]) -> Matrix:
    """Answers less their items' means, (people, items); 0 where nothing was answered."""
    return np.where(answers == MISSING, 0.0, answers - means)


def rounded(predicted: Matrix) -> Matrix:
    """Predictions as options: the nearest whole answer from 1 to 5."""
    return np.clip(np.rint(predicted), MINIMUM, MAXIMUM)
