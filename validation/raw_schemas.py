"""pandera schemas of the raw tables, derived from `validation/tables/raw_fields.csv`.

A reader turns every cell into a whole number: what stands there, or one of the codes below. The schema judges all of
them at once. A field's breach either refuses the file or becomes null and is counted, as the table says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pandera
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from papi.instruments import Instrument
from papi.tables import read_csv

BLANK, MANGLED, UNREADABLE = -1, -2, -100  # nothing there; no number in a fixed-width field; none in a cell
ITEM, REFUSED = "item", "refused"
Numbers = NDArray[np.integer]
Cell = tuple[int, str]


@dataclass(frozen=True)
class RawField:
    """What the numbers of a raw column may be; `unknown` are those that say that nothing is known."""

    minimum: int
    maximum: int
    unknown: tuple[int, ...]
    refuses: bool
    expected: str

    def is_known(self, values: Numbers) -> NDArray[np.bool_]:
        """Which values lie in the range and say something, shape (people,)."""
        known: NDArray[np.bool_] = (values >= self.minimum) & (values <= self.maximum)
        return known

    def is_unknown(self, values: Numbers) -> NDArray[np.bool_]:
        """Which values say that nothing is known."""
        unknown: NDArray[np.bool_] = np.zeros(len(values), dtype=bool)
        for code in self.unknown:
            unknown |= values == code
        return unknown


@dataclass(frozen=True)
class Breaches:
    """Where a raw table breaks its schema: cells that refuse the file in reading order, and rows to null by column."""

    refused: list[Cell]
    impossible: dict[str, NDArray[np.intp]]


def raw_field(of: Instrument, column: str) -> RawField:
    """The definition of a raw column; every item has the same."""
    return _fields(of.family).get(column) or _fields(of.family)[ITEM]


@cache
def raw_schema(of: Instrument, columns: tuple[str, ...]) -> pandera.DataFrameSchema:
    """The schema of some columns of an instrument's raw table, in that order."""
    return pandera.DataFrameSchema({name: _column(raw_field(of, name)) for name in columns}, strict=True, ordered=True)


def breaches(numbers: dict[str, Numbers], answers: Numbers, of: Instrument) -> Breaches:
    """All breaches of a raw table: its other columns `numbers`, each (people,), and `answers` (people, items)."""
    found = pd.concat([_failures(pd.DataFrame(numbers), of), _item_failures(answers, of)])
    refuses = np.array([raw_field(of, column).refuses for column in found["column"]], dtype=bool)
    refuses |= (found["failure_case"] == UNREADABLE).to_numpy(dtype=bool)
    order = {name: j for j, name in enumerate((*numbers, *of.item_names))}
    cells = [(int(row), str(column)) for row, column in found.loc[refuses, ["index", "column"]].itertuples(index=False)]
    impossible = {
        str(column): rows.to_numpy(dtype=np.intp) for column, rows in found[~refuses].groupby("column")["index"]
    }
    return Breaches(sorted(cells, key=lambda cell: (cell[0], order[cell[1]])), impossible)


def _item_failures(answers: Numbers, of: Instrument) -> pd.DataFrame:
    """As `_failures`. Every item has the same definition, so all answers are judged as one long column."""
    failures = _failures(pd.DataFrame({ITEM: answers.ravel(order="F")}, copy=False), of)
    position, row = np.divmod(failures["index"].to_numpy(dtype=np.intp), max(1, len(answers)))
    names = np.array(of.item_names, dtype=object)
    return failures.assign(column=names[position], index=row)


def _failures(part: pd.DataFrame, of: Instrument) -> pd.DataFrame:
    """pandera's failure cases: one row per wrong cell, with its column, row (`index`) and value (`failure_case`)."""
    try:
        raw_schema(of, tuple(part.columns)).validate(part, lazy=True, inplace=True)
    except SchemaErrors as error:
        failures: pd.DataFrame = error.failure_cases[["column", "index", "failure_case"]]
        return failures
    return pd.DataFrame({"column": [], "index": [], "failure_case": []})


def _column(field: RawField) -> pandera.Column:
    def holds(values: pd.Series) -> pd.Series:
        numbers = values.to_numpy()
        return pd.Series(field.is_known(numbers) | field.is_unknown(numbers), index=values.index)

    return pandera.Column(checks=pandera.Check(holds, name=field.expected))


@cache
def _fields(family: str) -> dict[str, RawField]:
    rows = [row for row in read_csv("validation", "raw_fields.csv") if row["family"] == family]
    return {row["field"]: _field(row) for row in rows}


def _field(row: dict[str, str]) -> RawField:
    unknown = tuple(map(int, row["unknown"].split()))
    return RawField(int(row["minimum"]), int(row["maximum"]), unknown, row["otherwise"] == REFUSED, row["expected"])
