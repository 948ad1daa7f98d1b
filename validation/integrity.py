"""A release against its manifest: every file there, nothing else, every byte the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from papi.errors import SHOWN_PLACES, EnvironmentProblem, MissingFile, Place, ReleaseRejected
from papi.files import sha256_of_file, translated
from papi.manifest import MANIFEST, read_manifest
from papi.parquet import count_rows


def verify_release(release: Path) -> dict[str, Any]:
    """The manifest of a release whose files are exactly those it names. Raises `ReleaseRejected` with every difference.

    Raises also what `read_manifest` raises, and `EnvironmentProblem` where a file cannot be read.
    """
    manifest = read_manifest(release)
    problems = integrity_problems(release, manifest)
    if problems:
        raise ReleaseRejected(
            f"{release} is not the release that its manifest describes",
            places=problems[:SHOWN_PLACES],
            total=len(problems),
            where=str(release),
            next_step="fetch the release again, or build it again",
        )
    return manifest


def integrity_problems(release: Path, manifest: dict[str, Any]) -> list[Place]:
    """Files that are missing, extra, or other than the manifest says, in the order of their names."""
    there = {path.relative_to(release).as_posix() for path in _plain_files(release)} - {MANIFEST}
    problems = []
    for name in sorted(there | manifest["files"].keys()):
        facts = manifest["files"].get(name)
        if facts is None:
            problems.append(Place(name, "a file named in the manifest", "a file it does not name"))
        elif name not in there:
            problems.append(Place(name, "a file", "nothing"))
        else:
            problems.extend(_differences(release / name, name, facts))
    return problems


def _plain_files(release: Path) -> list[Path]:
    with translated(release, "search"):
        return [path for path in release.rglob("*") if path.is_file() or path.is_symlink()]


def _differences(path: Path, name: str, facts: dict[str, Any]) -> list[Place]:
    """At most one difference: a wrong hash says more than the size that goes with it."""
    try:
        size, digest = path.stat().st_size, sha256_of_file(path)
    except (OSError, MissingFile) as error:
        raise EnvironmentProblem(f"cannot read {name}", where=str(path), got=str(error)) from error
    if size != facts.get("bytes"):
        return [Place(name, f"{facts.get('bytes'):,} bytes", f"{size:,} bytes")]
    if digest != facts.get("sha256"):
        return [Place(name, f"sha256 {facts.get('sha256')}", f"sha256 {digest}")]
    if "rows" in facts and count_rows(path) != facts["rows"]:
        return [Place(name, f"{facts['rows']:,} rows", f"{count_rows(path):,} rows")]
    return []
