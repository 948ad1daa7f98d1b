"""Reader of the PAPI CSVs, the form in which the predecessor trades the same people.

Accepted: CRLF, a byte order mark, an index column without a name, capitals in the header, whole floats (`3.0`).
Refused: any other float, numbers that a spreadsheet mangled, a missing, doubled or reordered column.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from builders.raw.csv_cells import COMMA, Cells, Located, open_cells, parse_column
from builders.raw.demographics import complete_countries
from builders.raw.judged import judged_table
from builders.raw.table import RawTable
from papi.errors import InputRejected
from papi.instruments import IPIP_300, instrument
from validation.raw_schemas import BLANK, UNREADABLE

WHOLE = re.compile(r"[0-9]{1,9}(\.0+)?")
INDEX_NAMES = ("", "unnamed: 0")


def csv_columns(form: str) -> tuple[str, ...]:
    """The header of the CSV of a form; they differ in the name of the day."""
    day = "date" if form == IPIP_300 else "day"
    return ("case", "sex", "age", "sec", "min", "hour", day, "month", "year", "country", *instrument(form).item_names)


def read_ipip_csv(content: bytes, form: str, file: str) -> RawTable:
    """Read a whole CSV. Raises `InputRejected` for anything that is not exactly a file of `form`."""
    cells = _checked(open_cells(content, file, COMMA), form)
    of, columns = instrument(form), raw_columns(form)
    offset = len(cells.header) - len(columns)
    positions = {name: j + offset for j, name in enumerate(columns)}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in columns if name != "country"}
    countries: list[pd.Series] = []
    for block in cells.blocks():
        for name, pieces in parts.items():
            pieces.append(parse_column(block.column(positions[name]), _item if name in of.item_names else _whole))
        countries.append(block.column(positions["country"]).to_pandas())
    numbers = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    coded = pd.factorize(pd.concat(countries))
    country, numbers["country"] = complete_countries(coded[0], [str(name).rstrip() for name in coded[1]])
    answers = np.asfortranarray(np.stack([numbers.pop(name).astype(np.int8) for name in of.item_names], axis=1))
    return judged_table(of, numbers, answers, country, Located(cells, positions))


def raw_columns(form: str) -> tuple[str, ...]:
    """The columns of a form's CSV under the names of its raw table."""
    return tuple("day" if name == "date" else name for name in csv_columns(form))


def _whole(text: str) -> int:
    if text == "":
        return BLANK
    return int(float(text)) if WHOLE.fullmatch(text) else UNREADABLE


def _item(text: str) -> int:
    """An item has no blanks, and its column is int8."""
    value = _whole(text)
    return value if 0 <= value <= np.iinfo(np.int8).max else UNREADABLE


def _checked(cells: Cells, form: str) -> Cells:
    """The cells, if the header is that of the form (with or without an index column)."""
    header = tuple(name.strip().lower() for name in cells.header)
    columns = csv_columns(form)
    if header == columns or (header[:1] and header[0] in INDEX_NAMES and header[1:] == columns):
        return cells
    differing = [f"{a!r} for {b!r}" for a, b in zip(header, columns, strict=False) if a != b]
    got = f"{len(header)} columns" + (f", first difference {differing[0]}" if differing else "")
    raise InputRejected(
        f"{cells.file} has not the columns of {form}",
        where=f"{cells.file}, line 1",
        expected=f"{len(columns)} columns: {', '.join(columns[:11])} … {columns[-1]}",
        got=got,
        next_step="use the original file: no column may be missing, doubled or moved",
    )
