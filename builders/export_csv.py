"""Rebuild the predecessor's CSVs locally, from a release and the raw files it was made of.

They hold what a release leaves out (case numbers, times, whole ages), so they are for whoever has the raw files anyway,
to reproduce what was done with them. With the subject ids they are the crosswalk from published case numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from builders.raw.files import find_raw_files
from builders.raw.inputs import RawInputs
from builders.raw.ipip_csv import csv_columns, raw_columns
from builders.raw.table import RawTable
from builders.respondents import Respondents, respondents
from builders.staging import refuse_occupied, staged
from papi.errors import InputRejected, UsageError
from papi.files import open_output
from papi.instruments import INSTRUMENTS, Instrument, instrument
from papi.manifest import read_manifest, shard_files, splits_of
from papi.parquet import read_parquet
from papi.subject_ids import id_texts
from validation.reference import REAL, SIMULATED

SUBJECT_ID = "subject_id"
FILE_NAMES = {"ipip-neo-300": "IPIP_NEO_300.csv", "ipip-neo-120": "IPIP_NEO_120.csv"}
Progress = Callable[[str], None]


def export_papi_csv(
    release: Path, raw: Path, out: Path, *, with_subject_id: bool, progress: Progress = lambda text: None
) -> dict[str, int]:
    """Write one CSV for each IPIP form of a release into the new folder `out`; gives the rows by file.

    Raises `InputRejected` where the raw files are not those the release was made of, `UsageError` where it has no IPIP
    form or `out` is in use.
    """
    manifest = read_manifest(release)
    forms = [instrument(name) for name in INSTRUMENTS if name in manifest["configs"] and name in FILE_NAMES]
    if not forms:
        raise UsageError("the release has no IPIP form", where=str(release), expected=", ".join(FILE_NAMES))
    refuse_occupied(out)
    inputs = RawInputs(find_raw_files(raw))
    rows = {}
    with staged(out.absolute()) as folder:
        for of in forms:
            table, _ = inputs.answers(of)
            progress(f"{of.name}: {len(table):,} people")
            ids = _ids(release, manifest, table, of)
            _write(folder / FILE_NAMES[of.name], table, of, ids if with_subject_id else None)
            rows[FILE_NAMES[of.name]] = len(table)
    return rows


def _ids(release: Path, manifest: dict[str, Any], table: RawTable, of: Instrument) -> list[str]:
    """Each person's id in the order of the raw file; refuses a raw file with other people than the release."""
    content = SIMULATED if manifest["simulated"] else REAL
    people = respondents(table, of, content, manifest["privacy"]["min_country"]).respondents
    published = _published_ids(release, manifest, of)
    if sorted(published) != id_texts(people.ids, of):
        raise InputRejected(
            f"the people of {of.name} in the raw files are not those of the release",
            where=str(release),
            expected=f"{len(published):,} people with the subject ids of the release",
            got=f"{len(people):,} people, some with other ids",
            next_step="use the raw files whose hashes papi info shows",
        )
    return _in_raw_order(people, of)


def _published_ids(release: Path, manifest: dict[str, Any], of: Instrument) -> list[str]:
    splits = splits_of(manifest, of.name)
    paths = [path for split in splits for path in shard_files(release, manifest, of.name, split)]
    ids: list[str] = read_parquet(paths, of.name, [SUBJECT_ID])[SUBJECT_ID].to_pylist()
    return ids


def _in_raw_order(people: Respondents, of: Instrument) -> list[str]:
    numbers = np.empty_like(people.ids)
    numbers[people.rows] = people.ids
    return id_texts(numbers, of)


def _write(path: Path, table: RawTable, of: Instrument, ids: list[str] | None) -> None:
    """The columns of the predecessor's CSV, as stored; blank = not known; the subject id, if wanted, comes last."""
    people = table.people
    names = list(zip(csv_columns(of.name), raw_columns(of.name), strict=True))[: people.shape[1]]
    columns = {name: pa.array(people[raw_name], from_pandas=True) for name, raw_name in names}
    columns["country"] = pc.cast(pa.array(people["country"].astype("string"), from_pandas=True), pa.string())
    columns |= {name: pa.array(table.answers[:, j]) for j, name in enumerate(of.item_names)}
    columns |= {SUBJECT_ID: pa.array(ids)} if ids is not None else {}
    with open_output(path) as file:
        pa.csv.write_csv(pa.table(columns), file, pa.csv.WriteOptions(quoting_style="needed"))
