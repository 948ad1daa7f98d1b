"""How many people share what is published of them: the cells of the quasi-identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from papi.columns import AGE_BANDS, OTHER_COUNTRY

SMALLEST_CELL = 11
SMALL_CELLS = (5, SMALLEST_CELL)
QUASI_IDENTIFIERS = ("sex", "age_band", "country")
KNOWN_OF_PEOPLE = (*QUASI_IDENTIFIERS, "source")  # whatever is published beside the answers


def cell_sizes(people: pd.DataFrame, names: Sequence[str] = QUASI_IDENTIFIERS) -> NDArray[np.int64]:
    """For each person the number of people with the same values of the columns `names`, shape (people,)."""
    codes = np.zeros(len(people), dtype=np.int64)
    for name in names:
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


def minors(people: pd.DataFrame) -> dict[str, int] | None:
    """How many of those who told their age are under 18; None where nobody is asked for it."""
    if "age_band" not in people:
        return None
    return {
        "under_18": int((people["age_band"] == AGE_BANDS[0]).sum()),
        "age_known": int(people["age_band"].notna().sum()),
    }


def disclosure_table(people: pd.DataFrame) -> list[dict[str, Any]]:
    """How far the published demographics single people out, for each of them alone and for all of them together.

    Per combination: its columns, the cells, the people who are alone in theirs, and for each of `SMALL_CELLS` the cells
    below that size and the people in them. Unlike in `smallest_cell`, null and Other count as values.
    """
    known = [name for name in KNOWN_OF_PEOPLE if name in people]
    joint = [tuple(name for name in QUASI_IDENTIFIERS if name in people), tuple(known)]
    combinations = dict.fromkeys([*((name,) for name in known), *joint])
    return [_disclosed(people, columns) for columns in combinations]


def _disclosed(people: pd.DataFrame, columns: tuple[str, ...]) -> dict[str, Any]:
    sizes = cell_sizes(people, columns)
    below = {
        f"below_{limit}": {"cells": _cells(sizes[sizes < limit]), "people": int((sizes < limit).sum())}
        for limit in SMALL_CELLS
    }
    return {"columns": list(columns), "cells": _cells(sizes), "unique_people": int((sizes == 1).sum())} | below


def _cells(sizes: NDArray[np.int64]) -> int:
    """How many cells the people with these cell sizes fill."""
    found, people = np.unique(sizes, return_counts=True)
    return int((people // found).sum())
