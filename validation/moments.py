"""Sums, squares and products of item scores over the people who answered both items of a pair.

The sums are whole numbers, computed in float32 blocks small enough to be exact; so every statistic derived from them is
the same on every machine, whatever the number of threads or the BLAS in use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MISSING
from papi.scoring import Answers

Matrix = NDArray[np.float64]
BLOCK_ROWS = 20_000  # 20,000 × 25 is far below 2**24, the last whole number that float32 holds exactly


@dataclass(frozen=True)
class Moments:
    """Pairwise-complete moments of item scores, each of shape (items, items).

    `count[i, j]` people answered both i and j; `total[i, j]` and `square[i, j]` sum the scores of i and their squares
    over those people, `product[i, j]` the products. `people` counts everybody.
    """

    people: int
    count: Matrix
    total: Matrix
    square: Matrix
    product: Matrix

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each item over those who answered it, shape (items,)."""
        return _divide(np.diag(self.total), np.diag(self.count))

    @property
    def missing(self) -> NDArray[np.float64]:
        """People without an answer, per item, shape (items,)."""
        return self.people - np.diag(self.count)

    def covariances(self) -> Matrix:
        """Pairwise-complete covariances (n − 1 below), NaN where fewer than two answered both."""
        excess = self.product - _divide(self.total * self.total.T, self.count)
        return _divide(excess, self.count - 1)

    def correlations(self) -> Matrix:
        """Pairwise-complete Pearson correlations, NaN where an item does not vary."""
        excess = self.product - _divide(self.total * self.total.T, self.count)
        spread = self.square - _divide(self.total**2, self.count)
        return _divide(excess, np.sqrt(np.maximum(spread * spread.T, 0)))


def moments_of(scores: Answers) -> Moments:
    """Moments of a matrix of item scores, shape (people, items), 0 = missing."""
    items = scores.shape[1]
    sums = np.zeros((4, items, items))
    for start in range(0, len(scores), BLOCK_ROWS):
        x = np.ascontiguousarray(scores[start : start + BLOCK_ROWS], dtype=np.float32)
        answered = (x != MISSING).astype(np.float32)
        sums += [answered.T @ answered, x.T @ answered, (x * x).T @ answered, x.T @ x]
    return Moments(len(scores), *sums)


def _divide(a: Matrix, b: Matrix) -> Matrix:
    quotient: Matrix = np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b > 0)
    return quotient
