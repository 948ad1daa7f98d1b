"""The schemas of raw tables judge every cell at once; each breach is placed or becomes null, as the table says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, instrument
from papi.tables import read_csv
from validation.raw_schemas import BLANK, MANGLED, UNREADABLE, breaches, raw_field, raw_schema

FIELDS = read_csv("validation", "raw_fields.csv")
SOUND = {"case": 7, "sex": 1, "age": 30, "day": 1, "days_left": 0, "month": 0, "year": 100, "country": 0}


def judged(people: int = 3, **changes: tuple[int, int]) -> tuple[list[tuple[int, str]], dict[str, list[int]]]:
    """Sound people of the 120-item form, but for `column=(row, value)`."""
    of = instrument(IPIP_120)
    numbers = {name: np.full(people, value) for name, value in SOUND.items()}
    answers = np.full((people, len(of.items)), 3, dtype=np.int8, order="F")
    for column, (row, value) in changes.items():
        target = answers[:, of.item_names.index(column)] if column in of.item_names else numbers[column]
        target[row] = value
    found = breaches(numbers, answers, of)
    return found.refused, {column: rows.tolist() for column, rows in found.impossible.items()}


def test_sound_people_break_nothing() -> None:
    assert judged() == ([], {})


def test_all_breaches_are_found_at_once_in_reading_order() -> None:
    refused, impossible = judged(i120=(0, 6), i1=(2, -1), i2=(2, 9), case=(1, BLANK), sex=(0, 3), days_left=(1, -2))
    assert refused == [(0, "i120"), (1, "case"), (2, "i1"), (2, "i2")]
    assert impossible == {"sex": [0], "days_left": [1]}


@pytest.mark.parametrize(("value", "outcome"), [(BLANK, ([], {})), (MANGLED, ([], {"age": [1]}))])
def test_a_blank_age_is_unknown_and_a_mangled_one_impossible(value: int, outcome: object) -> None:
    assert judged(age=(1, value)) == outcome


def test_a_cell_that_is_no_number_refuses_whatever_its_column() -> None:
    assert judged(age=(1, UNREADABLE)) == ([(1, "age")], {})


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 26), st.integers(-128, 127)), max_size=6))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_an_answer_is_refused_exactly_where_it_is_outside_0_to_5(cells: list[tuple[int, int, int]]) -> None:
    of = instrument(DARK_TRIAD)
    answers = np.zeros((9, 27), dtype=np.int8, order="F")
    for row, item, value in cells:
        answers[row, item] = value
    wrong = np.argwhere((answers < 0) | (answers > 5))
    refused = breaches({"source": np.ones(9, dtype=np.int8)}, answers, of).refused
    assert refused == [(row, of.item_names[item]) for row, item in wrong.tolist()]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_column_of_a_raw_table_has_a_schema_with_its_expectation(name: str) -> None:
    of = instrument(name)
    columns = tuple(row["field"] for row in FIELDS if row["family"] == of.family)
    schema = raw_schema(of, columns)
    assert list(schema.columns) == list(columns)
    assert [check.name for column in schema.columns.values() for check in column.checks] == [
        raw_field(of, column).expected for column in columns
    ]
