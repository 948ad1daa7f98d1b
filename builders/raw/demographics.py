"""From the numbers of a raw record to what is known of a person.

Values outside their range become null and are counted by field; blanks and the ages 0 and 99 (no ages in these files)
become null too and are counted apart. Months are 0-based: read as 1-12 they give impossible dates. What the ranges are
and what they mean is in `validation.raw_schemas`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from builders.raw.countries import complete_name
from papi.categories import categorical
from papi.instruments import Instrument
from validation.raw_schemas import BLANK, MANGLED, Numbers, raw_field

YEAR_ZERO = 1900
LEAP_YEAR = 104
DAYS_LEFT = "days_left"  # a column of the schema, not of the file: how many days of the month were still to come
CERTAIN = ("case", "country")  # columns that are no numbers with gaps
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Cleaned:
    """The cleaned fields (Int32, null = not known) and what was found on the way."""

    fields: dict[str, pd.Series]
    impossible: dict[str, int]
    impossible_rows: int
    blank: dict[str, int]


def cleaned(numbers: Mapping[str, Numbers], impossible: Mapping[str, Rows], of: Instrument) -> Cleaned:
    """Null what is unknown or impossible, counting both. `numbers` maps raw columns to arrays of shape (people,)."""
    wrong = {name: _marks(len(values), _impossible_rows(name, impossible)) for name, values in numbers.items()}
    unknown = {name: raw_field(of, name).is_unknown(values) for name, values in numbers.items()}
    fields = {
        name: nullable(values, wrong[name] | unknown[name]) for name, values in numbers.items() if name not in CERTAIN
    }
    any_wrong = np.logical_or.reduce([wrong[name] for name in fields])
    return Cleaned(fields, _counts(wrong), int(any_wrong.sum()), _counts(unknown))


def nullable(values: Numbers, null: NDArray[np.bool_]) -> pd.Series:
    """An Int32 series with nulls where `null`."""
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int32), null.copy()))


def with_days_left(numbers: Mapping[str, Numbers], of: Instrument) -> dict[str, Numbers]:
    """The numbers and, where there are dates, how many days their months had left; below 0 there is no such day.

    E.g. −3 for the 31st where the 0-based month is 1 (February). 0 where day or month are not known.
    """
    if "day" not in numbers:
        return dict(numbers)
    good = {name: raw_field(of, name).is_known(numbers[name]) for name in ("day", "month", "year")}
    known = good["day"] & good["month"]
    day, month = (np.where(known, numbers[name], 1) for name in ("day", "month"))
    year = np.where(good["year"], numbers["year"], LEAP_YEAR)  # an unknown year may have been one
    first = (year + YEAR_ZERO - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month
    length = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
    return {**numbers, DAYS_LEFT: np.where(known, length - day, 0)}


def complete_countries(codes: NDArray[np.integer], reported: list[str]) -> tuple[pd.Series, Numbers]:
    """Full country names as a categorical series, null where empty or unreadable, and codes for the schema (people,).

    `codes` (people,) index `reported`; the codes for the schema are 0 for a name, `BLANK` or `MANGLED`.
    """
    readable = np.array([name.isascii() and name.isprintable() and name[:1] != " " for name in reported], dtype=bool)
    names = [complete_name(name) if good else "" for name, good in zip(reported, readable, strict=True)]
    categories = sorted({name for name in names if name})
    position = {name: i for i, name in enumerate(categories)}
    lookup = np.array([position.get(name, -1) for name in names], dtype=np.int32)
    verdict = np.where(readable, np.where(lookup < 0, BLANK, 0), MANGLED)
    return pd.Series(categorical(lookup[codes], categories)), verdict[codes]


def _impossible_rows(name: str, impossible: Mapping[str, Rows]) -> Rows:
    """Rows with an impossible value in a column; a day may be so by itself or within its month."""
    names = ("day", DAYS_LEFT) if name == "day" else (name,)
    return np.concatenate([np.empty(0, dtype=np.intp), *(impossible[each] for each in names if each in impossible)])


def _marks(people: int, rows: Rows) -> NDArray[np.bool_]:
    marks = np.zeros(people, dtype=bool)
    marks[rows] = True
    return marks


def _counts(marks: Mapping[str, NDArray[np.bool_]]) -> dict[str, int]:
    return {name: int(mark.sum()) for name, mark in marks.items() if mark.any()}
