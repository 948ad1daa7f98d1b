"""From the numbers of a raw record to what is known of a person.

Values outside their range become null and are counted by field; blanks and the ages 0 and 99 (no ages in these files)
become null too and are counted apart. Months are 0-based: read as 1-12 they give impossible dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from builders.raw.countries import complete_name
from papi.categories import categorical
from papi.tables import read_csv

BLANK, MANGLED = -1, -2  # in place of a number: nothing there, no number there
YEAR_ZERO = 1900
LEAP_YEAR = 104
Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Cleaned:
    """The cleaned fields (Int32, null = not known) and what was found on the way."""

    fields: dict[str, pd.Series]
    impossible: dict[str, int]
    impossible_rows: int
    blank: dict[str, int]


def clean_numbers(numbers: Mapping[str, Numbers]) -> Cleaned:
    """Null what is blank or impossible, counting both. `numbers` maps field names to arrays of shape (people,)."""
    ranges = {row["field"]: row for row in read_csv("builders", "demographic_ranges.csv")}
    wrong = {name: _outside(numbers[name], row) for name, row in ranges.items() if name in numbers}
    if "day" in wrong:
        wrong["day"] |= _no_such_day(numbers, wrong)
    unknown = {name: _unknown(numbers[name], ranges[name]) for name in wrong}
    fields = {name: nullable(numbers[name], wrong[name] | unknown[name]) for name in wrong}
    any_wrong = np.logical_or.reduce(list(wrong.values()))
    return Cleaned(fields, _counts(wrong), int(any_wrong.sum()), _counts(unknown))


def nullable(values: NDArray[np.integer], null: NDArray[np.bool_]) -> pd.Series:
    """An Int32 series with nulls where `null`."""
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int32), null.copy()))


def complete_countries(codes: NDArray[np.integer], reported: list[str]) -> tuple[pd.Series, int]:
    """Full country names as a categorical series, and how many people have a name that cannot be read.

    `codes` (people,) index `reported`; an empty or unreadable name becomes null.
    """
    readable = np.array([name.isascii() and name.isprintable() and name[:1] != " " for name in reported])
    names = [complete_name(name) if good else "" for name, good in zip(reported, readable, strict=True)]
    categories = sorted({name for name in names if name})
    position = {name: i for i, name in enumerate(categories)}
    lookup = np.array([position.get(name, -1) for name in names], dtype=np.int32)
    return pd.Series(categorical(lookup[codes], categories)), int((~readable)[codes].sum())


def _counts(marks: Mapping[str, NDArray[np.bool_]]) -> dict[str, int]:
    return {name: int(mark.sum()) for name, mark in marks.items() if mark.any()}


def _unknown(values: Numbers, row: dict[str, str]) -> NDArray[np.bool_]:
    unknown: NDArray[np.bool_] = np.isin(values, [BLANK, *map(int, row["unknown"].split())])
    return unknown


def _outside(values: Numbers, row: dict[str, str]) -> NDArray[np.bool_]:
    outside = (values < int(row["minimum"])) | (values > int(row["maximum"]))
    impossible: NDArray[np.bool_] = outside & ~_unknown(values, row)
    return impossible


def _no_such_day(numbers: Mapping[str, Numbers], wrong: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Days beyond the end of their month, e.g. 31 where the 0-based month is 1 (February)."""
    good = {name: ~wrong[name] & (numbers[name] >= 0) for name in ("day", "month", "year")}
    known = good["day"] & good["month"]
    day, month = (np.where(known, numbers[name], 1) for name in ("day", "month"))
    year = np.where(good["year"], numbers["year"], LEAP_YEAR)  # an unknown year may have been one
    first = (year + YEAR_ZERO - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month
    length = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
    impossible: NDArray[np.bool_] = known & (day > length)
    return impossible
