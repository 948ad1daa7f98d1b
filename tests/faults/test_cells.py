"""Edited tables: the Dark Triad's data.csv, the PAPI CSVs and the item key, each fault refused with its exit code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlrd
import xlwt
from fault_table import FaultTable
from outcomes import FORM_FILES, assert_build_refused, papi

import papi as library
from builders.export_csv import export_papi_csv
from builders.options import BuildOptions
from builders.raw.ipip_csv import read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.release import build_release
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300

Lines = list[bytes]
Edit = Callable[[Lines], Lines]


def on_line(number: int, edit: Callable[[bytes], bytes]) -> Edit:
    return lambda lines: [edit(line) if i == number else line for i, line in enumerate(lines)]


def cell(line: int, index: int, value: bytes, delimiter: bytes) -> Edit:
    def replaced(text: bytes) -> bytes:
        cells = text.split(delimiter)
        cells[index] = value
        return delimiter.join(cells)

    return on_line(line, replaced)


def everywhere(edit: Callable[[bytes], bytes]) -> Edit:
    return lambda lines: [edit(line) for line in lines]


def swap_header(line: bytes) -> bytes:
    return line.replace(b"M1", b"M0").replace(b"M2", b"M1").replace(b"M0", b"M2")


SD3 = {
    "comma instead of TAB": (everywhere(lambda line: line.replace(b"\t", b",")), "columns"),
    "an extra field in one line": (on_line(9, lambda line: line + b"\t1"), "line 10"),
    "a missing field in one line": (on_line(9, lambda line: line.rpartition(b"\t")[0]), "line 10"),
    "an extra field in all lines": (lambda lines: [lines[0], *(b"1\t" + line for line in lines[1:])], "29 fields"),
    "a missing field in all lines": (
        lambda lines: [lines[0], *(line.partition(b"\t")[2] for line in lines[1:])],
        "29 fields",
    ),
    "a doubled name in the header": (on_line(0, lambda line: line.replace(b"M2", b"M1")), "columns"),
    "a reordered header": (on_line(0, swap_header), "columns"),
    "a stray quote": (cell(9, 3, b'"3', b"\t"), "column M4"),
    "4.5": (cell(9, 3, b"4.5", b"\t"), "line 10"),
    "1e0": (cell(9, 3, b"1e0", b"\t"), "column M4"),
    "a blank before the digit": (cell(9, 3, b" 4", b"\t"), "' 4'"),
    "6": (cell(9, 3, b"6", b"\t"), "got '6'"),
    "-1": (cell(9, 3, b"-1", b"\t"), "got '-1'"),
    "nothing in place of an answer": (cell(9, 3, b"", b"\t"), "column M4"),
    "a source of 4": (cell(9, 28, b"4", b"\t"), "column source"),
    "a country in small letters": (cell(9, 27, b"us", b"\t"), "column country"),
}
CSV = {
    "a float that is not whole": (cell(9, 30, b"3.5", b","), "got '3.5'"),
    "a number that a spreadsheet mangled": (cell(9, 30, b"3E+00", b","), "got '3E+00'"),
    "a date that a spreadsheet made": (cell(9, 0, b"1-Feb", b","), "column case"),
    "a decimal comma": (cell(9, 30, b'"3,0"', b","), "line 10"),
    "an answer of 6": (cell(9, 30, b"6", b","), "got '6'"),
    "nothing in place of an answer": (cell(9, 30, b"", b","), "line 10"),
    "an extra field in one line": (on_line(9, lambda line: line + b",1"), "line 10"),
    "an extra field in all lines": (lambda lines: [lines[0], *(line + b",1" for line in lines[1:])], "131"),
    "a column less": (everywhere(lambda line: line.rpartition(b",")[0]), "columns"),
    "columns in the order i1, i10, i100": (on_line(0, lambda line: b",".join(sorted(line.split(b",")))), "columns"),
}
CSV_ACCEPTED: dict[str, Edit] = {
    "an index column": lambda lines: [b"," + lines[0], *(b"%d,%s" % (i, line) for i, line in enumerate(lines[1:]))],
    "floats that are whole": everywhere(lambda line: line.replace(b",3,", b",3.0,").replace(b",1,", b",1.00,")),
    "CRLF": everywhere(lambda line: line + b"\r"),
    "a byte order mark": on_line(0, lambda line: b"\xef\xbb\xbf" + line),
    "capitals in the header": on_line(0, lambda line: line.upper()),
}


def edited(content: bytes, edit: Edit) -> bytes:
    return b"\n".join(edit(content.removesuffix(b"\n").split(b"\n"))) + b"\n"


def data_of(archive: Path) -> bytes:
    return zipfile.ZipFile(io.BytesIO(archive.read_bytes())).read("SD3/data.csv")


def unpack(raw: Path, edit: Edit) -> None:
    """Put the Dark Triad's two files, one of them edited, in place of the archive."""
    archive = zipfile.ZipFile(io.BytesIO((raw / "SD3.zip").read_bytes()))
    (raw / "data.csv").write_bytes(edited(archive.read("SD3/data.csv"), edit))
    (raw / "codebook.txt").write_bytes(archive.read("SD3/codebook.txt"))
    (raw / "SD3.zip").unlink()


@pytest.mark.parametrize("kind", SD3)
def test_an_edited_dark_triad_is_refused(
    raw: Path, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, words = SD3[kind]
    unpack(raw, edit)
    with faults.case("SD3: edited cells, fields or header"):
        assert_build_refused(raw, 3, words, capsys, "--only", DARK_TRIAD)


def test_namibia_and_no_country_stay_apart(raw: Path, faults: FaultTable) -> None:
    unpack(raw, lambda lines: cell(1, 27, b"NA", b"\t")(cell(2, 27, b"", b"\t")(lines)))
    namibia = sum(line.split("\t")[27] == "NA" for line in (raw / "data.csv").read_text().splitlines()[1:])
    with faults.case("SD3: NA and the empty country"):
        out = raw.parent / "release"
        assert papi("build", raw, out, "--only", DARK_TRIAD, "--min-country", "1", "--no-figures") == 0
        countries = [str(value) for frame in library.load(out, DARK_TRIAD).values() for value in frame["country"]]
        assert countries.count("NA") == namibia >= 1
        assert countries.count("<NA>") >= 1


@pytest.fixture(scope="module")
def csv(release: Path, simulated_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("csv") / "csv"
    export_papi_csv(release, simulated_raw, out, with_subject_id=False)
    return (out / "IPIP_NEO_120.csv").read_bytes().replace(b'"', b"")


@pytest.mark.parametrize("kind", CSV)
def test_an_edited_csv_is_refused(
    simulated_raw: Path, tmp_path: Path, csv: bytes, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, words = CSV[kind]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "IPIP_NEO_120.csv").write_bytes(edited(csv, edit))
    (tmp_path / "raw" / "key.xls").write_bytes((simulated_raw / "IPIP-NEO-ItemKey.xls").read_bytes())
    with faults.case("CSV: edited cells, fields or header"):
        assert_build_refused(tmp_path / "raw", 3, words, capsys, "--only", IPIP_120)


@pytest.mark.parametrize("kind", CSV_ACCEPTED)
def test_what_programs_do_to_a_csv_without_harm_is_accepted(
    simulated_raw: Path, csv: bytes, kind: str, faults: FaultTable
) -> None:
    original = read_ipip_dat((simulated_raw / "IPIP120.dat").read_bytes(), IPIP_120, "f")
    with faults.case("CSV: index column, whole floats, CRLF, BOM, capitals"):
        table = read_ipip_csv(edited(csv, CSV_ACCEPTED[kind]), IPIP_120, "f")
        assert (table.answers == original.answers).all()
        assert (table.people["case"] == original.people["case"]).all()


# the item key

Rows = list[list[object]]


def swap_texts(rows: Rows) -> Rows:
    rows[5][5], rows[9][5] = rows[9][5], rows[5][5]
    return rows


def change_sign(rows: Rows) -> Rows:
    rows[5][2] = str(rows[5][2]).translate(str.maketrans("+-", "-+"))
    return rows


KEY: dict[str, Callable[[Rows], Rows]] = {
    "a missing row": lambda rows: rows[:5] + rows[6:],
    "a doubled Full#": lambda rows: [*rows[:6], [rows[5][0], *rows[6][1:]], *rows[7:]],
    "a changed sign": change_sign,
    "a swapped pair of texts": swap_texts,
    "a changed word": lambda rows: [*rows[:5], [*rows[5][:5], f"{rows[5][5]} really"], *rows[6:]],
}


def rewrite_key(path: Path, edit: Callable[[Rows], Rows]) -> str:
    """Edit the sheet; gives the number of the first item concerned."""
    sheet = xlrd.open_workbook(file_contents=path.read_bytes()).sheet_by_index(0)
    rows = [sheet.row_values(i) for i in range(sheet.nrows)]
    number = str(int(rows[5][0]))
    book = xlwt.Workbook()
    target = book.add_sheet("key")
    for i, row in enumerate(edit(rows)):
        for j, value in enumerate(row):
            target.write(i, j, value)
    book.save(str(path))
    return number


@pytest.mark.parametrize("kind", KEY)
def test_an_edited_item_key_is_refused_naming_the_item(
    raw: Path, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    number = rewrite_key(raw / "IPIP-NEO-ItemKey.xls", KEY[kind])
    with faults.case("item key: rows, numbers, signs, texts changed"):
        assert_build_refused(raw, 3, number, capsys, "--only", IPIP_300)


def test_a_key_that_was_only_saved_again_is_accepted(raw: Path, faults: FaultTable) -> None:
    rewrite_key(raw / "IPIP-NEO-ItemKey.xls", lambda rows: rows)
    with faults.case("item key: saved again, the same content"):
        assert papi("validate", raw / "IPIP-NEO-ItemKey.xls") == 0
        release = raw.parent / "release"
        manifest, _ = build_release(raw, release, BuildOptions(only=(IPIP_120,), figures=False))
        assert manifest["configs"][IPIP_120]["people"] == len((raw / FORM_FILES[IPIP_120]).read_bytes()) // 153
