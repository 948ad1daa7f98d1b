"""Damaged bytes of raw files: refused with the place, or no more than one field is other than it was."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fault_table import FaultTable
from outcomes import FORM_FILES, assert_build_refused, offsets, papi, refusal

from builders.raw.files import is_pinned
from builders.raw.ipip_dat import read_ipip_dat, record_length
from builders.raw.sd3_data import read_sd3_data
from builders.raw.table import RawTable
from papi.instruments import IPIP_120, IPIP_300

DATE = {"day", "month", "year"}  # a day may be impossible because its month changed
forms = pytest.mark.parametrize("form", FORM_FILES)
cases = pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.faults)])
flips = pytest.mark.parametrize("count", [50, pytest.param(1_000, marks=pytest.mark.faults)])


def changed_fields(one: RawTable, other: RawTable) -> tuple[int, set[str]]:
    """How many answers differ, and the other columns that do."""
    columns = {
        str(name)
        for name in one.people
        if not one.people[name].astype(object).equals(other.people[name].astype(object))
    }
    return int((one.answers != other.answers).sum()), columns


def people_of(one: RawTable, other: RawTable) -> set[int]:
    """The rows in which two tables differ in anything but answers."""
    texts = [table.people.astype(object).where(table.people.notna(), "null").to_numpy() for table in (one, other)]
    return set(np.flatnonzero((texts[0] != texts[1]).any(axis=1)).tolist())


# whole files that are something else


CONTENTS = {
    "an HTML page": (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
    "an empty file": (b"", "empty"),
    "gzip bytes": (b"\x1f\x8b\x08\x00rest", "gzip"),
    "zip bytes": (b"PK\x03\x04rest", "zip"),
    "UTF-16": ("1234".encode("utf-16"), "UTF-16"),
    "a byte order mark": (b"\xef\xbb\xbf1234", "byte order mark"),
}


@forms
@pytest.mark.parametrize("kind", CONTENTS)
def test_something_else_under_the_name_of_a_dat(
    raw: Path, form: str, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    content, words = CONTENTS[kind]
    (raw / FORM_FILES[form]).write_bytes(content)
    with faults.case("raw: another content in place of a .dat"):
        assert_build_refused(raw, 3, words, capsys, "--only", form)


def test_the_file_of_the_other_form(raw: Path, faults: FaultTable, capsys: pytest.CaptureFixture[str]) -> None:
    names = list(FORM_FILES.values())
    swapped = [(raw / name).read_bytes() for name in names]
    for name, content in zip(names, swapped[::-1], strict=True):
        (raw / name).write_bytes(content)
    for form, other in ((IPIP_300, IPIP_120), (IPIP_120, IPIP_300)):
        with faults.case("raw: the other form's file"):
            assert_build_refused(raw, 3, other, capsys, "--only", form)


@forms
def test_a_copy_from_before_2018(raw: Path, form: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]) -> None:
    path = raw / FORM_FILES[form]
    ends = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join(b"  " + line if line else line for line in ends))
    with faults.case("raw: the pre-2018 copy with two leading blanks"):
        assert_build_refused(raw, 3, "2018", capsys, "--only", form)


@forms
def test_line_ends_do_not_matter(raw: Path, form: str, faults: FaultTable) -> None:
    content = (raw / FORM_FILES[form]).read_bytes().removesuffix(b"\r\n")
    clean = read_ipip_dat(content, form, "f")
    for other in (content + b"\r\n", content.replace(b"\r\n", b"\n"), content.replace(b"\r\n", b"\n") + b"\n"):
        with faults.case("raw: line ends with and without the last, CRLF and LF"):
            table = read_ipip_dat(other, form, "f")
            assert (table.answers == clean.answers).all()
            pd.testing.assert_frame_equal(table.people, clean.people)


@pytest.mark.parametrize("what", ["missing", "a directory"])
def test_a_file_that_is_not_there(raw: Path, what: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]) -> None:
    (raw / "IPIP300.dat").unlink()
    if what == "a directory":
        (raw / "IPIP300.dat").mkdir()
    with faults.case("raw: missing file or a directory in its place"):
        assert_build_refused(raw, 3, "lack", capsys, "--only", IPIP_300)


def test_unknown_hashes_are_refused_on_request(
    raw: Path, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    with faults.case("raw: --require-pinned"):
        assert_build_refused(raw, 3, "not a known file", capsys, "--only", IPIP_300, "--require-pinned")


# damage at random places


@forms
@cases
def test_truncated_anywhere(raw: Path, form: str, count: int, faults: FaultTable) -> None:
    content = (raw / FORM_FILES[form]).read_bytes()
    clean = read_ipip_dat(content, form, "f")
    for offset in offsets(content, count, 1):
        with faults.case("raw: a .dat truncated at a random offset"):
            error = refusal(partial(read_ipip_dat, form=form, file="f"), content[:offset])
            step = record_length(form) + 2
            if error is None:  # between two records: fewer people, each as they were; only the hash sees it
                assert offset % step in (0, step - 2)
                table = read_ipip_dat(content[:offset], form, "f")
                assert (table.answers == clean.answers[: len(table)]).all()
                assert not is_pinned(content[:offset])
            else:
                assert error.exit_code == 3


@forms
@cases
@pytest.mark.parametrize("way", ["deleted", "inserted"])
def test_one_byte_too_few_or_too_many(raw: Path, form: str, count: int, way: str, faults: FaultTable) -> None:
    content = (raw / FORM_FILES[form]).read_bytes()
    for offset in offsets(content, count, 2):
        damaged = content[:offset] + (b"3" if way == "inserted" else b"") + content[offset + (way == "deleted") :]
        with faults.case(f"raw: one byte {way} in a .dat"):
            error = refusal(partial(read_ipip_dat, form=form, file="f"), damaged)
            assert error is not None
            line = content.count(b"\n", 0, offset) + 1
            assert any(abs((place.line or 0) - line) <= 1 for place in error.places), error


@forms
@flips
def test_one_bit_other_changes_one_field_at_most(raw: Path, form: str, count: int, faults: FaultTable) -> None:
    content = (raw / FORM_FILES[form]).read_bytes()
    clean = read_ipip_dat(content, form, "f")
    for n, offset in enumerate(offsets(content, count, 3)):
        damaged = content[:offset] + bytes([content[offset] ^ 1 << n % 8]) + content[offset + 1 :]
        with faults.case("raw: one bit flipped in a .dat"):
            if refusal(partial(read_ipip_dat, form=form, file="f"), damaged) is None:
                table = read_ipip_dat(damaged, form, "f")
                answers, columns = changed_fields(clean, table)
                assert answers + len(columns - DATE) + bool(columns & DATE) <= 1
                assert people_of(clean, table) <= {offset // (record_length(form) + 2)}
                assert not is_pinned(damaged)


@cases
def test_the_dark_triad_truncated_anywhere(raw: Path, count: int, faults: FaultTable) -> None:
    content = zipfile.ZipFile(io.BytesIO((raw / "SD3.zip").read_bytes())).read("SD3/data.csv")
    clean = read_sd3_data(content, "f")
    for offset in offsets(content, count, 4):
        with faults.case("SD3: data.csv truncated at a random offset"):
            error = refusal(partial(read_sd3_data, file="f"), content[:offset])
            if error is None:  # at the end of a line: all that is read is as it was, but for the last person's source
                table = read_sd3_data(content[:offset], "f")
                assert (table.answers == clean.answers[: len(table)]).all()
                country = table.people["country"].astype(object)
                assert country.equals(clean.people["country"].astype(object)[: len(table)])


@cases
def test_a_damaged_zip_archive_is_refused_or_the_same(raw: Path, count: int, faults: FaultTable) -> None:
    content = (raw / "SD3.zip").read_bytes()
    whole = papi("validate", raw / "SD3.zip")
    assert whole == 0
    for n, offset in enumerate(offsets(content, count // 10, 5)):
        damaged = content[:offset] if n % 2 else content[:offset] + b"\xff" + content[offset + 1 :]
        (raw / "SD3.zip").write_bytes(damaged)
        with faults.case("SD3: the archive truncated or a byte of it changed"):
            assert papi("validate", raw / "SD3.zip") in (0, 3)
