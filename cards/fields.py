"""The field table of a config: its columns as readers are told of them, like columns in one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from papi.columns import Column, columns_of
from papi.instruments import ITEMS_CONFIG, instrument


@dataclass(frozen=True)
class FieldRow:
    """One row: the name or the first and last name, the type that a reader gets, and what it means."""

    name: str
    kind: str
    meaning: str


def field_rows(config: str) -> list[FieldRow]:
    """The rows of a config's field table, in the order of its columns."""
    grouped = groupby(columns_of(config), key=lambda column: _group(column, config))
    return [row for group, columns in grouped for row in _rows(group, list(columns))]


GROUPS = {
    "items": "**responses** to the statements, 1-5, not reversed; null = not answered",
    "domains": "domain scores: mean of the answered items in the direction of the trait; null under half answered",
    "facets": "facet scores, likewise",
}


def _group(column: Column, config: str) -> str:
    """The group a column is told of in; a column that stands alone is its own group."""
    if config == ITEMS_CONFIG:
        return column.name
    of = instrument(config)
    if column.name in of.item_names:
        return "items"
    if column.name in {f"score_{domain.name}" for domain in of.domains}:
        return "domains"
    return "facets" if column.name in {f"score_{facet.name}" for facet in of.facets} else column.name


def _rows(group: str, columns: list[Column]) -> Iterator[FieldRow]:
    first, last = columns[0], columns[-1]
    if group in GROUPS:
        yield FieldRow(f"`{first.name}` … `{last.name}` ({len(columns)})", first.kind, GROUPS[group])
    else:
        yield FieldRow(f"`{first.name}`", _kind(first), first.meaning)


def _kind(column: Column) -> str:
    return f"ClassLabel: {column.codes}" if column.classes else column.kind
