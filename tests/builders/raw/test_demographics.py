"""What is known of a person: impossible values, unknown ones, 0-based months, and countries under one name."""

from __future__ import annotations

import calendar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_writers import FORMS, LONG, SHORT, csv, dat, person

from builders.raw.countries import KEY_LENGTH, complete_name
from builders.raw.demographics import Cleaned, with_days_left
from builders.raw.demographics import cleaned as clean
from builders.raw.ipip_csv import read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.table import RawTable
from papi.instruments import instrument
from papi.tables import read_csv
from validation.raw_schemas import BLANK, MANGLED, breaches

POSSIBLE = {"sex": 1, "age": 30, "sec": 0, "min": 0, "hour": 0, "day": 1, "month": 0, "year": 100}
RANGES = {
    "sex": (1, 2),
    "age": (10, 98),
    "sec": (0, 59),
    "min": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (0, 11),
    "year": (98, 118),
}
forms = pytest.mark.parametrize("form", FORMS)


def cleaned(**changes: int) -> Cleaned:
    """One person, with some values other than possible ones."""
    of = instrument(LONG)
    numbers = {name: np.array([value], dtype=np.int32) for name, value in (POSSIBLE | changes).items()}
    found = breaches(with_days_left(numbers, of), np.ones((1, len(of.items)), dtype=np.int8), of)
    assert found.refused == []
    return clean(numbers, found.impossible, of)


def nulls(result: Cleaned) -> list[str]:
    return [name for name, column in result.fields.items() if column.isna().all()]


def read(form: str, country: str, kind: str) -> RawTable:
    somebody = [person(form, 1, country=country)]
    return (
        read_ipip_dat(dat(form, somebody), form, "f")
        if kind == "dat"
        else read_ipip_csv(csv(form, somebody), form, "f")
    )


# ranges


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_a_range_belong_to_it(name: str) -> None:
    for value in RANGES[name]:
        result = cleaned(**{name: value})
        assert (nulls(result), result.impossible, result.impossible_rows, result.blank) == ([], {}, 0, {})
        assert result.fields[name].tolist() == [value]


@pytest.mark.parametrize("name", RANGES)
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_value_outside_its_range_becomes_null_and_is_counted(name: str, data: st.DataObject) -> None:
    low, high = RANGES[name]
    outside = st.integers(high + 1, 999) | st.integers(0, low - 1) if low > 0 else st.integers(high + 1, 999)
    value = data.draw(outside.filter(lambda n: (name, n) not in {("age", 0), ("age", 99)}))
    result = cleaned(**{name: value})
    assert (nulls(result), result.impossible, result.impossible_rows, result.blank) == ([name], {name: 1}, 1, {})


@pytest.mark.parametrize("name", RANGES)
def test_a_blank_is_null_and_not_impossible(name: str) -> None:
    result = cleaned(**{name: BLANK})
    assert (nulls(result), result.impossible, result.impossible_rows, result.blank) == ([name], {}, 0, {name: 1})


@pytest.mark.parametrize("name", RANGES)
def test_what_is_no_number_is_impossible(name: str) -> None:
    assert cleaned(**{name: MANGLED}).impossible == {name: 1}


@pytest.mark.parametrize("age", [0, 99])
def test_the_ages_0_and_99_are_unknown_and_fire_nothing(age: int) -> None:
    result = cleaned(age=age)
    assert (nulls(result), result.impossible, result.impossible_rows, result.blank) == (["age"], {}, 0, {"age": 1})


def test_a_person_with_three_impossible_values_is_one_row() -> None:
    result = cleaned(sex=9, hour=24, age=5)
    assert (result.impossible, result.impossible_rows) == ({"sex": 1, "age": 1, "hour": 1}, 1)


# dates


def test_months_count_from_0() -> None:
    assert nulls(cleaned(month=0, day=31)) == []
    assert cleaned(month=12).impossible == {"month": 1}
    assert cleaned(month=1, day=31).impossible == {"day": 1}, "February, and not January"
    assert cleaned(month=11, day=31).impossible == {}


@given(day=st.integers(1, 31), month=st.integers(0, 11), year=st.integers(98, 118))
@settings(max_examples=150, deadline=None)
def test_a_day_is_possible_where_the_calendar_has_it(day: int, month: int, year: int) -> None:
    result = cleaned(day=day, month=month, year=year)
    exists = day <= calendar.monthrange(1900 + year, month + 1)[1]
    assert result.impossible == ({} if exists else {"day": 1})
    assert nulls(result) == ([] if exists else ["day"])


@pytest.mark.parametrize(("year", "possible"), [(99, False), (100, True), (101, False), (104, True)])
def test_29_february_is_a_day_of_leap_years(year: int, possible: bool) -> None:
    assert (cleaned(day=29, month=1, year=year).impossible == {}) is possible


@pytest.mark.parametrize("unknown", ["month", "year"])
@pytest.mark.parametrize("value", [BLANK, 999])
def test_of_an_unknown_date_a_day_of_the_calendar_s_longest_is_possible(unknown: str, value: int) -> None:
    assert "day" not in cleaned(**{"day": 29, "month": 1, "year": 101, unknown: value}).impossible


@pytest.mark.parametrize("day", [30, 31])
def test_30_february_is_impossible_in_an_unknown_year_too(day: int) -> None:
    assert cleaned(day=day, month=1, year=BLANK).impossible == {"day": 1}


# countries


def test_the_first_nine_characters_of_the_table_are_unique() -> None:
    names = [row["name"] for row in read_csv("builders", "countries.csv")]
    assert [name for name in names if complete_name(name) != name] == []
    assert len({name[:9].rstrip() for name in names}) == len(names)


def test_a_name_is_known_by_as_much_as_the_shorter_field_holds() -> None:
    assert KEY_LENGTH == 9


def test_every_name_of_the_table_is_the_same_from_both_cuts_and_whole() -> None:
    for row in read_csv("builders", "countries.csv"):
        whole = complete_name(row["name"])
        assert {complete_name(row["name"][:length].rstrip()) for length in (9, 11, 99)} == {whole}


def test_every_ambiguity_of_the_table_is_said() -> None:
    for row in read_csv("builders", "countries.csv"):
        assert all(also[:KEY_LENGTH] == row["name"][:KEY_LENGTH] for also in row["also"].split(";") if also)


@given(st.text("abcdefghij '-", max_size=30).map(str.strip))
@settings(max_examples=60, deadline=None)
def test_a_name_is_the_same_whatever_it_was_cut_to(name: str) -> None:
    assert complete_name(name) == complete_name(name[:11].rstrip()) == complete_name(name[:9].rstrip())
    assert complete_name(complete_name(name)) == complete_name(name)


@pytest.mark.parametrize("kind", ["dat", "csv"])
@pytest.mark.parametrize("country", ["Netherlands", "Antigua and Barbuda", "UK", "Never-Never Land"])
def test_a_country_has_one_name_in_both_forms(country: str, kind: str) -> None:
    long, short = (read(form, country, kind).people["country"].tolist() for form in (LONG, SHORT))
    assert long == short == [complete_name(country)]


@forms
@pytest.mark.parametrize("kind", ["dat", "csv"])
def test_no_country_is_null_and_counted_as_blank(form: str, kind: str) -> None:
    table = read(form, "", kind)
    assert table.people["country"].isna().all()
    assert (table.blank, table.impossible) == ({"country": 1}, {})


@forms
def test_an_unreadable_country_of_a_record_is_null_and_counted_apart(form: str) -> None:
    table = read(form, "Cura\xe7ao", "dat")
    assert table.people["country"].isna().all()
    assert (table.blank, table.impossible) == ({}, {"country": 1})


@forms
def test_an_unreadable_country_is_the_same_in_records_and_csv(form: str) -> None:
    one, other = (read(form, "Fin\x07land", kind) for kind in ("dat", "csv"))
    assert one.people.equals(other.people)
