"""The only writer and reader of parquet files; it refuses whatever the columns do not allow.

Files are zstd-compressed with a page index and content-defined chunking, so that a new version of a release shares its
unchanged pages with the old one, and the same table gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from papi.columns import Column, columns_of
from papi.errors import ReleaseRejected
from papi.files import open_output, translated

COMPRESSION = "zstd"
COMPRESSION_LEVEL = 3
ROWS_PER_GROUP = 50_000


def arrow_schema(config: str) -> pa.Schema:
    """The arrow schema of a config; a class is stored as int8 codes."""
    return pa.schema([pa.field(c.name, _arrow_type(c), nullable=c.nullable) for c in columns_of(config)])


def write_parquet(path: Path, table: pa.Table, config: str) -> None:
    """Write one shard of a config. Raises `ReleaseRejected` where the table breaks the definition of a column."""
    problems = _schema_problems(table, config) or _value_problems(table, config)
    if problems:
        raise ReleaseRejected(
            f"a table of {config} breaks the definition of its columns", where=path.name, got="; ".join(problems)
        )
    with open_output(path) as file:
        pq.write_table(
            table,
            file,
            row_group_size=ROWS_PER_GROUP,
            compression=COMPRESSION,
            compression_level=COMPRESSION_LEVEL,
            write_page_index=True,
            use_content_defined_chunking=True,
        )


def read_parquet(paths: Iterable[Path], config: str, names: Sequence[str] | None = None) -> pa.Table:
    """The rows of some shards of a config, all columns or those named. `ReleaseRejected` for another schema."""
    tables = [_read_one(path, config, names) for path in paths]
    return pa.concat_tables(tables)


def read_any_parquet(paths: Iterable[Path]) -> pa.Table:
    """The rows of some shards that have the same columns, whatever they are."""
    return pa.concat_tables([_opened(path).read() for path in paths])


def count_rows(path: Path) -> int:
    """Rows of a parquet file, from its footer."""
    return int(_opened(path).metadata.num_rows)


def _read_one(path: Path, config: str, names: Sequence[str] | None) -> pa.Table:
    file = _opened(path)
    if file.schema_arrow.remove_metadata() != arrow_schema(config):
        advice = "verify the release (papi verify), or build it again"
        raise ReleaseRejected(f"{path.name} has not the columns of {config}", where=str(path), next_step=advice)
    with _readable(path):
        return file.read(columns=list(names) if names is not None else None)


def _opened(path: Path) -> pq.ParquetFile:
    with _readable(path):
        return pq.ParquetFile(path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what pyarrow says of a damaged file into the project's error; it raises `OSError` for some damage too."""
    with translated(path, "read"):
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            advice = "verify the release (papi verify), or build it again"
            raise ReleaseRejected(
                f"{path.name} is no readable parquet file", where=str(path), got=str(error), next_step=advice
            ) from error


def _arrow_type(column: Column) -> pa.DataType:
    return pa.int8() if column.kind == "class" else pa.type_for_alias(column.kind)


def _schema_problems(table: pa.Table, config: str) -> list[str]:
    schema = arrow_schema(config)
    if table.schema.remove_metadata() == schema:
        return []
    expected, got = ({f"{f.name}: {f.type}" for f in s} for s in (schema, table.schema))
    differing = sorted(expected ^ got)
    return [f"columns differ: {', '.join(differing[:5]) or 'in order or nullability'}"]


def _value_problems(table: pa.Table, config: str) -> list[str]:
    if table.num_rows == 0:
        return ["it has no rows"]
    return [problem for column in columns_of(config) for problem in _outside(table, column)]


def _outside(table: pa.Table, column: Column) -> list[str]:
    values = table[column.name]
    problems = [f"{column.name} has nulls"] if values.null_count and not column.nullable else []
    if column.kind == "float32" and pc.any(pc.is_nan(values)).as_py():
        problems.append(f"{column.name} has values that are no numbers")
    low, high = (0, len(column.classes) - 1) if column.classes else (column.minimum, column.maximum)
    if low is None and high is None:
        return problems
    found = pc.min_max(values).as_py()
    if found["min"] is not None and low is not None and found["min"] < low:
        problems.append(f"{column.name} goes down to {found['min']}, below {low}")
    if found["max"] is not None and high is not None and found["max"] > high:
        problems.append(f"{column.name} goes up to {found['max']}, above {high}")
    return problems
