"""Floors: errors that anybody reaches without a model, from nothing but other people's and one's own answers.

All of them work on matrices of answers with NaN = missing, `given` (people, given items) and `held_out` (people,
held-out items), in one convention: responses, or published labels. The measure is that of Zhu et al. (ICLR 2025).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM

Matrix = NDArray[np.float64]
FOLDS = 10
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


def ridge_from_others(given: Matrix, held_out: Matrix) -> Matrix:
    """Ridge regression of all held-out items on the given ones, cross-fitted over people, (people, held-out items).

    Ten folds by position; answers are centred on the item means of the other folds, missing ones are at the mean.
    """
    predicted = np.empty_like(held_out)
    fold = np.arange(len(given)) % FOLDS
    for each in range(FOLDS):
        learn, ask = fold != each, fold == each
        means = np.nanmean(given[learn], axis=0), np.nanmean(held_out[learn], axis=0)
        x, y = (np.nan_to_num(part - mean) for part, mean in zip((given[learn], held_out[learn]), means, strict=True))
        weights = np.linalg.solve(x.T @ x + RIDGE_PENALTY * np.eye(x.shape[1]), x.T @ y)
        predicted[ask] = means[1] + np.nan_to_num(given[ask] - means[0]) @ weights
    return predicted


def rounded(predicted: Matrix) -> Matrix:
    """Predictions as options: the nearest whole answer from 1 to 5."""
    return np.clip(np.rint(predicted), MINIMUM, MAXIMUM)
