"""pandera schemas of the published configs, derived from the one definition of the columns."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
from pandera.errors import SchemaErrors

from papi.columns import Column, columns_of
from papi.errors import SHOWN_PLACES, Place, ReleaseRejected
from papi.parquet import arrow_schema


@cache
def published_schema(config: str) -> pandera.DataFrameSchema:
    """The schema of a config: columns in order, arrow types, nulls, ranges, class codes, unique ids."""
    columns = {column.name: _column(column, config) for column in columns_of(config)}
    return pandera.DataFrameSchema(columns, strict=True, ordered=True, name=config)


def check_table(table: pa.Table, config: str, where: str) -> None:
    """Raise `ReleaseRejected` with every problem at once where a table breaks its schema; `where` names its file.

    A place's line is the row of the table, from 1.
    """
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        published_schema(config).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        raise ReleaseRejected(
            f"{where} breaks the schema of {config}",
            places=[_place(case, where) for case in cases.head(SHOWN_PLACES).itertuples()],
            total=len(cases),
            next_step="build the release again; if that does not help it is a mistake of the builder: report it",
        ) from error


def _place(case: Any, where: str) -> Place:
    """One row of pandera's failure cases as a place; a problem of a whole column has no row."""
    row = None if pd.isna(case.index) else int(case.index) + 1
    return Place(where, str(case.check), repr(case.failure_case), line=row, column=case.column)


def _column(column: Column, config: str) -> pandera.Column:
    dtype = pd.ArrowDtype(arrow_schema(config).field(column.name).type)
    return pandera.Column(dtype, checks=_checks(column), nullable=column.nullable, unique=column.name == "subject_id")


def _checks(column: Column) -> list[pandera.Check]:
    if column.classes:
        return [pandera.Check.in_range(0, len(column.classes) - 1)]
    low = [] if column.minimum is None else [pandera.Check.ge(column.minimum)]
    return low + ([] if column.maximum is None else [pandera.Check.le(column.maximum)])
