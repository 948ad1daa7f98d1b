"""How a new release follows on the last one: what changed, whether its version says so, and the older entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cards.changelog import CHANGELOG, ENTRY, Change, History, older_entries
from papi.errors import InputRejected
from papi.files import read_bytes
from papi.manifest import read_manifest
from validation.difference import compare_releases
from validation.versions import change_kind, reasons, refuse_too_small


def history_of(release: Path, manifest: dict[str, Any], previous: Path | None, notes: Path | None) -> History:
    """What the changelog of `release` is written from; its manifest may not be written yet.

    Raises `UsageError` where the version is too small for what changed since `previous`, and what reading a release
    or a file raises.
    """
    words = _text(notes) if notes else ""
    if any(line.startswith(ENTRY) for line in words.splitlines()):
        advice = f"begin headings with #{ENTRY}"
        raise InputRejected("notes may not hold a heading of a version", where=str(notes), got=ENTRY, next_step=advice)
    if previous is None:
        return History(notes=words)
    difference = compare_releases(previous, release, manifest)
    since = read_manifest(previous)["version"]
    refuse_too_small(since, manifest["version"], difference)
    found = [str(reason) for reason in reasons(difference)]
    change = Change(since, change_kind(difference) or "patch", found, **vars(difference))
    older = previous / CHANGELOG
    return History(change, words, older_entries(_text(older)) if older.is_file() else "")


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise InputRejected(f"{path.name} is no text", where=str(path), expected="UTF-8", got=str(error)) from error
