"""What simulated people do other than answer attentively: careless patterns and missing answers.

Both work in place on a block of responses, shape (rows, items), int8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM, MISSING
from papi.people_parameters import CarelessKind, MissingParameters
from papi.scoring import Answers


def answer_carelessly(
    block: Answers, careless: NDArray[np.int8], kinds: Sequence[CarelessKind], random: np.random.Generator
) -> None:
    """Replace a share of a careless person's answers, anywhere among the items, by the kind's pattern."""
    for code, kind in enumerate(kinds):
        rows = np.flatnonzero(careless == code)
        if kind.most == 0 or not len(rows):
            continue
        extent = random.uniform(kind.least, kind.most, (len(rows), 1))
        touched = random.random((len(rows), block.shape[1])) < extent
        block[rows] = np.where(touched, _pattern(kind.answers, touched.shape, random), block[rows])


def leave_answers_out(block: Answers, missing: MissingParameters, random: np.random.Generator) -> None:
    """Set answers to missing; an item may be hit twice, so a person leaves out at most as many as drawn.

    People with one answer throughout are spared: two of them with one gap each at the same item would be
    copies of each other that no longer look like straight-lining.
    """
    counts = np.searchsorted(np.cumsum(missing.chances)[:-1], random.random(len(block)), side="right")
    counts[(block == block[:, :1]).all(axis=1)] = 0
    rows = np.repeat(np.arange(len(block)), counts)
    block[rows, random.integers(0, block.shape[1], len(rows))] = MISSING
    block[random.random(len(block)) < missing.empty] = MISSING


def _pattern(answers: str, shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.int64]:
    """The answers of a pattern, broadcastable to `shape`; `ValueError` for an unknown pattern."""
    people, items = shape
    if answers == "constant":
        return random.integers(MINIMUM, MAXIMUM + 1, (people, 1))
    if answers == "uniform":
        return random.integers(MINIMUM, MAXIMUM + 1, shape)
    if answers == "cycle":
        start = random.integers(0, MAXIMUM, (people, 1))
        step = random.choice(np.array([-1, 1]), (people, 1))
        return np.asarray(MINIMUM + (start + step * np.arange(items)) % MAXIMUM, dtype=np.int64)
    raise ValueError(f"no careless pattern is called {answers!r}")
