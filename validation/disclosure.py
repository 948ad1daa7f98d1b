"""How many people share what is published of them: the cells of the quasi-identifiers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from papi.columns import OTHER_COUNTRY

SMALLEST_CELL = 11
QUASI_IDENTIFIERS = ("sex", "age_band", "country")


def cell_sizes(people: pd.DataFrame) -> NDArray[np.int64]:
    """For each person the number of people with the same published sex, age band and country, shape (people,)."""
    codes = np.zeros(len(people), dtype=np.int64)
    for name in QUASI_IDENTIFIERS:
        if name in people:
            column = people[name].cat
            codes = codes * (len(column.categories) + 1) + column.codes.to_numpy() + 1
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return counts[inverse]


def tells_nothing(people: pd.DataFrame) -> NDArray[np.bool_]:
    """Who has all of it null or Other: such a cell singles nobody out."""
    nothing = np.ones(len(people), dtype=bool)
    for name in QUASI_IDENTIFIERS:
        if name in people:
            nothing &= people[name].isna().to_numpy() | (people[name] == OTHER_COUNTRY).to_numpy(dtype=bool)
    return nothing


def smallest_cell(people: pd.DataFrame) -> int | None:
    """Size of the smallest cell that tells something, None where there is none."""
    sizes = cell_sizes(people)[~tells_nothing(people)]
    return int(sizes.min()) if len(sizes) else None
