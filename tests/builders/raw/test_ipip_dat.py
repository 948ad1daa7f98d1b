"""Fixed-width records: what was written is read, and one byte too few, too many or of a wrong kind is refused."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from raw_writers import (
    COLUMNS,
    CONVENTIONS,
    FIRST_ITEM,
    FORMS,
    LENGTH,
    LONG,
    SHORT,
    Person,
    dat,
    dat_record,
    people,
    person,
    some_people,
)

from builders.raw.countries import complete_name
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.table import RawTable
from papi.errors import InputRejected

FILE = "some.dat"
forms = pytest.mark.parametrize("form", FORMS)
few = settings(max_examples=25, deadline=None)
many = settings(max_examples=120, deadline=None)


def read(content: bytes, form: str) -> RawTable:
    return read_ipip_dat(content, form, FILE)


def refusal(content: bytes, form: str) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read(content, form)
    return caught.value


def same(one: RawTable, other: RawTable) -> bool:
    return np.array_equal(one.answers, other.answers) and one.people.equals(other.people)


def assert_holds(table: RawTable, expected: list[Person]) -> None:
    assert table.answers.tolist() == [somebody["answers"] for somebody in expected]
    for name in COLUMNS:
        assert [None if value is None else int(value) for value in _nulls(table, name)] == [p[name] for p in expected]
    assert _nulls(table, "country") == [complete_name(p["country"]) or None for p in expected]


def _nulls(table: RawTable, name: str) -> list[object]:
    column = table.people[name].astype(object)
    return column.where(column.notna(), None).tolist()


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("some.dat", content)
    return archive.getvalue()


# what is accepted


@pytest.mark.parametrize("convention", CONVENTIONS)
@forms
@given(data=st.data())
@few
def test_what_is_written_is_read_whatever_the_line_ends(form: str, convention: str, data: st.DataObject) -> None:
    expected = data.draw(people(form))
    table = read(dat(form, expected, *CONVENTIONS[convention]), form)
    assert_holds(table, expected)
    assert table.impossible_rows == 0
    assert table.impossible == {}


@forms
def test_people_need_not_stand_in_the_order_of_their_cases(form: str) -> None:
    expected = [person(form, number) for number in (5, 2, 9)]
    assert read(dat(form, expected), form).people["case"].tolist() == [5, 2, 9]


@forms
def test_the_answers_are_int8_by_column(form: str) -> None:
    answers = read(dat(form, some_people(form)), form).answers
    assert answers.dtype == np.int8
    assert answers.flags.f_contiguous


# one byte


@forms
@given(data=st.data())
@many
def test_a_lost_byte_is_refused(form: str, data: st.DataObject) -> None:
    """Of a CRLF file of two or more people, always: no other accepted layout is one byte shorter."""
    content = dat(form, some_people(form), last=data.draw(st.booleans()))
    place = data.draw(st.integers(0, len(content) - 1))
    refusal(content[:place] + content[place + 1 :], form)


@forms
@given(data=st.data())
@many
def test_an_added_byte_is_refused(form: str, data: st.DataObject) -> None:
    content = dat(form, some_people(form), last=data.draw(st.booleans()))
    place, byte = data.draw(st.integers(0, len(content))), bytes([data.draw(st.integers(0, 255))])
    refusal(content[:place] + byte + content[place:], form)


@forms
@given(data=st.data())
@many
def test_in_an_lf_file_only_the_last_line_end_may_be_lost(form: str, data: st.DataObject) -> None:
    content = dat(form, some_people(form), end="\n")
    place = data.draw(st.integers(0, len(content) - 2))
    refusal(content[:place] + content[place + 1 :], form)
    assert same(read(content[:-1], form), read(content, form))


@forms
def test_one_person_s_line_end_may_lose_its_carriage_return(form: str) -> None:
    """The limit of the theorem: a single record with CRLF is one byte from the same record with LF."""
    assert same(read(dat(form, some_people(form, 1)), form), read(dat(form, some_people(form, 1), end="\n"), form))


@forms
@given(data=st.data())
@many
def test_a_replaced_byte_is_refused_or_changes_one_value_of_one_person(form: str, data: st.DataObject) -> None:
    content = dat(form, some_people(form))
    place, byte = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 255))
    damaged = content[:place] + bytes([byte]) + content[place + 1 :]
    assume(damaged != content)
    row, column = divmod(place, LENGTH[form] + 2)
    try:
        table = read(damaged, form)
    except InputRejected:
        return
    assert column < LENGTH[form], "a damaged line end was read"
    before, others = read(content, form), [i for i in range(3) if i != row]
    assert (table.answers != before.answers).sum() == int(column >= FIRST_ITEM[form] - 1)
    for name in before.people:
        assert table.people[name].iloc[others].tolist() == before.people[name].iloc[others].tolist()


# places


@forms
@given(data=st.data())
@few
def test_an_answer_outside_0_to_5_is_placed_by_line_byte_and_column(form: str, data: st.DataObject) -> None:
    end, last = CONVENTIONS[data.draw(st.sampled_from(sorted(CONVENTIONS)))]
    content = dat(form, some_people(form, 4), end, last)
    row, column = data.draw(st.integers(0, 3)), data.draw(st.integers(FIRST_ITEM[form], LENGTH[form]))
    wrong = data.draw(st.sampled_from(sorted(set(range(256)) - set(b"012345\r\n"))))
    place = row * (LENGTH[form] + len(end)) + column - 1
    error = refusal(content[:place] + bytes([wrong]) + content[place + 1 :], form)
    found = error.places[0]
    assert (found.file, found.line, found.byte, found.column) == (FILE, row + 1, place, column)
    assert found.got == repr(chr(wrong))
    assert error.total == 1


def test_twenty_places_are_shown_and_all_are_counted() -> None:
    error = refusal(dat(SHORT, some_people(SHORT, 1, answers=[7] * 120)), SHORT)
    assert (len(error.places), error.total) == (20, 120)
    assert "100 more" in str(error)


@forms
def test_a_record_of_a_wrong_length_is_placed(form: str) -> None:
    records = [dat_record(form, somebody) for somebody in some_people(form)]
    error = refusal("\r\n".join([records[0], records[1][:-3], records[2]]).encode(), form)
    assert [(p.line, p.byte, p.got) for p in error.places] == [(2, LENGTH[form] + 2, str(LENGTH[form] - 3))]


@forms
@pytest.mark.parametrize("case", [" " * 6, "12x456", "1 3456"])
def test_a_person_without_a_case_number_is_refused(form: str, case: str) -> None:
    record = dat_record(form, person(form))
    error = refusal((record + "\r\n" + case + record[6:]).encode(), form)
    assert (error.places[0].line, error.places[0].byte, error.places[0].column) == (2, LENGTH[form] + 2, 1)
    assert error.places[0].got == repr(case)


# what is something else


@forms
def test_a_copy_from_before_2018_is_named(form: str) -> None:
    old = "".join(f"  {dat_record(form, somebody)}\r\n" for somebody in some_people(form)).encode()
    assert "before 2018" in str(refusal(old, form))


@pytest.mark.parametrize(("form", "other"), [(LONG, SHORT), (SHORT, LONG)])
def test_the_other_form_is_named(form: str, other: str) -> None:
    assert other in str(refusal(dat(other, some_people(other)), form))


@forms
def test_an_old_copy_of_the_other_form_is_refused_too(form: str) -> None:
    other = SHORT if form == LONG else LONG
    refusal("".join(f"  {dat_record(other, person(other))}\r\n" for _ in range(3)).encode(), form)


@forms
@pytest.mark.parametrize("rest", [1, 2, 40])
def test_a_truncated_file_is_refused(form: str, rest: int) -> None:
    refusal(dat(form, some_people(form))[: -rest - 2], form)


@forms
def test_a_file_of_mixed_line_ends_is_refused(form: str) -> None:
    records = [dat_record(form, somebody) for somebody in some_people(form)]
    assert "mixes line ends" in str(refusal(f"{records[0]}\r\n{records[1]}\n{records[2]}\r\n".encode(), form))


FOREIGN = {
    "empty": (lambda content: b"", "is empty"),
    "UTF-8 with BOM": (lambda content: b"\xef\xbb\xbf" + content, "byte order mark"),
    "UTF-16": (lambda content: content.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 big-endian": (lambda content: b"\xfe\xff" + content.decode().encode("utf-16-be"), "UTF-16"),
    "UTF-16 without BOM": (lambda content: content.decode().encode("utf-16-le"), "wrong length"),
    "gzip": (lambda content: gzip.compress(content), "gzip"),
    "zip": (zipped, "zip archive"),
    "a page": (lambda content: b"\n <!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
    "blank lines": (lambda content: b"\r\n" * 5, "wrong length"),
    "CR only": (lambda content: content.replace(b"\r\n", b"\r"), "wrong length"),
    "NUL bytes": (lambda content: b"\0" * len(content), "wrong length"),
}


@forms
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_record_file_is_refused_by_what_it_is(form: str, kind: str) -> None:
    turn, said = FOREIGN[kind]
    assert said in str(refusal(turn(dat(form, some_people(form))), form))
