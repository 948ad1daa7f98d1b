"""pandera schemas of the published configs, derived from the one definition of the columns."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
from pandera.errors import SchemaErrors

from papi.columns import Column, columns_of
from papi.errors import ReleaseRejected
from papi.parquet import arrow_schema

SHOWN = 20


@cache
def published_schema(config: str) -> pandera.DataFrameSchema:
    """The schema of a config: columns in order, arrow types, nulls, ranges, class codes, unique ids."""
    columns = {column.name: _column(column, config) for column in columns_of(config)}
    return pandera.DataFrameSchema(columns, strict=True, ordered=True, name=config)


def check_table(table: pa.Table, config: str) -> None:
    """Raise `ReleaseRejected` with every problem at once where a table breaks its schema."""
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        published_schema(config).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        shown = [f"{r.column}: {r.check} fails for {r.failure_case!r}" for r in cases.head(SHOWN).itertuples()]
        raise ReleaseRejected(
            f"a table of {config} breaks its schema in {len(cases):,} places",
            got="; ".join(shown),
            next_step="this is a mistake of the builder: please report it",
        ) from error


def _column(column: Column, config: str) -> pandera.Column:
    dtype = pd.ArrowDtype(arrow_schema(config).field(column.name).type)
    return pandera.Column(dtype, checks=_checks(column), nullable=column.nullable, unique=column.name == "subject_id")


def _checks(column: Column) -> list[pandera.Check]:
    if column.classes:
        return [pandera.Check.in_range(0, len(column.classes) - 1)]
    low = [] if column.minimum is None else [pandera.Check.ge(column.minimum)]
    return low + ([] if column.maximum is None else [pandera.Check.le(column.maximum)])
