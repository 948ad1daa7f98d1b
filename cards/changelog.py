"""CHANGELOG.md of a release: an entry drafted from what changed since the last version, above the older entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cards.rendering import render

CHANGELOG = "CHANGELOG.md"
ENTRY = "## "  # how the heading of an entry begins


@dataclass(frozen=True)
class Change:
    """What changed since version `since`: `kind` major, minor or patch, why, and the parts of `papi diff`."""

    since: str
    kind: str
    reasons: list[str]
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, list[Any]] = field(default_factory=dict)
    gates: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """What a changelog is written from: the change (None: a first version), the maintainers' words, older entries."""

    change: Change | None = None
    notes: str = ""
    older: str = ""


def changelog(manifest: dict[str, Any], history: History) -> str:
    """The whole file."""
    return render("changelog.md.j2", m=manifest, change=history.change, notes=history.notes, older=history.older)


def older_entries(text: str) -> str:
    """The entries of a changelog, without what stands above them."""
    start = text.find(f"\n{ENTRY}")
    return text[start:].strip() if start >= 0 else ""


def newest_entry(text: str) -> str:
    """The first entry of a changelog, without its heading."""
    body = older_entries(text).partition("\n")[2]
    return body.partition(f"\n{ENTRY}")[0].strip()
