"""Test subjects by the published recipe: k-means on the standardised answers, the person nearest to each centre.

Made deterministic: float64, one thread, people in the order of their subject ids, ties to the first. Missing answers
become the item mean; people over the missing limit are no candidates (those who answered nothing would all be chosen);
a person already taken yields to the next nearest.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from papi.instruments import MAXIMUM, MINIMUM, MISSING
from papi.scoring import Answers

Matrix = NDArray[np.float64]
Result = TypeVar("Result")
SEED = 0
SAMPLE = 30_000  # people on whom the centres are fitted
BLOCK_ROWS = 10_000


@dataclass(frozen=True)
class Standardised:
    """Answers seen as z-scores, missing ones as 0; `rows` makes any block of them, shape (rows, items)."""

    answers: Answers
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def rows(self, which: NDArray[np.intp] | slice) -> Matrix:
        """The z-scores of some people."""
        block = np.ascontiguousarray(self.answers[which])
        z = block.astype(np.float64)
        z -= self.mean
        z /= self.deviation
        z *= block != MISSING
        return z

    def __len__(self) -> int:
        return len(self.answers)


def standardised(answers: Answers) -> Standardised:
    """Item means over the answered, deviations with missing answers at the mean (as the published recipe scales)."""
    values = np.arange(MINIMUM, MAXIMUM + 1)
    counts = np.array([np.bincount(column, minlength=MAXIMUM + 1)[MINIMUM:] for column in answers.T])
    answered = np.maximum(counts.sum(axis=1), 1)
    mean = counts @ values / answered
    excess = (counts @ values**2) - (counts @ values) ** 2 / answered
    deviation = np.sqrt(np.maximum(excess, 0) / max(len(answers), 1))
    return Standardised(answers, mean, np.where(deviation > 0, deviation, 1.0))


def nearest_to_centres(answers: Answers, candidates: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    """Rows of `count` people, one near each of `count` cluster centres, ascending.

    `answers` (people, items), 0 = missing; `candidates` (people,) says who may be chosen.
    """
    z = standardised(answers)
    with threadpool_limits(limits=1):
        centres = cluster_centres(z, count, SEED)
        return _one_each(_nearest_people(z, centres, np.flatnonzero(candidates)))


def cluster_centres(z: Standardised, count: int, seed: int) -> Matrix:
    """Centres of k-means with `count` clusters, shape (count, items).

    Converged on at most `SAMPLE` people, then one Lloyd step over everybody, which takes the sample's chance out of the
    centres. The people nearest to them are like those of k-means on everybody (`benchmarks/LOG.md`).
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    sample = np.random.default_rng(seed).choice(len(z), min(len(z), SAMPLE), replace=False)
    model = KMeans(n_clusters=count, n_init=1, random_state=seed)
    with warnings.catch_warnings():
        # Fewer different people than clusters: centres coincide, and people already taken yield to the next.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres: Matrix = model.fit(z.rows(np.sort(sample))).cluster_centers_
    return centres if len(sample) == len(z) else _lloyd_step(z, centres)


def _lloyd_step(z: Standardised, centres: Matrix) -> Matrix:
    """Each centre moves to the mean of the people nearest to it; one without people stays."""
    parts = _in_blocks(np.arange(len(z)), lambda block: _sums_of_block(z, centres, block))
    total, people = np.zeros_like(centres), np.zeros(len(centres))
    for sums, counts in parts:
        total += sums
        people += counts
    return np.where(people[:, None] > 0, total / np.maximum(people, 1)[:, None], centres)


def _sums_of_block(z: Standardised, centres: Matrix, block: NDArray[np.intp]) -> tuple[Matrix, NDArray[np.float64]]:
    """Sums of the z-scores nearest to each centre, (centres, items), and how many people those are."""
    points = z.rows(block)
    nearest = _distances(points, centres).argmin(axis=1)
    member = (nearest == np.arange(len(centres))[:, None]).astype(np.float64)
    return member @ points, member.sum(axis=1)


def _distances(points: Matrix, centres: Matrix) -> Matrix:
    """Squared distances, shape (people, centres)."""
    distances: Matrix = (centres**2).sum(axis=1) - 2 * points @ centres.T + (points**2).sum(axis=1)[:, None]
    return distances


def _in_blocks(rows: NDArray[np.intp], work: Callable[[NDArray[np.intp]], Result]) -> list[Result]:
    """The results of all blocks of people in their order: so the number of threads leaves no trace."""
    blocks = [rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS)]
    with ThreadPoolExecutor() as threads:
        return list(threads.map(work, blocks))


def _nearest_people(z: Standardised, centres: Matrix, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The nearest people of each centre, nearest first, ties to the first: shape (centres, centres).

    As many as there are centres, so that each finds somebody not taken: few people lie nearest to very many centres.
    """
    kept = min(len(centres), len(rows))
    parts = _in_blocks(rows, lambda block: _nearest_of_block(z, centres, block, kept))
    who = np.concatenate([people for people, _ in parts], axis=1)
    distance = np.concatenate([distances for _, distances in parts], axis=1)
    return np.stack([p[np.lexsort((p, d))][:kept] for p, d in zip(who, distance, strict=True)])


def _nearest_of_block(
    z: Standardised, centres: Matrix, block: NDArray[np.intp], kept: int
) -> tuple[NDArray[np.intp], Matrix]:
    """The nearest people of one block and their squared distances, unordered, both (centres, at most `kept`)."""
    distance = _distances(z.rows(block), centres).T
    if len(block) <= kept:
        return np.broadcast_to(block, distance.shape), distance
    nearest = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
    return block[nearest], np.take_along_axis(distance, nearest, axis=1)


def _one_each(people: NDArray[np.intp]) -> NDArray[np.intp]:
    """The nearest person of each centre who is not taken yet, centre after centre; ascending."""
    taken: dict[int, None] = {}
    for nearest in people.tolist():
        taken.update(dict.fromkeys([person for person in nearest if person not in taken][:1]))
    return np.array(sorted(taken), dtype=np.intp)
