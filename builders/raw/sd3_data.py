"""Reader of the Short Dark Triad's data.csv: TAB-separated in spite of its name, answers as given, 0 = not answered."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from builders.raw.csv_cells import TAB, Cells, Complaints, Rule, open_cells, parse_column
from builders.raw.demographics import BLANK, nullable
from builders.raw.table import RawTable
from papi.columns import SOURCES
from papi.errors import InputRejected
from papi.instruments import DARK_TRIAD, MAXIMUM, MISSING, instrument

DIGIT = re.compile(r"[0-9]")


def _number(text: str) -> int:
    return int(text) if text else BLANK


ITEM = Rule("a digit 0-5", DIGIT, _number, MISSING, MAXIMUM)
SOURCE = Rule("1 (front page), 2 (search), 3 (other) or nothing", re.compile(r"[0-9]?"), _number, BLANK, len(SOURCES))
COUNTRY = re.compile(r"[A-Z][A-Z0-9]|")


def data_columns() -> tuple[str, ...]:
    """The header of data.csv."""
    return (*instrument(DARK_TRIAD).item_names, "country", "source")


def read_sd3_data(content: bytes, file: str) -> RawTable:
    """Read a whole data.csv. Raises `InputRejected` for anything else.

    The country `NA` (Namibia) and an empty one stay apart: the first is the text NA, the second null.
    """
    cells = _checked(open_cells(content, file, TAB))
    complaints = Complaints(cells, [])
    parts: list[np.ndarray] = []
    countries: list[pd.Series] = []
    first_row = 0
    for block in cells.blocks():
        parts.append(_block_numbers(block, first_row, complaints))
        countries.append(_block_countries(block, first_row, complaints))
        first_row += block.num_rows
    complaints.refuse_if_any()
    return _table(np.concatenate(parts), pd.concat(countries, ignore_index=True))


def _block_numbers(block: pa.RecordBatch, first_row: int, complaints: Complaints) -> np.ndarray:
    names = [name for name in data_columns() if name != "country"]
    result: NDArray[np.int8] = np.empty((block.num_rows, len(names)), dtype=np.int8, order="F")
    for j, name in enumerate(names):
        rule = SOURCE if name == "source" else ITEM
        column = block.column(data_columns().index(name))
        result[:, j], wrong = parse_column(column, rule)
        complaints.add(first_row, name, rule, wrong)
    return result


def _block_countries(block: pa.RecordBatch, first_row: int, complaints: Complaints) -> pd.Series:
    texts: pd.Series = block.column(data_columns().index("country")).to_pandas()
    wrong = [(int(i), texts[i]) for i in np.flatnonzero(~texts.str.fullmatch(COUNTRY.pattern).to_numpy(dtype=bool))]
    complaints.add(first_row, "country", Rule("two capitals or nothing", COUNTRY, len, 0, 2), wrong)
    return texts


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


def _table(numbers: np.ndarray, country: pd.Series) -> RawTable:
    source = numbers[:, -1].astype(np.int32)
    unknown = source <= 0
    people = pd.DataFrame(
        {"country": country.mask(country == "").astype("category"), "source": nullable(source, unknown)}
    )
    blank = {"country": int(people["country"].isna().sum()), "source": int(unknown.sum())}
    return RawTable(DARK_TRIAD, np.asfortranarray(numbers[:, :-1]), people, blank=blank)
