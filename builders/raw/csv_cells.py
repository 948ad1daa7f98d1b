"""Strict reading of delimited text: every cell as the text that stands there, every complaint with its place.

pandas would shift all columns silently where each row has one field more than the header, and turn the country `NA`
into a missing value. Here a row with another number of fields refuses the file, and no text is ever reinterpreted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from builders.raw.signatures import UTF8_BOM, refuse_foreign
from papi.errors import SHOWN_PLACES, InputRejected, Place

BLOCK_BYTES = 8 << 20
FIRST_LINE = 2  # of the data, below the header


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written; `quoted` is whether quotation marks have a meaning."""

    name: str
    delimiter: str
    quoted: bool


COMMA = Dialect("comma-separated", ",", quoted=True)
TAB = Dialect("TAB-separated", "\t", quoted=False)


@dataclass(frozen=True)
class Cells:
    """A delimited file held as bytes, with its header; `blocks` parses it piece by piece.

    `offset` is the number of bytes before `content` in the file (a byte order mark).
    """

    content: bytes
    file: str
    dialect: Dialect
    header: tuple[str, ...]
    offset: int = 0

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Record batches of strings, one column per header name (made unique by position)."""
        wrong: list[tuple[int, int]] = []

        def note(row: pa.csv.InvalidRow) -> str:
            wrong.append((row.number, row.actual_columns))
            return "skip"

        try:
            yield from pa.csv.open_csv(io.BytesIO(self.content), *self._options(note))
        except pa.ArrowInvalid as error:
            raise _unreadable(self.file, self.dialect, str(error).splitlines()[0]) from error
        if wrong:
            raise self._wrong_fields(wrong)

    def place(self, row: int, index: int, expected: str) -> Place:
        """The place of a cell by its row (from 0) and position; found by reading again, for messages only."""
        lines = self.content.split(b"\n", row + FIRST_LINE)
        start = self.offset + sum(len(line) + 1 for line in lines[: row + 1])
        line = lines[row + 1].rstrip(b"\r")
        first, end = (_cell_start(line, i, self.dialect) for i in (index, index + 1))
        got = repr(line[first : end - (end < len(line))].decode())
        column = self.header[index]
        return Place(self.file, expected, got, line=row + FIRST_LINE, byte=start + first, column=column)

    def _options(self, note: Callable[[pa.csv.InvalidRow], str]) -> tuple[object, ...]:
        names = [str(i) for i in range(len(self.header))]
        return (
            pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1),
            pa.csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char='"' if self.dialect.quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )

    def _wrong_fields(self, wrong: list[tuple[int, int]]) -> InputRejected:
        expected = f"{len(self.header)} fields"
        places = [Place(self.file, expected, f"{got}", line=line) for line, got in wrong[:SHOWN_PLACES]]
        return InputRejected(
            f"{self.file} has lines with another number of fields than its header",
            places=places,
            total=len(wrong),
            where=self.file,
            expected=f"{expected} in every line, {self.dialect.name}",
            next_step="the file is damaged or was edited: fetch it again (papi fetch)",
        )


def open_cells(content: bytes, file: str, dialect: Dialect) -> Cells:
    """The cells of a delimited UTF-8 file with at least one line below its header. A byte order mark is passed over."""
    refuse_foreign(content, file, f"{dialect.name} text", bom_allowed=True)
    _refuse_other_encodings(content, file, dialect)
    plain = content.removeprefix(UTF8_BOM)
    first, _, rest = plain.partition(b"\n")
    if not rest.strip():
        raise _unreadable(file, dialect, "a single line, nobody below a header")
    header = _header(first.decode().rstrip("\r"), file, dialect)
    return Cells(plain, file, dialect, header, len(content) - len(plain))


def _header(line: str, file: str, dialect: Dialect) -> tuple[str, ...]:
    if not dialect.quoted:
        return tuple(line.split(dialect.delimiter))
    try:
        return tuple(next(csv.reader([line]), []))
    except csv.Error as error:
        raise _unreadable(file, dialect, f"a header of which Python says: {error}") from error


def _refuse_other_encodings(content: bytes, file: str, dialect: Dialect) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        place = Place(file, "UTF-8 text", f"byte 0x{content[error.start]:02x}", line=line, byte=error.start)
        raise InputRejected(
            f"{file} is not UTF-8 text",
            places=[place],
            where=file,
            expected=f"{dialect.name} text in UTF-8",
            next_step="the file is damaged or was saved in another encoding: use the original",
        ) from error


def _unreadable(file: str, dialect: Dialect, got: str) -> InputRejected:
    return InputRejected(
        f"{file} cannot be read as {dialect.name} text",
        where=file,
        expected="a header and one line a person",
        got=got,
        next_step="the file is damaged or was edited: fetch it again (papi fetch)",
    )


def _cell_start(line: bytes, index: int, dialect: Dialect) -> int:
    """Where a cell begins in its line; delimiters between quotation marks are text."""
    quoted, cell = False, 0
    for position, character in enumerate(line.decode("latin-1")):
        if cell == index:
            return position
        quoted ^= dialect.quoted and character == '"'
        cell += character == dialect.delimiter and not quoted
    return len(line)


@dataclass(frozen=True)
class Located:
    """The cells of a file by the columns of its raw table; `positions` says where each stands in the file."""

    cells: Cells
    positions: dict[str, int]

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.cells.file

    def place(self, row: int, column: str, expected: str) -> Place:
        """The place of a cell by its row (from 0) and column."""
        return self.cells.place(row, self.positions[column], expected)


def parse_column(column: pa.Array, number: Callable[[str], int]) -> NDArray[np.int32]:
    """Whole numbers of a column of texts, shape (rows,). Each distinct text is read once."""
    coded = column.dictionary_encode()
    values = np.array([number(text) for text in coded.dictionary.to_pylist()], dtype=np.int32)
    parsed: NDArray[np.int32] = values[coded.indices.to_numpy()]
    return parsed
