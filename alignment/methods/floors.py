"""Floors: what anybody reaches from people's answers alone. A method that uses a model must beat them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Fit, Prediction, Reference
from papi.floors import BLOCK, Matrix, as_matrix, centred, facet_means, fit_ridge, item_means
from papi.instruments import MAXIMUM
from papi.scoring import Answers

NEIGHBOURS = 100  # at most; a tenth of the people where they are few


def constant(option: int) -> Fit:
    """The floor that always answers `option`."""

    def fit(subject: Subject, respondent: None, context: Context) -> Prediction:
        return Prediction(np.full(len(context.benchmark.held_out), float(option)))

    return fit


def uniform(subject: Subject, respondent: None, context: Context) -> Prediction:
    """Every option with the same probability."""
    return Prediction(probabilities=np.full((len(context.benchmark.held_out), MAXIMUM), 1 / MAXIMUM))


def item_median(subject: Subject, respondent: None, context: Context) -> Prediction:
    """The median of other people's answers to each item."""
    others = context.reference(subject)
    return Prediction(context.once(("item-median", others.name), lambda: _medians(others)))


def facet_mean(subject: Subject, respondent: None, context: Context) -> Prediction:
    """The mean of the subject's own given scores of the item's facet (of its scale, where there are no facets)."""
    benchmark = context.benchmark
    given, asked = ([str(q.facet or q.domain) for q in part] for part in (benchmark.given, benchmark.held_out))
    own = benchmark.scores(as_matrix(subject.given)[None], benchmark.given)
    means = facet_means(own, given, asked)
    return Prediction(benchmark.scores(means, benchmark.held_out)[0])


def ridge(subject: Subject, respondent: None, context: Context) -> Prediction:
    """Ridge regression of the held-out items on the given ones (`papi.floors.fit_ridge`)."""
    others = context.reference(subject)
    fitted = context.once(("ridge", others.name), lambda: fit_ridge(others.given, others.held_out))
    return Prediction(fitted.predict(as_matrix(subject.given)[None])[0])


def knn(subject: Subject, respondent: None, context: Context) -> Prediction:
    """The mean answers of those whose given answers are nearest; what is missing is at the mean of its item."""
    others = context.reference(subject)
    means = context.once(("means", others.name), lambda: (item_means(others.given), item_means(others.held_out)))
    every = context.once(("knn", others.name), lambda: _nearest(others.given, means[0], context))
    nearest = every[context.positions[subject.subject_id]]
    return Prediction(
        means[1] + centred(others.held_out[nearest], means[1]).astype(np.float32).mean(axis=0, dtype=np.float64)
    )


def _nearest(given: Answers, means: Matrix, context: Context) -> NDArray[np.intp]:
    """The positions of the people nearest to each subject of the split, (subjects, neighbours), block by block."""
    own = centred(context.given, means).astype(np.float32)
    count = max(1, min(NEIGHBOURS, len(given) // 10))
    people = np.empty((len(own), 0), dtype=np.intp)
    distances = np.empty((len(own), 0), dtype=np.float32)
    for start in range(0, len(given), BLOCK):
        block = centred(given[start : start + BLOCK], means).astype(np.float32)
        found = (block**2).sum(axis=1) - 2 * own @ block.T  # less the subject's own length, the same for all
        distances = np.hstack([distances, found])
        people = np.hstack([people, np.broadcast_to(np.arange(start, start + len(block)), found.shape)])
        kept = np.argsort(distances, axis=1, kind="stable")[:, :count]
        distances, people = np.take_along_axis(distances, kept, 1), np.take_along_axis(people, kept, 1)
    return people


def _medians(others: Reference) -> Matrix:
    """Column by column: all answers of a full dev split as numbers would take half a gigabyte."""
    columns = others.held_out.T
    return np.array([np.median(column[column > 0]) if column.any() else (MAXIMUM + 1) / 2 for column in columns])
