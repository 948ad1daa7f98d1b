"""The folds of the given items by which everything is chosen: three, the same for everyone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignment.questions import Question

FOLDS = 3


def folds_of(questions: Sequence[Question]) -> NDArray[np.intp]:
    """The fold, 0 to 2, of each item: within a domain the folds take turns through the items, by key, then order.

    So no two folds differ by more than one item of any domain, nor of any domain and key.
    """
    fold = np.empty(len(questions), dtype=np.intp)
    for domain in dict.fromkeys(question.domain for question in questions):
        members = [position for position, question in enumerate(questions) if question.domain == domain]
        members.sort(key=lambda position: -questions[position].keyed)
        fold[members] = np.arange(len(members)) % FOLDS
    return fold
