"""What changed between two releases: configs, columns, people, values, splits, facts of the manifest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from papi.columns import key_of
from papi.instruments import CONFIGS, ITEMS_CONFIG
from papi.manifest import read_manifest, shard_files, splits_of
from papi.parquet import read_any_parquet

SPLIT = "split"
FACTS = ("version", "date", "simulated", "items", "cases_in_both_ipip_forms", "allowed_gates", "code")
PRIVACY = ("min_country", "smallest_cell")
EXAMPLES = 5


@dataclass
class Difference:
    """The changes from release `a` to release `b`; every part is empty where nothing changed.

    `configs` has, per config with a change: `rows` (added, removed, examples), `values` (changed cells by column),
    `moved` (people by "split → split"), `splits` (people before and after).
    """

    facts: dict[str, list[Any]] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    gates: dict[str, list[Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.facts or self.columns or self.configs or self.gates)


def compare_releases(a: Path, b: Path, manifest: dict[str, Any] | None = None) -> Difference:
    """Every change from release `a` to release `b`, whose manifest is given where it is not written yet.

    Raises what reading a release raises.
    """
    before, after = read_manifest(a), manifest or read_manifest(b)
    result = Difference(facts=_changed_facts(before, after), gates=_changed_gates(before, after))
    for config in CONFIGS:
        one, other = _columns(before, config), _columns(after, config)
        if one != other:
            result.columns[config] = _changed_columns(one, other)
        if one and other and (changes := _changes(_people(a, before, config), _people(b, after, config), config)):
            result.configs[config] = changes
    return result


def _changed_facts(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    pairs = {name: [before.get(name), after.get(name)] for name in FACTS}
    pairs |= {name: [each.get("privacy", {}).get(name) for each in (before, after)] for name in PRIVACY}
    pairs["raw"] = [_raw(before), _raw(after)]
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _raw(manifest: dict[str, Any]) -> list[str]:
    return sorted(f"{record['name']} ({record['use']}) {record['sha256'][:12]}" for record in manifest["raw"])


def _changed_gates(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Verdicts that changed, by gate, instrument and statistic."""
    verdicts = [
        {f"{g['gate']} ({g['instrument']}): {g['statistic']}": g["verdict"] for g in manifest["gates"]}
        for manifest in (before, after)
    ]
    names = sorted(verdicts[0].keys() | verdicts[1].keys())
    pairs = {name: [each.get(name) for each in verdicts] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _columns(manifest: dict[str, Any], config: str) -> dict[str, str]:
    return dict(manifest.get("schema", {}).get(config, {}))


def _changed_columns(before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    if not before or not after:
        return {"config": "added" if after else "removed"}
    both = [name for name in before if name in after]
    types = {name: [before[name], after[name]] for name in both if before[name] != after[name]}
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "types": types,
        "reordered": both != [name for name in after if name in before],
    }


def _people(release: Path, manifest: dict[str, Any], config: str) -> pa.Table:
    """All rows of a config, with the column `split` at the end."""
    tables = []
    for split in splits_of(manifest, config):
        table = read_any_parquet(shard_files(release, manifest, config, split))
        tables.append(table.append_column(SPLIT, pa.repeat(split, len(table))))
    return pa.concat_tables(tables)


def _changes(a: pa.Table, b: pa.Table, config: str) -> dict[str, Any]:
    before, after = _keys(a, config), _keys(b, config)
    common, rows_a, rows_b = np.intersect1d(before, after, return_indices=True)
    changes: dict[str, Any] = {}
    added, removed = np.setdiff1d(after, common), np.setdiff1d(before, common)
    if len(added) or len(removed):
        examples = {"added": added[:EXAMPLES].tolist(), "removed": removed[:EXAMPLES].tolist()}
        changes["rows"] = {"added": len(added), "removed": len(removed), "examples": examples}
    values = _changed_values(a, b, rows_a, rows_b)
    if values:
        changes["values"] = values
    if config != ITEMS_CONFIG:
        changes |= _changed_splits(a, b, rows_a, rows_b)
    return changes


def _keys(table: pa.Table, config: str) -> NDArray[np.object_]:
    """What names a row: the subject id, or instrument and item."""
    columns = [table[name] for name in key_of(config)]
    keys: NDArray[np.object_] = pc.binary_join_element_wise(*columns, " ").to_numpy()
    return keys


def _changed_values(a: pa.Table, b: pa.Table, rows_a: NDArray[np.intp], rows_b: NDArray[np.intp]) -> dict[str, int]:
    """Cells that differ in the rows that both have, by column; null equals null."""
    both = [name for name in a.column_names if name in b.column_names and name != SPLIT]
    counts = {name: _differing(a[name].take(pa.array(rows_a)), b[name].take(pa.array(rows_b))) for name in both}
    return {name: count for name, count in counts.items() if count}


def _differing(one: pa.ChunkedArray, other: pa.ChunkedArray) -> int:
    unequal = pc.fill_null(pc.not_equal(one, other), False)
    null_in_one = pc.xor(pc.is_null(one), pc.is_null(other))
    return int(pc.sum(pc.or_(unequal, null_in_one)).as_py() or 0)


def _changed_splits(a: pa.Table, b: pa.Table, rows_a: NDArray[np.intp], rows_b: NDArray[np.intp]) -> dict[str, Any]:
    sizes = [Counter(table[SPLIT].to_pylist()) for table in (a, b)]
    resized = {name: [size[name] for size in sizes] for name in sorted(sizes[0] | sizes[1])}
    resized = {name: pair for name, pair in resized.items() if pair[0] != pair[1]}
    before, after = (table[SPLIT].take(pa.array(rows)).to_pandas() for table, rows in ((a, rows_a), (b, rows_b)))
    ways = (before + " → " + after)[before != after].value_counts().to_dict()
    return ({"splits": resized} if resized else {}) | ({"moved": ways} if ways else {})
