"""Reader of the Short Dark Triad's data.csv: TAB-separated in spite of its name, answers as given, 0 = not answered."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from builders.raw.csv_cells import TAB, Cells, Located, open_cells, parse_column
from builders.raw.judged import judged_table
from builders.raw.table import RawTable
from papi.errors import InputRejected
from papi.instruments import DARK_TRIAD, instrument
from validation.raw_schemas import BLANK, UNREADABLE

DIGITS = frozenset("0123456789")
COUNTRY = re.compile(r"[A-Z][A-Z0-9]")


def data_columns() -> tuple[str, ...]:
    """The header of data.csv."""
    return (*instrument(DARK_TRIAD).item_names, "country", "source")


def read_sd3_data(content: bytes, file: str) -> RawTable:
    """Read a whole data.csv. Raises `InputRejected` for anything else.

    The country `NA` (Namibia) and an empty one stay apart: the first is the text NA, the second null.
    """
    cells = _checked(open_cells(content, file, TAB))
    names = data_columns()
    parts, countries = [], []
    for block in cells.blocks():
        parts.append(_block_numbers(block))
        countries.append(block.column(names.index("country")).to_pandas())
    numbers = dict(zip(names, np.concatenate(parts).T, strict=True))
    answers = np.asfortranarray(np.stack([numbers.pop(name) for name in names[:-2]], axis=1))
    texts = pd.concat(countries, ignore_index=True)
    located = Located(cells, {name: i for i, name in enumerate(names)})
    return judged_table(instrument(DARK_TRIAD), numbers, answers, texts.mask(texts == "").astype("category"), located)


def _block_numbers(block: pa.RecordBatch) -> NDArray[np.int8]:
    """Every column as numbers, shape (rows, columns)."""
    numbers = [_country if name == "country" else _digit for name in data_columns()]
    columns = [parse_column(column, number) for column, number in zip(block.columns, numbers, strict=True)]
    return np.stack(columns, axis=1).astype(np.int8)


def _digit(text: str) -> int:
    if text == "":
        return BLANK
    return int(text) if text in DIGITS else UNREADABLE


def _country(text: str) -> int:
    """A code for the schema: there is a name, none, or something else."""
    if text == "":
        return BLANK
    return 0 if COUNTRY.fullmatch(text) else UNREADABLE


def _checked(cells: Cells) -> Cells:
    if cells.header == data_columns():
        return cells
    raise InputRejected(
        f"{cells.file} has not the columns of the Short Dark Triad",
        where=f"{cells.file}, line 1",
        expected="TAB-separated M1 … M9, N1 … N9, P1 … P9, country, source",
        got=f"{len(cells.header)} columns: {', '.join(cells.header)[:80]}",
        next_step="use the original data.csv: no column may be missing, doubled or moved",
    )
