"""The card of a release: its sections in order, and the facts that their templates are rendered from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cards.changelog import newest_entry
from cards.fields import field_rows
from cards.figures import Figure
from cards.figures.stated import alphas
from cards.front_matter import HUB_PAGE, configs_of, front_matter, title
from cards.rendering import render
from papi.instruments import instrument
from papi.manifest import shard_paths, splits_of
from papi.reading import DEFAULT_RELEASE
from papi.tables import read_csv, read_toml

SECTIONS = (
    "summary",
    "fields",
    "splits",
    "provenance",
    "quality",
    "errata",
    "privacy",
    "uses",
    "rights",
    "versions",
    "loading",
)


def card(manifest: dict[str, Any], changes: str, figures: Sequence[Figure] = ()) -> str:
    """README.md of a release: front matter and text. `changes` is its changelog. A missing fact is an error."""
    facts = _facts(manifest) | {"changes": newest_entry(changes), "figures": list(figures)}
    sections = [render(f"section_{name}.md.j2", **facts) for name in SECTIONS]
    return front_matter(manifest) + "\n" + "\n".join(sections)


def _facts(manifest: dict[str, Any]) -> dict[str, Any]:
    first = next(iter(manifest["configs"]))
    return {
        "m": manifest,
        "title": title(manifest),
        "simulated": manifest["simulated"],
        "repository": DEFAULT_RELEASE,
        "page": HUB_PAGE,
        "first": first,
        "shards": [path for split in splits_of(manifest, first) for path in shard_paths(manifest, first, split)],
        "instruments": read_toml("cards", "card.toml")["instruments"],
        "fields": {config: field_rows(config) for config in configs_of(manifest)},
        "flags": _flags(manifest),
        "alphas": _alphas(manifest),
        "predecessor": read_toml("cards", "predecessor.toml"),
        "rules": read_csv("papi", "version_rules.csv"),
    }


def _flags(manifest: dict[str, Any]) -> list[str]:
    """Every flag that some config has."""
    return list(dict.fromkeys(flag for config in manifest["configs"].values() for flag in config["quality"]["flags"]))


def _alphas(manifest: dict[str, Any]) -> dict[str, Any]:
    """The alphas of the facets: per facet one `Alpha` for each IPIP form of the release."""
    forms = [name for name in manifest["configs"] if instrument(name).is_ipip]
    by_form = [[alpha for alpha in alphas(manifest, form) if alpha.scale in _facets(form)] for form in forms]
    return {"forms": forms, "facets": list(zip(*by_form, strict=True))}


def _facets(form: str) -> set[str]:
    return {facet.name for facet in instrument(form).facets}
