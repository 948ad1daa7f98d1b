"""The Short Dark Triad's data.csv: answers as given, Namibia, and the refusals."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_writers import SD3_NAMES, sd3

from builders.raw.files import find_raw_files
from builders.raw.sd3_data import data_columns, read_sd3_data
from builders.raw.table import RawTable
from papi.errors import InputRejected, PapiError

FILE = "data.csv"
ANSWERS = [i % 5 + 1 for i in range(27)]
ROWS = [(ANSWERS, "NA", 1), (ANSWERS[::-1], "", 2), ([0] * 27, "US", 3)]


def read(content: bytes) -> RawTable:
    return read_sd3_data(content, FILE)


def refusal(content: bytes) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read(content)
    return caught.value


def plain(table: RawTable, name: str) -> list[object]:
    column = table.people[name].astype(object)
    return column.where(column.notna(), None).tolist()


# what is accepted


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 2**32).map(lambda seed: random.Random(seed).choices(range(6), k=27)),
            st.sampled_from(["", "NA", "US", "GB", "A1"]),
            st.sampled_from(["", 1, 2, 3]),
        ),
        min_size=1,
        max_size=8,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    cut=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read(rows: list[tuple[list[int], str, object]], end: str, bom: bool, cut: bool) -> None:
    content = b"\xef\xbb\xbf" * bom + sd3(rows, end)
    table = read(content.removesuffix(end.encode()) if cut else content)
    assert table.answers.tolist() == [answers for answers, _, _ in rows]
    assert plain(table, "country") == [country or None for _, country, _ in rows]
    assert plain(table, "source") == [source or None for _, _, source in rows]
    blank = {name: plain(table, name).count(None) for name in ("country", "source")}
    assert table.blank == {name: count for name, count in blank.items() if count}


def test_namibia_is_a_country_and_an_empty_cell_is_none() -> None:
    assert plain(read(sd3(ROWS)), "country") == ["NA", None, "US"]


def test_answers_are_left_as_given() -> None:
    """N2, N6, N8, P2 and P7 are keyed negatively, and stored as answered."""
    assert read(sd3([([5] * 27, "US", 1)])).answers.tolist() == [[5] * 27]


def test_the_header_is_that_of_the_documentation() -> None:
    assert list(data_columns()) == [*SD3_NAMES, "country", "source"]


# what is refused


@pytest.mark.parametrize("text", ["6", "-1", "3.0", "", " 3", "x", "33", '"3"'])
def test_an_answer_that_is_no_digit_0_to_5_is_refused_with_its_place(text: str) -> None:
    wrong = [*ANSWERS[:12], text, *ANSWERS[13:]]
    content = sd3([ROWS[0], (wrong, "US", 1), ROWS[1]])
    place = refusal(content).places[0]
    assert (place.line, place.column, place.got) == (3, "N4", repr(text))
    assert content[place.byte :].startswith(text.encode() + b"\t")
    assert content[: place.byte].count(b"\n") == 2


@pytest.mark.parametrize("country", ["us", "USA", "U", "Finland", " US", "1A"])
def test_another_country_than_two_capitals_is_refused(country: str) -> None:
    place = refusal(sd3([*ROWS, (ANSWERS, country, 1)])).places[0]
    assert (place.line, place.column, place.got) == (5, "country", repr(country))


@pytest.mark.parametrize("source", ["4", "9", "x", "1.0", "12"])
def test_another_source_is_refused(source: str) -> None:
    assert refusal(sd3([(ANSWERS, "US", source)])).places[0].column == "source"


def test_digits_of_another_script_are_refused() -> None:
    refusal(sd3([(["\u0663"] * 27, "US", 1)]))


def test_a_header_without_people_is_refused() -> None:
    refusal(sd3([]))


DAMAGE = {
    "commas": (lambda c: c.replace(b"\t", b","), "has not the columns"),
    "a column less": (lambda c: c.replace(b"\tP9", b""), "has not the columns"),
    "columns moved": (lambda c: c.replace(b"M1\tM2", b"M2\tM1"), "has not the columns"),
    "capitals lost": (lambda c: c.lower(), "has not the columns"),
    "a field too many": (lambda c: c.replace(b"US\t3", b"US\t3\t"), "number of fields"),
    "a field too few": (lambda c: c.replace(b"US\t3", b"US"), "number of fields"),
    "an empty line": (lambda c: c + b"\n", "cells that cannot be read"),
    "empty": (lambda c: b"", "is empty"),
    "a page": (lambda c: b"<!doctype html>", "web page"),
    "UTF-16": (lambda c: c.decode().encode("utf-16"), "UTF-16"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_refused_by_what_is_wrong(kind: str) -> None:
    turn, said = DAMAGE[kind]
    assert said in str(refusal(turn(sd3(ROWS))))


def test_one_field_too_many_in_every_row_is_refused_and_nothing_is_shifted() -> None:
    lines = sd3(ROWS).decode().splitlines()
    assert refusal("\n".join([lines[0], *(f"0\t{line}" for line in lines[1:])]).encode()).total == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see test_ipip_csv
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_replaced_byte_raises_nothing_but_our_errors(data: st.DataObject) -> None:
    content = sd3(ROWS)
    place, byte = data.draw(st.integers(0, len(content) - 1)), bytes([data.draw(st.integers(0, 255))])
    try:
        table = read(content[:place] + byte + content[place + 1 :])
    except PapiError:
        return
    assert (table.answers != read(content).answers).sum() <= 1


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_lost_byte_changes_no_answer(data: st.DataObject) -> None:
    """Where it is not refused, it was the last line end, or made a country or a source empty."""
    content = sd3(ROWS)
    place = data.draw(st.integers(0, len(content) - 1))
    try:
        table = read(content[:place] + content[place + 1 :])
    except PapiError:
        return
    assert np.array_equal(table.answers, read(content).answers)


# the real file


def test_the_real_people_are_counted_as_documented(real_data: Path) -> None:
    table = read((real_data / "raw/sd3/data.csv").read_bytes())
    missing = table.answers == 0
    assert len(table) == 18_192
    assert (missing.sum(), missing.any(axis=1).sum(), missing.all(axis=1).sum()) == (748, 452, 6)
    assert (plain(table, "country").count("NA"), plain(table, "country").count(None)) == (1, 1)
    assert set(plain(table, "source")) <= {1, 2, 3, None}
    assert table.impossible_rows == 0


def test_the_real_archive_holds_the_real_folder(real_data: Path) -> None:
    found = find_raw_files(real_data / "raw").of_kind("dark-triad-data")
    assert sorted(file.label for file in found) == ["SD3.zip:SD3/data.csv", "sd3/data.csv"]
    packed, loose = (read(file.content()) for file in found)
    assert np.array_equal(packed.answers, loose.answers)
    assert packed.people.equals(loose.people)
