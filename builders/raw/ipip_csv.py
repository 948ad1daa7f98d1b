"""Reader of the PAPI CSVs, the form in which the predecessor trades the same people.

Accepted: CRLF, a byte order mark, an index column without a name, capitals in the header, whole floats (`3.0`).
Refused: any other float, numbers that a spreadsheet mangled, a missing, doubled or reordered column.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from builders.raw.csv_cells import COMMA, Cells, Complaints, Rule, open_cells, parse_column
from builders.raw.demographics import BLANK, clean_numbers, complete_countries
from builders.raw.table import RawTable
from papi.errors import InputRejected
from papi.instruments import IPIP_300, MAXIMUM, MISSING, instrument

WHOLE = re.compile(r"[0-9]{1,9}(\.0+)?")
WHOLE_OR_BLANK = re.compile(r"([0-9]{1,9}(\.0+)?)?")
INDEX_NAMES = ("", "unnamed: 0")


def _whole(text: str) -> int:
    return int(float(text)) if text else BLANK


ITEM = Rule("a whole number 0-5", WHOLE, _whole, MISSING, MAXIMUM)
CASE = Rule("a case number", WHOLE, _whole, 0, 999_999_999)
DEMOGRAPHIC = Rule("a whole number or nothing", WHOLE_OR_BLANK, _whole, BLANK, 999_999_999)


def csv_columns(form: str) -> tuple[str, ...]:
    """The header of the CSV of a form; they differ in the name of the day."""
    day = "date" if form == IPIP_300 else "day"
    return ("case", "sex", "age", "sec", "min", "hour", day, "month", "year", "country", *instrument(form).item_names)


def read_ipip_csv(content: bytes, form: str, file: str) -> RawTable:
    """Read a whole CSV. Raises `InputRejected` for anything that is not exactly a file of `form`."""
    cells = _checked(open_cells(content, file, COMMA), form)
    columns = csv_columns(form)
    complaints = Complaints(cells, [])
    offset = len(cells.header) - len(columns)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in columns if name != "country"}
    countries: list[pd.Series] = []
    first_row = 0
    for block in cells.blocks():
        for j, name in enumerate(columns):
            if name == "country":
                countries.append(block.column(j + offset).to_pandas())
                continue
            rule = _rule(name, columns)
            values, wrong = parse_column(block.column(j + offset), rule)
            complaints.add(first_row, cells.header[j + offset], rule, wrong)
            parts[name].append(values.astype(np.int8) if rule is ITEM else values)
        first_row += block.num_rows
    complaints.refuse_if_any()
    return _table(form, {name: np.concatenate(pieces) for name, pieces in parts.items()}, pd.concat(countries))


def _rule(name: str, columns: tuple[str, ...]) -> Rule:
    if name == "case":
        return CASE
    return DEMOGRAPHIC if name in columns[:10] else ITEM


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


def _table(form: str, columns: dict[str, np.ndarray], country: pd.Series) -> RawTable:
    items = instrument(form).item_names
    answers = np.empty((len(country), len(items)), dtype=np.int8, order="F")
    for j, name in enumerate(items):
        answers[:, j] = columns[name]
    numbers = {name: values for name, values in columns.items() if name not in items and name != "case"}
    if "date" in numbers:
        numbers["day"] = numbers.pop("date")
    cleaned = clean_numbers(numbers)
    coded = pd.factorize(country)
    names, unreadable = complete_countries(coded[0], [str(name).rstrip() for name in coded[1]])
    return RawTable(
        instrument=form,
        answers=answers,
        people=pd.DataFrame({"case": columns["case"], **cleaned.fields, "country": names}),
        impossible=cleaned.impossible | ({"country": unreadable} if unreadable else {}),
        impossible_rows=cleaned.impossible_rows,
        blank=cleaned.blank | {"country": int(names.isna().sum()) - unreadable},
    )
