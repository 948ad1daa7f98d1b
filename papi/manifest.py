"""The manifest of a release: what it holds, what it was made of, and the hash of every file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from papi.errors import MissingFile, ReleaseRejected
from papi.files import read_json
from papi.instruments import ITEMS_CONFIG

MANIFEST = "manifest.json"
FORMAT = "papi-release"
FORMAT_VERSION = 1
# The tag of a published version: v and the version of the data.
VERSION_TAG = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
REQUIRED = ("format", "format_version", "version", "simulated", "configs", "files", "raw", "gates")


def read_manifest(release: Path) -> dict[str, Any]:
    """The manifest of a release folder. `MissingFile` where there is none, `ReleaseRejected` where it is not one."""
    path = release / MANIFEST
    if not release.exists():
        raise MissingFile(f"{release} is not there", where=str(release), next_step="name the folder of a release")
    if not path.is_file():
        advice = "give the folder that papi build wrote"
        raise MissingFile(f"{release} is no PAPI release: it has no {MANIFEST}", where=str(release), next_step=advice)
    try:
        manifest = read_json(path)
    except ValueError as error:
        raise ReleaseRejected(f"{MANIFEST} is no JSON", where=str(path), got=str(error)) from error
    missing = [name for name in REQUIRED if name not in manifest] if isinstance(manifest, dict) else list(REQUIRED)
    if missing:
        got = f"without {', '.join(missing)}"
        raise ReleaseRejected(f"{MANIFEST} is not that of a PAPI release", where=str(path), got=got)
    if manifest["format"] != FORMAT:
        got = repr(manifest["format"])
        raise ReleaseRejected(f"{MANIFEST} is of another format", where=str(path), expected=FORMAT, got=got)
    if manifest["format_version"] != FORMAT_VERSION:
        got = f"format version {manifest['format_version']}"
        raise ReleaseRejected(f"{MANIFEST} is of another format", expected=f"format version {FORMAT_VERSION}", got=got)
    if not _has_parts(manifest):
        raise ReleaseRejected(f"{MANIFEST} is damaged below its top level", where=str(path), next_step="build it again")
    return dict(manifest)


def version_numbers(tag: str) -> tuple[int, ...]:
    """The numbers of a version's tag, by which versions are in order; none for any other tag."""
    match = VERSION_TAG.fullmatch(tag)
    return tuple(map(int, match.groups())) if match else ()


def _has_parts(manifest: dict[str, Any]) -> bool:
    """Whether the parts that readers rely on are there, each of its type: of the whole, each config, each file."""
    whole = {"version": str, "simulated": bool, "configs": dict, "files": dict, "raw": list, "gates": list}
    if not _has(manifest, whole) or not VERSION_TAG.fullmatch(f"v{manifest['version']}"):
        return False
    configs, files = manifest["configs"].values(), manifest["files"].values()
    lists = [*manifest["raw"], *manifest["gates"]]
    return (
        all(_has(config, {"splits": dict}) for config in configs)
        and all(_has(facts, {"bytes": int, "sha256": str}) for facts in files)
        and all(isinstance(entry, dict) for entry in lists)
    )


def _has(part: Any, kinds: dict[str, type]) -> bool:
    return isinstance(part, dict) and all(isinstance(part.get(name), kind) for name, kind in kinds.items())


def parquet_files(manifest: dict[str, Any]) -> dict[str, Any]:
    """The facts of the parquet files of a release, by path."""
    return {path: facts for path, facts in manifest["files"].items() if path.endswith(".parquet")}


def splits_of(manifest: dict[str, Any], config: str) -> list[str]:
    """The splits of a config that have people; the items are one split of their own."""
    return [ITEMS_CONFIG] if config == ITEMS_CONFIG else list(manifest["configs"][config]["splits"])


def shard_paths(manifest: dict[str, Any], config: str, split: str) -> list[str]:
    """The parquet files of a split, relative to the release, in order."""
    start = _shards_start(config, split)
    return sorted(path for path in manifest["files"] if path.startswith(start))


def shard_pattern(config: str, split: str) -> str:
    """The pattern that the shards of a split match, and no other file of a release."""
    return f"{_shards_start(config, split)}*.parquet"


def shard_files(release: Path, manifest: dict[str, Any], config: str, split: str) -> list[Path]:
    """The parquet files of a split where they lie. `ReleaseRejected` where the manifest names none."""
    paths = [release / name for name in shard_paths(manifest, config, split)]
    if not paths:
        raise ReleaseRejected(f"the manifest names no file of {config}, {split}", where=str(release))
    return paths


def shard_name(config: str, split: str, index: int, count: int) -> str:
    """The path of one shard of a split."""
    return f"{_shards_start(config, split)}{index:05d}-of-{count:05d}.parquet"


def _shards_start(config: str, split: str) -> str:
    return f"data/{config}/{split}-"
