"""The manifest of a release that is being built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.raw.inputs import RawInputs
from builders.raw.item_key import ItemTexts
from builders.splits import Splits
from papi.columns import columns_of
from papi.files import sha256_of_file
from papi.instruments import IPIP_120, IPIP_300, ITEMS_CONFIG, instrument
from papi.manifest import FORMAT, FORMAT_VERSION, MANIFEST
from papi.parquet import arrow_schema, count_rows
from papi.version import __version__
from validation.gates import Finding
from validation.reference import SIMULATED


@dataclass(frozen=True)
class BuiltConfig:
    """One config on its way into the manifest: its splits, quality, what was blunted, what may single people out."""

    splits: Splits
    quality: dict[str, Any]
    blunted: dict[str, int]
    disclosure: list[dict[str, Any]]
    minors: dict[str, int] | None
    repairs: dict[str, dict[str, int]]
    cases: NDArray[np.int32] | None
    findings: list[Finding]


@dataclass(frozen=True)
class Decisions:
    """What the user decided that belongs into the manifest."""

    version: str
    date: str | None
    min_country: int
    smallest_cell: int
    allow_gates: tuple[str, ...]


def describe_release(
    staging: Path,
    built: Mapping[str, BuiltConfig],
    inputs: RawInputs,
    texts: Mapping[str, ItemTexts],
    decisions: Decisions,
) -> dict[str, Any]:
    """Everything the manifest says but the hashes of files that are still to be written."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "version": decisions.version,
        **({"date": decisions.date} if decisions.date else {}),
        "code": {"palign-papi": __version__},
        "simulated": any(text.content == SIMULATED for text in texts.values()),
        "configs": {name: _config(one) for name, one in built.items()},
        "items": sum(len(instrument(name).items) for name in built),
        "cases_in_both_ipip_forms": _cases_in_both(built),
        "privacy": {
            "min_country": decisions.min_country,
            "smallest_cell": decisions.smallest_cell,
            "changed": {name: one.blunted for name, one in built.items()},
            "disclosure": {name: one.disclosure for name, one in built.items()},
            "minors": {name: one.minors for name, one in built.items() if one.minors is not None},
        },
        "gates": [asdict(finding) for one in built.values() for finding in one.findings],
        "allowed_gates": sorted(decisions.allow_gates),
        "raw": inputs.described(),
        "schema": {name: _schema(name) for name in (*built, ITEMS_CONFIG)},
        "files": file_facts(staging, {}),
    }


def file_facts(staging: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Hash, size and, for parquet, rows of every file but the manifest; what is known already is not hashed again."""
    paths = sorted(path for path in staging.rglob("*") if path.is_file() and path.name != MANIFEST)
    names = {path.relative_to(staging).as_posix(): path for path in paths}
    return {name: known.get(name) or _facts(path) for name, path in names.items()}


def _config(one: BuiltConfig) -> dict[str, Any]:
    counts = {name: len(rows) for name, rows in one.splits.rows.items()}
    return {
        "people": sum(counts.values()),
        "splits": counts,
        "split_definition": one.splits.definition,
        "likeness": one.splits.likeness,
        "quality": one.quality,
        "repairs": one.repairs,
    }


def _cases_in_both(built: Mapping[str, BuiltConfig]) -> int | None:
    """Case numbers that both IPIP forms have; null unless both were built."""
    long, short = [built[name].cases if name in built else None for name in (IPIP_300, IPIP_120)]
    return None if long is None or short is None else len(np.intersect1d(long, short))


def _schema(config: str) -> dict[str, str]:
    """The type of every column; of a class also its names, since the numbers mean nothing without them."""
    types = {field.name: str(field.type) for field in arrow_schema(config)}
    return types | {c.name: f"{types[c.name]}: {', '.join(c.classes)}" for c in columns_of(config) if c.classes}


def _facts(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {"sha256": sha256_of_file(path), "bytes": path.stat().st_size}
    return facts | ({"rows": count_rows(path)} if path.suffix == ".parquet" else {})
