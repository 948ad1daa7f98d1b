"""A raw table as its reader found it, judged by its schema: refused with every place, or cleaned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pandas as pd

from builders.raw.demographics import DAYS_LEFT, cleaned, with_days_left
from builders.raw.table import RawTable
from papi.errors import SHOWN_PLACES, InputRejected, Place
from papi.instruments import Instrument
from papi.scoring import Answers
from validation.raw_schemas import Breaches, Cell, Numbers, breaches, raw_field


class RawCells(Protocol):
    """The file behind a raw table; knows where each of its cells stands."""

    @property
    def file(self) -> str: ...  # noqa: D102

    def place(self, row: int, column: str, expected: str) -> Place:
        """The place of a cell by its row (from 0) and column, with what stands there."""
        ...


def judged_table(
    of: Instrument, numbers: dict[str, Numbers], answers: Answers, country: pd.Series, cells: RawCells
) -> RawTable:
    """The table of a file that its schema lets pass; `InputRejected` with the places otherwise.

    `numbers` holds every column but the items, also codes for the country (0, or `BLANK`, `MANGLED`, `UNREADABLE`);
    `country` its names (categorical, null = not known); `answers` (people, items).
    """
    found = breaches(with_days_left(numbers, of), answers, of)
    if found.refused:
        raise _refusal(found.refused, of, cells)
    clean = cleaned(numbers, found.impossible, of)
    case = {"case": numbers["case"]} if "case" in numbers else {}
    return RawTable(
        instrument=of.name,
        answers=answers,
        people=pd.DataFrame({**case, **clean.fields, "country": country}),
        impossible=clean.impossible,
        impossible_rows=clean.impossible_rows,
        blank=clean.blank,
        notes=_places(_first_impossible(found), of, cells),
    )


def _refusal(refused: list[Cell], of: Instrument, cells: RawCells) -> InputRejected:
    return InputRejected(
        f"{cells.file} has cells that cannot be read",
        places=_places(refused, of, cells),
        total=len(refused),
        where=cells.file,
        next_step="the file was edited or damaged: use the original (papi fetch)",
    )


def _first_impossible(found: Breaches) -> list[Cell]:
    by_column = [[(int(row), column) for row in rows[:SHOWN_PLACES]] for column, rows in found.impossible.items()]
    return sorted(cell for cells in by_column for cell in cells)


def _places(wrong: Iterable[Cell], of: Instrument, cells: RawCells) -> tuple[Place, ...]:
    shown = [*wrong][:SHOWN_PLACES]
    return tuple(
        cells.place(row, "day" if column == DAYS_LEFT else column, raw_field(of, column).expected)
        for row, column in shown
    )
