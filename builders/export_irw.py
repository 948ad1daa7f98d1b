"""Export a release as long tables of the Item Response Warehouse: one CSV a facet or scale, and its items beside it.

A row is one answer: `id`, `item`, `resp`, then what is published of the person as `cov_…`. `resp` is the response to
the statement, 1-5, never reversed: the warehouse asks for one direction within an item, not across them; `keyed` in the
items file tells which it is. A question without an answer has no row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from builders.staging import refuse_occupied, staged
from papi.columns import Column, demographics_of
from papi.files import open_output
from papi.instruments import INSTRUMENTS, ITEMS_CONFIG, Instrument, Scale, instrument
from papi.manifest import read_manifest, shard_files, splits_of
from papi.parquet import read_parquet

SUBJECT_ID, TEXT = "subject_id", "text"
ID, ITEM, RESP, TABLE, ITEM_TEXT = "id", "item", "resp", "table", "item_text"  # the warehouse's names
COVARIATE = "cov_"  # how it wants the names of everything that belongs to the person to begin
ITEMS = "__items"  # how it wants the name of a file of items to end
Progress = Callable[[str], None]


def export_irw(release: Path, out: Path, progress: Progress = lambda text: None) -> dict[str, int]:
    """Write a long table and its items for every facet or scale into the new folder `out`; gives the rows by file.

    Raises `MissingFile` or `ReleaseRejected` where there is no sound release, `UsageError` where `out` is in use.
    """
    manifest = read_manifest(release)
    refuse_occupied(out)
    items = read_parquet(shard_files(release, manifest, ITEMS_CONFIG, ITEMS_CONFIG), ITEMS_CONFIG)
    rows = {}
    with staged(out.absolute()) as folder:
        for of in [instrument(name) for name in INSTRUMENTS if name in manifest["configs"]]:
            source = _Source(release, manifest, of)
            people = source.people()
            progress(f"{of.name}: {len(people):,} people")
            for scale in of.scales:
                name = table_name(of, scale, simulated=manifest["simulated"])
                rows[f"{name}.csv"] = _write_answers(folder / f"{name}.csv", people, source.answers(scale))
                its_items = _items(items, of, scale, name)
                rows[f"{name}{ITEMS}.csv"] = _write_items(folder / f"{name}{ITEMS}.csv", its_items)
    return rows


def table_name(of: Instrument, scale: Scale, *, simulated: bool) -> str:
    """The name of a scale's table: what the warehouse takes is 40 characters, small letters, digits and underscores."""
    start = "papi_simulated" if simulated else "papi"
    return f"{start}_{of.name}_{scale.name}".replace("-", "_").lower()


@dataclass(frozen=True)
class _Source:
    """The people of one config of a release; every table has them all, in the same order."""

    release: Path
    manifest: dict[str, Any]
    of: Instrument

    def people(self) -> pa.Table:
        """Their ids, demographics in words and splits, under the warehouse's names."""
        demographics = demographics_of(self.of)
        names = [SUBJECT_ID, *(column.name for column in demographics)]
        by_split = {split: self._read(split, names) for split in self._splits()}
        table = pa.concat_tables(by_split.values())
        splits = pa.chunked_array([pa.repeat(split, len(part)) for split, part in by_split.items()])
        columns = {column.name: _in_words(table[column.name], column) for column in demographics} | {"split": splits}
        return pa.table({ID: table[SUBJECT_ID]} | {f"{COVARIATE}{name}": column for name, column in columns.items()})

    def answers(self, scale: Scale) -> pa.Table:
        """Their responses to the items of a scale; null = not answered."""
        names = [self.of.item_names[position] for position in scale.positions]
        return pa.concat_tables(self._read(split, names) for split in self._splits())

    def _splits(self) -> list[str]:
        return splits_of(self.manifest, self.of.name)

    def _read(self, split: str, names: list[str]) -> pa.Table:
        return read_parquet(shard_files(self.release, self.manifest, self.of.name, split), self.of.name, names)


def _in_words(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    return pc.take(pa.array(column.classes), values) if column.classes else values


def _write_answers(path: Path, people: pa.Table, answers: pa.Table) -> int:
    """One row an answer, item by item: the table as a whole may not fit into memory."""
    rows = 0
    fields = [(ID, pa.string()), (ITEM, pa.string()), (RESP, pa.int8())]
    schema = pa.schema([*fields, *((name, pa.string()) for name in people.column_names[1:])])
    with open_output(path) as file, pa.csv.CSVWriter(file, schema) as writer:
        for name in answers.column_names:
            answered = people.filter(answers[name].is_valid())
            columns = [pa.repeat(name, len(answered)), answers[name].drop_null()]
            table = pa.table([answered[ID], *columns, *answered.columns[1:]], schema=schema)
            writer.write_table(table)
            rows += len(table)
    return rows


def _items(items: pa.Table, of: Instrument, scale: Scale, name: str) -> pa.Table:
    """The rows of the items of a scale, each with the name of its table; the wording has the warehouse's name."""
    chosen = [of.item_names[position] for position in scale.positions]
    ours = pc.and_(pc.equal(items["instrument"], of.name), pc.is_in(items[ITEM], value_set=pa.array(chosen)))
    found = items.filter(ours)
    names = [ITEM_TEXT if column == TEXT else column for column in found.column_names]
    return found.rename_columns(names).add_column(0, TABLE, pa.repeat(name, len(found)))


def _write_items(path: Path, items: pa.Table) -> int:
    with open_output(path) as file:
        pa.csv.write_csv(items, file)
    return len(items)
