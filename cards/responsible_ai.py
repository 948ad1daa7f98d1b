"""The texts of a release's description and of its responsible-AI properties (`cards/tables/responsible_ai.toml`)."""

from __future__ import annotations

from typing import Any

from papi.tables import read_toml

TABLE = "responsible_ai.toml"
DESCRIPTION = "description"
PREFIX = "rai:"


def cardinalities() -> dict[str, str]:
    """The properties of Croissant RAI 1.0, each ONE or MANY."""
    known: dict[str, str] = read_toml("cards", "croissant.toml")["responsible_ai"]
    return known


def responsible_ai(manifest: dict[str, Any]) -> dict[str, str | list[str]]:
    """The properties that have something to say of a release, by their prefixed names: a text, or a list where many."""
    texts = {name: _texts(name, manifest) for name in read_toml("cards", TABLE) if name != DESCRIPTION}
    many = {name for name, cardinality in cardinalities().items() if cardinality == "MANY"}
    return {f"{PREFIX}{name}": each if name in many else " ".join(each) for name, each in texts.items() if each}


def description(manifest: dict[str, Any]) -> str:
    """What a release is, in a few sentences."""
    return " ".join(_texts(DESCRIPTION, manifest))


def _texts(name: str, manifest: dict[str, Any]) -> list[str]:
    """The texts of a property that hold for this release, with its numbers."""
    numbers = {
        "configs": ", ".join(manifest["configs"]),
        "min_country": manifest["privacy"]["min_country"],
        "smallest_cell": manifest["privacy"]["smallest_cell"],
        "code": manifest["code"]["palign-papi"],
    }
    entries = read_toml("cards", TABLE)[name]
    return [entry["text"].format(**numbers) for entry in entries if _holds(entry, manifest)]


def _holds(entry: dict[str, Any], manifest: dict[str, Any]) -> bool:
    people = "simulated" if manifest["simulated"] else "real"
    there = manifest["configs"].keys()
    return entry.get("people", people) == people and not there.isdisjoint(entry.get("instruments", there))
