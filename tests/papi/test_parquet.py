"""The one writer of parquet refuses what the columns do not allow, and the same table gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papi.errors import InputRejected, MissingFile, ReleaseRejected
from papi.instruments import CONFIGS, DARK_TRIAD, IPIP_120
from papi.parquet import arrow_schema, count_rows, read_parquet, write_parquet

ROWS = 3


def fine_values(field: pa.Field) -> list[Any]:
    if pa.types.is_string(field.type):
        return [f"{field.name} {row}" for row in range(ROWS)]
    return [True, False, True] if pa.types.is_boolean(field.type) else [1] * ROWS


def table(config: str = DARK_TRIAD, **columns: Sequence[Any]) -> pa.Table:
    """A table that may be written, but for the columns given."""
    schema = arrow_schema(config)
    arrays = [pa.array(columns.get(field.name, fine_values(field)), field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def refusal(path: Path, wrong: pa.Table, config: str = DARK_TRIAD) -> str:
    """The message with which a table is refused; nothing may have been written."""
    with pytest.raises(ReleaseRejected) as caught:
        write_parquet(path, wrong, config)
    assert not path.exists()
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shard.parquet"


@pytest.mark.parametrize("config", CONFIGS)
def test_what_is_written_is_read_again(path: Path, config: str) -> None:
    write_parquet(path, table(config), config)
    assert read_parquet([path], config).equals(table(config))
    assert count_rows(path) == ROWS


def test_columns_in_another_order_are_refused(path: Path) -> None:
    names = table().schema.names
    assert "in order" in refusal(path, table().select([names[1], names[0], *names[2:]]))


def test_a_missing_column_and_one_too_many_are_refused_by_name(path: Path) -> None:
    assert "M5: int8" in refusal(path, table().drop_columns(["M5"]))
    assert "case: int64" in refusal(path, table().append_column("case", pa.array([1, 2, 3])))


def test_the_columns_of_another_config_are_refused(path: Path) -> None:
    assert "columns differ" in refusal(path, table(IPIP_120), DARK_TRIAD)


@pytest.mark.parametrize("kind", [pa.int16(), pa.int64(), pa.float64(), pa.float32()])
def test_numbers_of_another_width_are_refused(path: Path, kind: pa.DataType) -> None:
    wrong = table().set_column(3, "M1", pa.array([1, 2, 3], kind))
    assert "M1" in refusal(path, wrong)


def test_texts_in_place_of_numbers_are_refused(path: Path) -> None:
    assert "M1: string" in refusal(path, table().set_column(3, "M1", pa.array(["1", "2", "3"])))


def test_a_null_where_none_may_be_is_refused(path: Path) -> None:
    assert "flag_missing has nulls" in refusal(path, table(flag_missing=[True, None, False]))
    assert "subject_id has nulls" in refusal(path, table(subject_id=["a", "b", None]))


def test_a_column_that_claims_to_be_nullable_is_refused(path: Path) -> None:
    schema = arrow_schema(DARK_TRIAD)
    loose = pa.schema([field.with_nullable(True) for field in schema])
    assert "nullability" in refusal(path, pa.Table.from_arrays(table().columns, schema=loose))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("M1", [1, 6, 5], "M1 goes up to 6, above 5"),
        ("M1", [1, 0, 5], "M1 goes down to 0, below 1"),
        ("source", [0, 3, None], "source goes up to 3, above 2"),
        ("source", [0, -1, None], "source goes down to -1, below 0"),
        ("score_M", [5.5, 1.0, None], "score_M goes up to 5.5, above 5"),
        ("n_missing", [0, 28, 1], "n_missing goes up to 28, above 27"),
        ("irv", [-0.5, 1.0, None], "irv goes down to -0.5, below 0"),
    ],
)
def test_a_value_out_of_its_range_is_refused(path: Path, name: str, values: list[Any], words: str) -> None:
    assert words in refusal(path, table(**{name: values}))


def test_a_value_that_is_no_number_is_refused(path: Path) -> None:
    assert "score_M" in refusal(path, table(score_M=[float("nan"), 1.0, None]))


def test_every_problem_is_named_at_once(path: Path) -> None:
    message = refusal(path, table(M1=[1, 6, 5], M2=[0, 1, 1], flag_duplicate=[None, True, True]))
    assert all(words in message for words in ("M1 goes", "M2 goes", "flag_duplicate has nulls"))


def test_a_table_without_rows_is_refused(path: Path) -> None:
    assert "it has no rows" in refusal(path, table().slice(0, 0))


@given(answers=st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=ROWS, max_size=ROWS))
@settings(max_examples=20, deadline=None)
def test_answers_and_gaps_survive_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, answers: list[int | None]
) -> None:
    path = tmp_path_factory.mktemp("gaps") / "shard.parquet"
    write_parquet(path, table(P9=answers), DARK_TRIAD)
    column = read_parquet([path], DARK_TRIAD)["P9"]
    assert column.to_pylist() == answers
    assert column.type == pa.int8()


def test_the_same_table_gives_the_same_bytes_and_another_gives_others(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet"))
    chunked = pa.concat_tables([table().slice(0, 1), table().slice(1)])
    for path, content in ((first, table()), (second, chunked), (other, table(M1=[1, 2, 3]))):
        write_parquet(path, content, DARK_TRIAD)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_shards_are_read_one_after_the_other_and_only_what_is_asked_for(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    for number, path in enumerate(paths, start=1):
        write_parquet(path, table(M1=[number] * ROWS), DARK_TRIAD)
    both = read_parquet(paths, DARK_TRIAD, ["M1"])
    assert both.to_pydict() == {"M1": [1, 1, 1, 2, 2, 2]}


def test_a_file_of_another_config_is_not_read(path: Path) -> None:
    write_parquet(path, table(), DARK_TRIAD)
    with pytest.raises(ReleaseRejected, match="has not the columns of ipip-neo-120"):
        read_parquet([path], IPIP_120)


def test_a_file_written_past_the_writer_with_a_column_too_many_is_not_read(path: Path) -> None:
    pq.write_table(table().append_column("case", pa.array([1, 2, 3])), path)
    with pytest.raises(ReleaseRejected, match="has not the columns"):
        read_parquet([path], DARK_TRIAD)


def test_a_cut_file_and_an_absent_one_are_refused_with_their_names(path: Path) -> None:
    with pytest.raises(MissingFile, match=r"shard\.parquet"):
        read_parquet([path], DARK_TRIAD)
    write_parquet(path, table(), DARK_TRIAD)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputRejected, match=r"shard\.parquet is no readable parquet file"):
        read_parquet([path], DARK_TRIAD)
