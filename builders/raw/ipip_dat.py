"""Reader of Johnson's fixed-width records (IPIP300.dat, IPIP120.dat; FACTS: columns count from 1).

Exact: every byte of a record is accounted for, and a file with one record of the wrong length or one item byte
outside 0-5 is refused whole, with the places. Fast: the file is one matrix of bytes, and nothing is done row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from builders.raw.demographics import complete_countries
from builders.raw.judged import judged_table
from builders.raw.signatures import refuse_foreign
from builders.raw.table import RawTable
from papi.errors import SHOWN_PLACES, InputRejected, Place
from papi.instruments import INSTRUMENTS, instrument
from papi.tables import read_csv
from validation.raw_schemas import BLANK, MANGLED, Numbers

Records = NDArray[np.uint8]
LINE_ENDS = (b"\r\n", b"\n")
ZERO, SPACE = ord("0"), ord(" ")


@cache
def record_fields(form: str) -> dict[str, slice]:
    """The byte range of each field in a record of `form`, columns from 0."""
    rows = [row for row in read_csv("builders", "ipip_records.csv") if row["form"] == form]
    return {row["field"]: slice(int(row["first"]) - 1, int(row["last"])) for row in rows}


def record_length(form: str) -> int:
    """Bytes of a record without its line end."""
    return int(record_fields(form)["items"].stop)


def read_ipip_dat(content: bytes, form: str, file: str) -> RawTable:
    """Read a whole `.dat`. Raises `InputRejected` for anything that is not exactly a file of `form`."""
    refuse_foreign(content, file, f"fixed-width records of {form}")
    records, step = _records(content, form, file)
    fields = record_fields(form)
    numbers: dict[str, Numbers] = {
        name: parse_numbers(records[:, fields[name]]) for name in fields if name not in ("country", "items")
    }
    country, numbers["country"] = _countries(records[:, fields["country"]])
    answers = np.asfortranarray(records[:, fields["items"]] - np.uint8(ZERO)).view(np.int8)
    return judged_table(instrument(form), numbers, answers, country, RecordCells(records, step, form, file))


@dataclass(frozen=True)
class RecordCells:
    """The cells of fixed-width records, `step` bytes from one record to the next."""

    records: Records
    step: int
    form: str
    file: str

    def place(self, row: int, column: str, expected: str) -> Place:
        """The place of a cell by its row (from 0) and column."""
        fields, items = record_fields(self.form), instrument(self.form).item_names
        where = fields.get(column)
        if where is None:
            first = fields["items"].start + items.index(column)
            where = slice(first, first + 1)
        got = repr(self.records[row, where].tobytes().decode("latin-1"))
        byte = row * self.step + where.start
        return Place(self.file, expected, got, line=row + 1, byte=byte, column=where.start + 1)


def parse_numbers(block: Records) -> Numbers:
    """Right-justified numbers, shape (people, width) → (people,); `BLANK` or `MANGLED` where there is none."""
    value = np.zeros(len(block), dtype=np.int32)
    started = np.zeros(len(block), dtype=bool)
    mangled = np.zeros(len(block), dtype=bool)
    for column in block.T:
        digit = column - np.uint8(ZERO)
        is_digit = digit <= 9
        mangled |= ~is_digit & ((column != SPACE) | started)
        value = np.where(is_digit, value * 10 + digit, value)
        started |= is_digit
    return np.where(mangled, MANGLED, np.where(started, value, BLANK)).astype(np.int32)


def _records(content: bytes, form: str, file: str) -> tuple[Records, int]:
    """The records as a matrix (people, record length) and the bytes from one record to the next."""
    length = record_length(form)
    for end in LINE_ENDS:
        step = length + len(end)
        whole = content if content.endswith(end) else content + end
        if len(whole) % step == 0:
            matrix = np.frombuffer(whole, dtype=np.uint8).reshape(-1, step)
            if (matrix[:, length:] == np.frombuffer(end, dtype=np.uint8)).all():
                return matrix[:, :length], step
    raise _wrong_records(content, form, file)


def _wrong_records(content: bytes, form: str, file: str) -> InputRejected:
    """The refusal for a file whose records are not all of the right length, as specific as can be."""
    length = record_length(form)
    lines = content.split(b"\n")
    sizes = np.array([len(line) - line.endswith(b"\r") for line in lines])
    if lines[-1] == b"":
        lines, sizes = lines[:-1], sizes[:-1]
    known = _known_other_layout(lines, sizes, form)
    if known:
        expected = f"records of {length} characters ({form})"
        return InputRejected(
            f"{file} has other records", where=file, expected=expected, got=known[0], next_step=known[1]
        )
    wrong = sizes != length
    if wrong.any():
        got = [f"{size}" for size in sizes.tolist()]
        return _refused_lines(f"{file} has records of a wrong length", f"{length} characters", wrong, got, lines, file)
    cr = np.array([line.endswith(b"\r") for line in lines])
    usual = 2 * cr.sum() > len(cr)
    cr[-1] |= usual and not content.endswith(b"\n")  # the last record may lack its line end
    names = ["CRLF" if each else "LF" for each in (*cr.tolist(), usual)]
    return _refused_lines(f"{file} mixes line ends", f"{names[-1]} as in most lines", cr != usual, names, lines, file)


def _refused_lines(
    what: str, expected: str, wrong: NDArray[np.bool_], got: list[str], lines: list[bytes], file: str
) -> InputRejected:
    starts = np.concatenate([[0], np.cumsum([len(line) + 1 for line in lines])])
    rows = np.flatnonzero(wrong).tolist()
    return InputRejected(
        what,
        places=[Place(file, expected, got[i], line=i + 1, byte=int(starts[i])) for i in rows[:SHOWN_PLACES]],
        total=len(rows),
        where=file,
        expected="records of one length and one kind of line end throughout",
        next_step="the file is damaged or truncated: fetch it again (papi fetch)",
    )


def _known_other_layout(lines: list[bytes], sizes: NDArray[np.int64], form: str) -> tuple[str, str] | None:
    """What was got and what to do, where every record has the length of something known."""
    if len(set(sizes.tolist())) != 1:
        return None
    size = int(sizes[0])
    if size == record_length(form) + 2 and all(line.startswith(b"  ") for line in lines[:100]):
        return "a copy from before 2018 (two blank columns first)", "fetch the present file (papi fetch)"
    for other in INSTRUMENTS[:2]:
        if other != form and size == record_length(other):
            return f"records of {size} characters, as in {other}", "check which file is which"
    return None


def _countries(block: Records) -> tuple[pd.Series, Numbers]:
    """Country names (null where blank or unreadable) and their codes for the schema."""
    codes, examples = _distinct_rows(block)
    return complete_countries(codes, [bytes(block[i]).decode("latin-1").rstrip() for i in examples.tolist()])


def _distinct_rows(block: Records) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Codes of equal rows, and the first row of each code; by hashing byte for byte, which beats sorting strings."""
    codes = np.zeros(len(block), dtype=np.int64)
    for column in block.T:
        codes = pd.factorize(codes * 256 + column)[0]
    return codes, np.unique(codes, return_index=True)[1]
