"""The CSVs: the same people as the records, through every liberty a copy may take, and nothing that was edited."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from raw_writers import CONVENTIONS, FORMS, SHORT, csv, csv_header, dat, people, person, some_people

from builders.raw import csv_cells
from builders.raw.ipip_csv import csv_columns, read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.table import RawTable
from papi.errors import InputRejected, PapiError

FILE = "some.csv"
forms = pytest.mark.parametrize("form", FORMS)
few = settings(max_examples=15, deadline=None)
LIBERTIES = {"end": st.sampled_from(["\n", "\r\n"])} | dict.fromkeys(
    ("bom", "index", "capitals", "floats"), st.booleans()
)


def read(content: bytes, form: str = SHORT) -> RawTable:
    return read_ipip_csv(content, form, FILE)


def refusal(content: bytes, form: str = SHORT) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read(content, form)
    return caught.value


def assert_same(one: RawTable, other: RawTable) -> None:
    assert np.array_equal(one.answers, other.answers)
    pd.testing.assert_frame_equal(one.people, other.people)
    assert (one.impossible, one.impossible_rows, one.blank) == (other.impossible, other.impossible_rows, other.blank)


def with_cell(name: str, text: str, form: str = SHORT, row: int = 1) -> bytes:
    """Three people's CSV with one cell replaced by `text` as it stands."""
    lines = csv(form, some_people(form)).decode().split("\n")
    cells = lines[row + 1].split(",")
    cells[csv_header(form).index(name)] = text
    return "\n".join([*lines[: row + 1], ",".join(cells), *lines[row + 2 :]]).encode()


# what is accepted


@forms
@given(data=st.data())
@few
def test_records_and_csv_of_the_same_people_are_one_table(form: str, data: st.DataObject) -> None:
    expected = data.draw(people(form))
    convention = CONVENTIONS[data.draw(st.sampled_from(sorted(CONVENTIONS)))]
    table = read(csv(form, expected, **data.draw(st.fixed_dictionaries(LIBERTIES))), form)
    assert_same(table, read_ipip_dat(dat(form, expected, *convention), form, "some.dat"))


@forms
def test_impossible_and_unknown_values_are_counted_as_in_the_records(form: str) -> None:
    odd = [person(form, 1, sex=3), person(form, 2, age=0), person(form, 3, age=99, hour=24, country="")]
    odd += [person(form, 4, day=31, month=1), person(form, 5, sex=None), person(form, 6, year=19, sec=60)]
    table = read(csv(form, odd), form)
    assert_same(table, read_ipip_dat(dat(form, odd), form, "some.dat"))
    assert table.impossible == {"sex": 1, "sec": 1, "hour": 1, "day": 1, "year": 1}
    assert (table.impossible_rows, table.blank) == (4, {"age": 2, "sex": 1, "country": 1})


def test_an_index_column_may_be_called_as_pandas_calls_it() -> None:
    content = csv(SHORT, some_people(SHORT), index=True)
    assert_same(read(b"Unnamed: 0" + content), read(content))


def test_a_quoted_country_may_hold_a_comma() -> None:
    assert read(with_cell("country", '"Oz, Land"')).people["country"].tolist()[1] == "Oz, Land"


def test_the_country_na_is_a_text() -> None:
    table = read(csv(SHORT, [person(SHORT, 1, country="NA"), person(SHORT, 2, country="")]))
    assert table.people["country"].astype(object).where(table.people["country"].notna(), None).tolist() == ["NA", None]
    assert table.blank["country"] == 1


def test_the_header_is_that_of_the_documentation() -> None:
    for form in FORMS:
        assert list(csv_columns(form)) == csv_header(form)


@pytest.mark.parametrize("block", [2_000, 5_000])
def test_the_size_of_the_blocks_makes_no_difference(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content, damaged = (
        csv(SHORT, some_people(SHORT, 60)),
        csv(SHORT, [*some_people(SHORT, 60), person(SHORT, 61, sex="x")]),
    )
    whole, place = read(content), refusal(damaged).places
    longer = content + content.split(b"\n")[1] + b",1\n"
    wrong = refusal(longer).places
    monkeypatch.setattr(csv_cells, "BLOCK_BYTES", block)
    assert_same(read(content), whole)
    assert refusal(damaged).places == place
    assert refusal(longer).places == wrong
    assert (place[0].line, wrong[0].line) == (62, 62)


# cells


@pytest.mark.parametrize(
    "text", ["3.5", "2.9999", "3.", ".3", "1e0", "6", "-1", "+3", " 3", "3 ", "", "nan", "NA", "#REF!", "1/3"]
)
def test_an_answer_that_is_no_whole_number_0_to_5_is_refused_with_its_place(text: str) -> None:
    content = with_cell("i7", text)
    place = refusal(content).places[0]
    assert (place.line, place.column, place.got) == (3, "i7", repr(text))
    assert content[place.byte :].startswith(text.encode() + b",")
    assert content[: place.byte].count(b"\n") == 2


@pytest.mark.parametrize("text", ["3.5", "1e3", "x", "-3", "03-Apr", "1,000"])
@pytest.mark.parametrize("name", ["case", "age", "year"])
def test_a_mangled_number_is_refused(name: str, text: str) -> None:
    refusal(with_cell(name, f'"{text}"' if "," in text else text))


def test_a_person_without_a_case_is_refused() -> None:
    assert refusal(with_cell("case", "")).places[0].expected == "a case number"


def test_a_demographic_may_be_blank() -> None:
    assert read(with_cell("age", "")).blank == {"age": 1}


def test_every_wrong_cell_is_counted_and_twenty_are_shown() -> None:
    error = refusal(csv(SHORT, [person(SHORT, 1, answers=[9] * 120)]))
    assert (len(error.places), error.total) == (20, 120)


@pytest.mark.parametrize("name", ["i7", "age"])
def test_digits_of_another_script_are_refused(name: str) -> None:
    refusal(with_cell(name, "\u0663"))


def test_a_place_counts_the_byte_order_mark() -> None:
    content = b"\xef\xbb\xbf" + with_cell("i7", "9")
    assert content[refusal(content).places[0].byte :].startswith(b"9,")


def test_a_place_after_a_quoted_comma_is_right() -> None:
    content = with_cell("i7", "9").replace(b"Netherlands", b'"Oz, Land"')
    assert content[refusal(content).places[0].byte :].startswith(b"9,")


# lines and columns


@forms
@pytest.mark.parametrize("change", [lambda row: row[:-1], lambda row: [*row, "3"], lambda row: ["0", *row]])
def test_a_row_with_another_number_of_fields_is_refused_with_its_line(form: str, change: object) -> None:
    lines = csv(form, some_people(form)).decode().split("\n")
    lines[2] = ",".join(change(lines[2].split(",")))  # type: ignore[operator]
    assert [place.line for place in refusal("\n".join(lines).encode(), form).places] == [3]


def test_one_field_too_many_in_every_row_is_refused_and_nothing_is_shifted() -> None:
    lines = csv(SHORT, some_people(SHORT)).decode().splitlines()
    assert refusal("\n".join([lines[0], *(f"0,{line}" for line in lines[1:])]).encode()).total == 3


HEADERS = {
    "a column is missing": lambda names: names[:-1],
    "a column is doubled": lambda names: [*names, names[-1]],
    "two columns changed places": lambda names: [*names[:20], names[21], names[20], *names[22:]],
    "the columns stand in the order of words": lambda names: names[:10] + sorted(names[10:]),
    "the index column has a name": lambda names: ["id", *names],
    "there are two index columns": lambda names: ["", "", *names],
    "there is none": lambda names: ["1"] * len(names),
}


@forms
@pytest.mark.parametrize("change", HEADERS)
def test_another_header_is_refused(form: str, change: str) -> None:
    rows = [HEADERS[change](line.split(",")) for line in csv(form, some_people(form)).decode().splitlines()]
    assert "has not the columns" in str(refusal("\n".join(map(",".join, rows)).encode(), form))


@pytest.mark.parametrize(("form", "other"), [FORMS, FORMS[::-1]])
def test_the_other_form_is_refused(form: str, other: str) -> None:
    refusal(csv(other, some_people(other)), form)


FOREIGN = {
    "empty": (lambda c: b"", "is empty"),
    "a page": (lambda c: b"<html></html>", "web page"),
    "UTF-16": (lambda c: c.decode().encode("utf-16"), "UTF-16"),
    "gzip": (gzip.compress, "gzip"),
    "semicolons": (lambda c: c.replace(b",", b";"), "has not the columns"),
    "Latin-1": (lambda c: c.replace(b"Netherlands", b"Cura\xe7ao"), "not UTF-8"),
    "an open quotation": (lambda c: c.replace(b"Netherlands", b'"Netherlands'), "number of fields"),
    "the header alone, open": (lambda c: c.split(b"\n")[0], "cannot be read"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_csv_is_refused_by_what_it_is(kind: str) -> None:
    turn, said = FOREIGN[kind]
    assert said in str(refusal(turn(csv(SHORT, some_people(SHORT)))))


def test_a_header_without_people_is_refused() -> None:
    refusal(csv(SHORT, []))


@pytest.mark.parametrize(
    "content", [csv(SHORT, some_people(SHORT), end="\r"), b"a" * 200_000], ids=["CR only", "one long word"]
)
def test_a_header_that_is_no_line_is_refused(content: bytes) -> None:
    refusal(content)


def test_a_wrong_row_with_a_foreign_byte_is_refused_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    refusal(csv(SHORT, some_people(SHORT)).replace(b"Netherlands,", b"Cura\xe7ao"))
    assert not seen


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see the test above
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_replaced_byte_raises_nothing_but_our_errors(data: st.DataObject) -> None:
    content = csv(SHORT, some_people(SHORT, 2))
    place, byte = data.draw(st.integers(0, len(content) - 1)), bytes([data.draw(st.integers(0, 255))])
    assume(byte != b"\r" or place > content.index(b"\n"))  # see the test of a header that is no line
    try:
        table = read(content[:place] + byte + content[place + 1 :])
    except PapiError:
        return
    assert (table.answers != read(content).answers).sum() <= 1
