"""The front matter of a release's README: which files are which config and split, and what their columns are.

`datasets` takes the types from here: a class column is int8 in the parquet file and becomes a ClassLabel only because
`dataset_info.features` says so. A column declared here and absent in a file would be silently null; the release is
loaded back in the tests.
"""

from __future__ import annotations

from typing import Any

import yaml

from papi.columns import Column, columns_of
from papi.instruments import DEFAULT_CONFIG, ITEMS_CONFIG
from papi.manifest import shard_paths, shard_pattern, splits_of
from papi.reading import DEFAULT_RELEASE
from papi.tables import read_toml

PRETTY_NAME = "PAPI: Personality Alignment with Personality Inventories"
LICENSE_LINK = "LICENSE.md"
HUB_PAGE = f"https://huggingface.co/datasets/{DEFAULT_RELEASE}"


def front_matter(manifest: dict[str, Any]) -> str:
    """The YAML block of a release, between its dashes."""
    return f"---\n{yaml.safe_dump(_metadata(manifest), sort_keys=False, allow_unicode=True, width=110)}---\n"


def title(manifest: dict[str, Any]) -> str:
    """The name of a release; it says so where its people are simulated."""
    return f"{PRETTY_NAME} (simulated people)" if manifest["simulated"] else PRETTY_NAME


def keywords(manifest: dict[str, Any]) -> list[str]:
    """What to find a release by."""
    return ["personality", "psychometrics", "alignment", *(["simulated"] if manifest["simulated"] else [])]


def configs_of(manifest: dict[str, Any]) -> list[str]:
    """The configs of a release: its instruments, then the items."""
    return [*manifest["configs"], ITEMS_CONFIG]


def _metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    configs = configs_of(manifest)
    default = DEFAULT_CONFIG if DEFAULT_CONFIG in configs else configs[0]
    return {
        "pretty_name": title(manifest),
        "language": ["en"],
        "license": "other",
        "license_name": "by-part",
        "license_link": LICENSE_LINK,
        **read_toml("cards", "card.toml")["metadata"],
        "size_categories": [_size_category(manifest)],
        "tags": keywords(manifest),
        "configs": [_config(manifest, name, default) for name in configs],
        "dataset_info": [_dataset_info(manifest, name) for name in configs],
    }


def _size_category(manifest: dict[str, Any]) -> str:
    """The Hub's name for how many people there are."""
    people = sum(config["people"] for config in manifest["configs"].values())
    sizes: dict[str, int] = read_toml("cards", "card.toml")["sizes"]
    return [name for name, least in sizes.items() if people >= least][-1]


def _config(manifest: dict[str, Any], name: str, default: str) -> dict[str, Any]:
    files = [{"split": split, "path": shard_pattern(name, split)} for split in splits_of(manifest, name)]
    return {"config_name": name, **({"default": True} if name == default else {}), "data_files": files}


def _dataset_info(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    splits = [_split(manifest, name, split) for split in splits_of(manifest, name)]
    size = sum(split["num_bytes"] for split in splits)
    features = [_feature(column) for column in columns_of(name)]
    return {"config_name": name, "features": features, "splits": splits, "download_size": size, "dataset_size": size}


def _split(manifest: dict[str, Any], config: str, split: str) -> dict[str, Any]:
    facts = [manifest["files"][path] for path in shard_paths(manifest, config, split)]
    size, rows = (sum(fact[key] for fact in facts) for key in ("bytes", "rows"))
    return {"name": split, "num_bytes": size, "num_examples": rows}


def _feature(column: Column) -> dict[str, Any]:
    if column.classes:
        return {"name": column.name, "dtype": {"class_label": {"names": dict(_numbered(column.classes))}}}
    return {"name": column.name, "dtype": column.kind}


def _numbered(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(str(code), name) for code, name in enumerate(names)]
