"""What a reader gives: one instrument's people, still as stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from papi.errors import Place
from papi.scoring import Answers


@dataclass(frozen=True)
class RawTable:
    """The people of one raw file, in its order.

    `answers` has the shape (people, items): int8 as stored, 0 = missing, Fortran order. `people` has one row a person:
    for the IPIP forms case, sex, age, sec, min, hour, day, month, year (Int32, null = not known) and country, for the
    Dark Triad country and source. `impossible` counts the values outside their range by field and `impossible_rows`
    the people with one; `blank` counts what was not given; `notes` are the first places of impossible values.
    """

    instrument: str
    answers: Answers
    people: pd.DataFrame
    impossible: Mapping[str, int] = field(default_factory=dict)
    impossible_rows: int = 0
    blank: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Place, ...] = ()

    def __len__(self) -> int:
        return len(self.answers)

    def same_answers(self, other: RawTable) -> bool:
        """Whether both hold the same people's answers, in whatever order of cases."""
        if self.answers.shape != other.answers.shape:
            return False
        mine, theirs = self._by_case(), other._by_case()
        if mine is None or theirs is None:
            return bool((self.answers == other.answers).all())
        same_cases = np.array_equal(self.people["case"].to_numpy()[mine], other.people["case"].to_numpy()[theirs])
        return same_cases and bool((self.answers[mine] == other.answers[theirs]).all())

    def _by_case(self) -> np.ndarray | None:
        return self.people["case"].to_numpy().argsort(kind="stable") if "case" in self.people else None
