"""What of a person's demographics is published: bands, frequent countries, no cell under eleven people.

This is minimisation, not anonymisation: whoever has the public originals can join the answers to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from builders.raw.table import RawTable
from papi.categories import categorical
from papi.columns import AGE_BANDS, OTHER_COUNTRY, SEXES, SOURCES
from validation.disclosure import QUASI_IDENTIFIERS, SMALLEST_CELL, cell_sizes

AGE_BAND_STARTS = (18, 25, 35, 45, 55, 65)  # of the second and later bands
NOT_COUNTRIES = ("A1", "A2", "AP", "EU", OTHER_COUNTRY)  # proxies and regions of the address database; no name
DEFAULT_MIN_COUNTRY = 500


@dataclass(frozen=True)
class Published:
    """Demographics as published (categorical, null = not known) and how many people were changed, by kind."""

    people: pd.DataFrame
    changed: dict[str, int]


def published_demographics(table: RawTable, min_country: int) -> Published:
    """The published columns of a raw table, in the order of its rows."""
    country, folded = _country(table, min_country)
    people = pd.DataFrame(_personal(table) | {"country": country} | _source(table))
    # Whoever asks for rarer countries than the smallest cell has decided to publish smaller cells.
    return Published(*_without_small_cells(people, {"country_rare": folded}, min(SMALLEST_CELL, min_country)))


def _personal(table: RawTable) -> dict[str, pd.Categorical]:
    if "sex" not in table.people:
        return {}
    sex = table.people["sex"].fillna(0).to_numpy(dtype=np.int64) - 1
    age = table.people["age"].fillna(0).to_numpy(dtype=np.int64)
    band = np.where(age > 0, np.searchsorted(AGE_BAND_STARTS, age, side="right"), -1)
    return {"sex": categorical(sex, SEXES), "age_band": categorical(band, AGE_BANDS)}


def _source(table: RawTable) -> dict[str, pd.Categorical]:
    if "source" not in table.people:
        return {}
    return {"source": categorical(table.people["source"].fillna(0).to_numpy(dtype=np.int64) - 1, SOURCES)}


def _country(table: RawTable, min_country: int) -> tuple[pd.Categorical, int]:
    """Countries with fewer than `min_country` respondents become Other; blank stays null."""
    reported = table.people["country"].cat
    codes, names = reported.codes.to_numpy(), reported.categories
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = [n for n, count in zip(names, counts, strict=True) if count >= min_country and n not in NOT_COUNTRIES]
    categories = [*kept, OTHER_COUNTRY]
    new = np.array([*(categories.index(n) if n in kept else len(kept) for n in names), -1])[codes]
    return categorical(new, categories), int((new == len(kept)).sum())


def _without_small_cells(
    people: pd.DataFrame, changed: dict[str, int], smallest: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """In cells under `smallest` people: country becomes Other, then age band null, then sex null."""
    people = people.copy()
    sizes = cell_sizes(people)
    changed["small_cells"] = int((1 / sizes[sizes < smallest]).sum().round())
    changed["people_in_small_cells"] = int((sizes < smallest).sum())
    for name in reversed(QUASI_IDENTIFIERS):
        if name in people:
            small = cell_sizes(people) < smallest
            blunted = OTHER_COUNTRY if name == "country" else None
            changed[f"{name}_blunted"] = int((small & ~_is(people[name], blunted)).sum())
            people[name] = _replaced(people[name], small, blunted)
    return people, changed


def _is(column: pd.Series, value: str | None) -> NDArray[np.bool_]:
    return (column.isna() if value is None else column == value).to_numpy(dtype=bool)


def _replaced(column: pd.Series, where: NDArray[np.bool_], value: str | None) -> pd.Categorical:
    code = -1 if value is None else column.cat.categories.tolist().index(value)
    codes = np.where(where, code, column.cat.codes.to_numpy())
    return categorical(codes, column.cat.categories.tolist())
