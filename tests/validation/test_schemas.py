"""The published schema names every kind of violation, all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from papi.columns import columns_of
from papi.errors import SHOWN_PLACES, ReleaseRejected
from papi.instruments import CONFIGS, DARK_TRIAD, IPIP_300, ITEMS_CONFIG
from papi.parquet import read_parquet
from validation.schemas import check_table, published_schema


def split_of(release: Path, config: str) -> pa.Table:
    return read_parquet(sorted((release / "data" / config).glob("*.parquet"))[-1:], config)


@pytest.fixture(scope="module")
def people(release: Path) -> pa.Table:
    return split_of(release, DARK_TRIAD)


def with_value(table: pa.Table, name: str, value: Any) -> pa.Table:
    """The table with the first value of a column replaced."""
    position = table.schema.get_field_index(name)
    changed = pa.array([value, *table[name].to_pylist()[1:]], table.schema.field(name).type)
    return table.set_column(position, name, changed)


def complaint(table: pa.Table, config: str = DARK_TRIAD) -> str:
    with pytest.raises(ReleaseRejected) as caught:
        check_table(table, config, "a file")
    return str(caught.value)


@pytest.mark.parametrize("config", CONFIGS)
def test_what_was_built_meets_its_schema(release: Path, config: str) -> None:
    check_table(split_of(release, config), config, "a file")


@pytest.mark.parametrize("config", CONFIGS)
def test_the_schema_has_the_columns_of_the_one_definition(config: str) -> None:
    assert list(published_schema(config).columns) == [column.name for column in columns_of(config)]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("M1", 6, "line 1, column M1: expected less_than_or_equal_to(5), got 6"),
        ("M1", 0, "line 1, column M1: expected greater_than_or_equal_to(1), got 0"),
        ("source", 3, "line 1, column source: expected in_range(0, 2), got 3"),
        ("score_N", 5.5, "line 1, column score_N: expected less_than_or_equal_to(5), got 5.5"),
        ("irv", -1.0, "line 1, column irv: expected greater_than_or_equal_to(0), got -1.0"),
        ("n_missing", 28, "line 1, column n_missing: expected less_than_or_equal_to(27), got 28"),
        ("flag_missing", None, "line 1, column flag_missing: expected not_nullable"),
        ("subject_id", None, "line 1, column subject_id: expected not_nullable"),
    ],
)
def test_a_value_that_may_not_be_is_named(people: pa.Table, name: str, value: Any, words: str) -> None:
    assert words in complaint(with_value(people, name, value))


@pytest.mark.parametrize("name", ["M1", "score_N", "country", "source", "irv"])
def test_a_null_is_fine_where_the_design_has_one(people: pa.Table, name: str) -> None:
    check_table(with_value(people, name, None), DARK_TRIAD, "a file")


def test_two_people_with_one_id_are_named(people: pa.Table) -> None:
    double = people["subject_id"][1].as_py()
    assert f"column subject_id: expected field_uniqueness, got '{double}'" in complaint(
        with_value(people, "subject_id", double)
    )


def test_a_missing_column_and_a_strange_one_are_named(people: pa.Table) -> None:
    assert "expected column_in_dataframe, got 'M5'" in complaint(people.drop_columns(["M5"]))
    strange = people.append_column("case", pa.array(range(len(people))))
    assert "expected column_in_schema, got 'case'" in complaint(strange)


def test_another_order_and_another_type_are_named(people: pa.Table) -> None:
    names = people.schema.names
    assert "expected column_ordered" in complaint(people.select([*names[:3], names[4], names[3], *names[5:]]))
    position = people.schema.get_field_index("M1")
    wide = people.set_column(position, "M1", people["M1"].cast(pa.int16()))
    assert "column M1: expected dtype('int8[pyarrow]')" in complaint(wide)


def test_all_problems_are_told_together_and_at_most_twenty_shown(people: pa.Table) -> None:
    wrong = people
    for name in ("M1", "M2", "P9"):
        wrong = with_value(wrong, name, 6)
    message = complaint(wrong)
    assert all(f"a file, line 1, column {name}: expected less" in message for name in ("M1", "M2", "P9"))
    position = people.schema.get_field_index("M1")
    many = people.set_column(position, "M1", pa.array([6] * len(people), pa.int8()))
    assert f"{len(people)} in all" in complaint(many)
    assert complaint(many).count("column M1") == SHOWN_PLACES


def test_an_item_needs_its_words(release: Path) -> None:
    items = split_of(release, ITEMS_CONFIG)
    assert "column statement: expected not_nullable" in complaint(with_value(items, "statement", None), ITEMS_CONFIG)


def test_a_long_forms_table_is_none_of_the_dark_triad(release: Path) -> None:
    assert "column_in_schema" in complaint(split_of(release, IPIP_300), DARK_TRIAD)
