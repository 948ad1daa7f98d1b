"""What the gates ask of the people to be published: is anybody singled out or lost, is the sample like them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from papi.instruments import Instrument
from validation.disclosure import smallest_cell
from validation.gates import Statistics
from validation.likeness import Likeness


@dataclass(frozen=True)
class DisclosureEvidence:
    """The published demographics of everybody in a config, categorical."""

    instrument: Instrument
    demographics: pd.DataFrame

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.demographics)

    @property
    def statistics(self) -> Statistics:
        """None where every cell tells nothing."""
        return {"people in the smallest cell of sex, age band and country": lambda: smallest_cell(self.demographics)}


@dataclass(frozen=True)
class StructureEvidence:
    """The people of a config as they are about to be written: `read` were read, `ids` (people,) are their subject ids.

    `splits` has the rows of `ids` that each split takes.
    """

    instrument: Instrument
    read: int
    ids: NDArray[np.uint64]
    splits: Mapping[str, NDArray[np.intp]]

    @property
    def people(self) -> int:
        """How many people were read."""
        return self.read

    @property
    def statistics(self) -> Statistics:
        """One count of everything that is out of order."""
        return {"people lost, doubled or out of order between the raw file and the splits": self._out_of_order}

    def _out_of_order(self) -> float:
        taken = np.concatenate([*self.splits.values(), np.empty(0, dtype=np.intp)])
        lost_or_doubled = np.abs(np.bincount(taken, minlength=len(self.ids)) - 1).sum()
        ids_doubled = len(self.ids) - len(np.unique(self.ids))
        disordered = sum(int((np.diff(self.ids[rows].astype(object)) <= 0).sum()) for rows in self.splits.values())
        return float(abs(self.read - len(self.ids)) + lost_or_doubled + ids_doubled + disordered)


@dataclass(frozen=True)
class SampleEvidence:
    """`test_population` beside all unflagged people; where it has fewer people than the gate asks nothing is said."""

    instrument: Instrument
    sample: Likeness

    @property
    def people(self) -> int:
        """How many people the sample has."""
        return self.sample.group.people

    @property
    def statistics(self) -> Statistics:
        """The two deviations that the sample was chosen to keep small."""
        return {
            "largest deviation of test_population from everybody unflagged in variance, extremes or alpha": lambda: (
                self.sample.deviation
            ),
            "largest Kolmogorov-Smirnov distance of a trait in test_population": lambda: self.sample.trait_distance,
        }
