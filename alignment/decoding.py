"""From the probabilities of the options 1 to 5, on the last axis, to one answer; NaN where there are none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from papi.floors import Matrix
from papi.instruments import MAXIMUM, MINIMUM

OPTIONS = np.arange(MINIMUM, MAXIMUM + 1)
MICRO = 1_000_000  # probabilities are stored to six decimals


def argmax(probabilities: Matrix) -> Matrix:
    """The most probable option; of equally probable ones the smallest."""
    return _option(np.argmax(np.nan_to_num(probabilities), axis=-1), probabilities)


def median(probabilities: Matrix) -> Matrix:
    """The smallest option up to which at least half of the probability lies; it minimises the expected error.

    Counted in millionths, as probabilities are stored, so that no rounding of sums decides.
    """
    millionths = np.rint(np.nan_to_num(probabilities) * MICRO).astype(np.int64)
    return _option(np.argmax(2 * millionths.cumsum(axis=-1) >= MICRO, axis=-1), probabilities)


def expected(probabilities: Matrix) -> Matrix:
    """The mean of the option distribution."""
    mean: Matrix = (probabilities @ OPTIONS) / probabilities.sum(axis=-1)
    return mean


DECODES = {"argmax": argmax, "median": median, "expected": expected}


def _option(position: NDArray[np.intp], probabilities: Matrix) -> Matrix:
    return np.where(np.isnan(probabilities).any(axis=-1), np.nan, MINIMUM + position)
