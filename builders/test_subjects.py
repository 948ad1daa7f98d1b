"""Test subjects by the published recipe: k-means on the standardised answers, the person nearest to each centre.

Made deterministic: float64, one thread, people in the order of their subject ids, ties to the first. Missing answers
become the item mean; people over the missing limit are no candidates (those who answered nothing would all be chosen);
a person already taken yields to the next nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from papi.instruments import MISSING
from papi.scoring import Answers

Matrix = NDArray[np.float64]
SEED = 0
BATCH = 3_000
PASSES = 3
BLOCK_ROWS = 20_000


@dataclass(frozen=True)
class Standardised:
    """Answers seen as z-scores, missing ones as 0; `rows` makes any block of them, shape (rows, items)."""

    answers: Answers
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def rows(self, which: NDArray[np.intp] | slice) -> Matrix:
        """The z-scores of some people."""
        block = np.ascontiguousarray(self.answers[which], dtype=np.float64)
        z = (block - self.mean) / self.deviation
        z[block == MISSING] = 0.0
        return z

    def __len__(self) -> int:
        return len(self.answers)


def standardised(answers: Answers) -> Standardised:
    """Item means over the answered, deviations with missing answers at the mean (as the published recipe scales)."""
    values = [column[column != MISSING].astype(np.int64) for column in answers.T]
    mean = np.array([v.sum() / len(v) if len(v) else 0.0 for v in values])
    excess = [max(float(len(v) * (v @ v) - v.sum() ** 2), 0.0) / max(len(v), 1) for v in values]
    deviation = np.sqrt(np.array(excess) / max(len(answers), 1))
    return Standardised(answers, mean, np.where(deviation > 0, deviation, 1.0))


def nearest_to_centres(answers: Answers, candidates: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    """Rows of `count` people, one near each of `count` cluster centres, ascending.

    `answers` (people, items), 0 = missing; `candidates` (people,) says who may be chosen. Centres are fitted on
    everybody, as published.
    """
    z = standardised(answers)
    with threadpool_limits(limits=1):
        centres = cluster_centres(z, count, SEED)
        return _one_each(_nearest_people(z, centres, np.flatnonzero(candidates)))


def cluster_centres(z: Standardised, count: int, seed: int) -> Matrix:
    """Centres of k-means with `count` clusters, shape (count, items), by mini-batches."""
    from sklearn.cluster import MiniBatchKMeans

    generator = np.random.default_rng(seed)
    model = MiniBatchKMeans(n_clusters=count, batch_size=BATCH, random_state=seed, n_init=1, reassignment_ratio=0.0)
    for _ in range(PASSES):
        order = generator.permutation(len(z))
        for batch in np.array_split(order, max(1, len(z) // BATCH)):
            model.partial_fit(z.rows(batch))
    return model.cluster_centers_


def _nearest_people(z: Standardised, centres: Matrix, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The nearest people of each centre, nearest first, ties to the first: shape (centres, centres).

    As many as there are centres, so that each finds somebody not taken: few people lie nearest to very many centres.
    """
    kept = min(len(centres), len(rows))
    best = np.empty((len(centres), 0))
    who = np.empty((len(centres), 0), dtype=np.intp)
    square = (centres**2).sum(axis=1)
    for start in range(0, len(rows), BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS]
        points = z.rows(block)
        distance = (square - 2 * points @ centres.T + (points**2).sum(axis=1)[:, None]).T
        best = np.concatenate([best, distance], axis=1)
        who = np.concatenate([who, np.broadcast_to(block, distance.shape)], axis=1)
        if best.shape[1] > kept:
            nearest = np.argpartition(best, kept - 1, axis=1)[:, :kept]
            best, who = np.take_along_axis(best, nearest, axis=1), np.take_along_axis(who, nearest, axis=1)
    return np.stack([people[np.lexsort((people, distance))] for people, distance in zip(who, best, strict=True)])


def _one_each(people: NDArray[np.intp]) -> NDArray[np.intp]:
    """The nearest person of each centre who is not taken yet, centre after centre; ascending."""
    taken: dict[int, None] = {}
    for nearest in people.tolist():
        taken.update(dict.fromkeys([next(person for person in nearest if person not in taken)]))
    return np.array(sorted(taken), dtype=np.intp)
