"""What must hold of a release's Croissant description, beside what mlcroissant checks of any.

mlcroissant accepts a misspelt `rai:` property and a missing name, and sees a wrong hash, column or format only when the
records are read, of several shards not even then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cards.croissant import (
    FIELD,
    FILE_OBJECT,
    FILE_SET,
    RECORD_SET,
    Node,
    content_size,
    data_type_of,
    record_set_id,
    record_sets_of,
    source_of,
)
from cards.responsible_ai import PREFIX, cardinalities
from papi.columns import columns_of, key_of
from papi.manifest import parquet_files
from papi.tables import read_toml

EMPTY: tuple[object, ...] = (None, "", [], {})
SIMULATED = "simulated"


def croissant_problems(document: Node, manifest: dict[str, Any]) -> list[str]:
    """What is wrong with the description of the release that has this manifest; empty where it is sound."""
    parts = (_dataset(document, manifest), _responsible_ai(document), _files(document, manifest))
    return [*(problem for part in parts for problem in part), *_record_sets(document, manifest)]


def _dataset(document: Node, manifest: dict[str, Any]) -> Iterator[str]:
    facts = read_toml("cards", "croissant.toml")
    for name in facts["required"] + ([] if manifest["simulated"] else facts["required_of_real"]):
        if document.get(name) in EMPTY:
            yield f"{name} is missing"
    yield from _differs("conformsTo", facts["conforms_to"], document.get("conformsTo"))
    yield from _differs("version", manifest["version"], document.get("version"))
    yield from _differs("datePublished", manifest.get("date"), document.get("datePublished"))
    for name in ("name", "description"):
        if manifest["simulated"] and SIMULATED not in str(document.get(name)):
            yield f"{name} does not say that the people are simulated"


def _responsible_ai(document: Node) -> Iterator[str]:
    known = cardinalities()
    for name, value in document.items():
        if not name.startswith(PREFIX):
            continue
        cardinality = known.get(name.removeprefix(PREFIX))
        if cardinality is None:
            yield f"{name} is no property of Croissant RAI 1.0"
        elif value in EMPTY:
            yield f"{name} is empty"
        elif cardinality == "ONE" and not isinstance(value, str):
            yield f"{name} must be one text"


def _files(document: Node, manifest: dict[str, Any]) -> Iterator[str]:
    """Every parquet file is described as it is, each once and nothing else."""
    file_format = read_toml("cards", "croissant.toml")["file_format"]
    described = _nodes(document, "distribution", FILE_OBJECT)
    for path, facts in parquet_files(manifest).items():
        found = [node for node in described if node.get("contentUrl") == path]
        if len(found) != 1:
            yield f"{path} is described {len(found)} times"
        for node in found:
            yield from _differs(f"@id of {path}", path, node.get("@id"))
            yield from _differs(f"sha256 of {path}", facts["sha256"], node.get("sha256"))
            yield from _differs(f"contentSize of {path}", content_size(facts), node.get("contentSize"))
    for node in described:
        if node.get("contentUrl") not in parquet_files(manifest):
            yield f"{node.get('contentUrl')} is no parquet file of the release"
    for node in [*described, *_nodes(document, "distribution", FILE_SET)]:
        yield from _differs(f"encodingFormat of {node.get('@id')}", file_format, node.get("encodingFormat"))


def _record_sets(document: Node, manifest: dict[str, Any]) -> Iterator[str]:
    """Every config and split is a record set with all its columns, and there is no other."""
    described = _nodes(document, "recordSet", RECORD_SET)
    names = [record_set_id(*place) for place in record_sets_of(manifest)]
    yield from _differs("the record sets", names, [node.get("@id") for node in described])
    for place, name in zip(record_sets_of(manifest), names, strict=True):
        for node in described:
            if node.get("@id") == name:
                yield from _record_set(node, manifest, *place)


def _record_set(node: Node, manifest: dict[str, Any], config: str, split: str) -> Iterator[str]:
    name, source = record_set_id(config, split), source_of(manifest, config, split)
    yield from _differs(f"key of {name}", [{"@id": f"{name}/{key}"} for key in key_of(config)], node.get("key"))
    fields = {str(field.get("name")): field for field in _nodes(node, "field", FIELD)}
    columns = {column.name: column for column in columns_of(config)}
    for column in sorted(columns.keys() - fields.keys()):
        yield f"{name} lacks the column {column}"
    for column in sorted(fields.keys() - columns.keys()):
        yield f"{name} has a field {column}, which is no column"
    for column in [name for name in columns if name in fields]:
        where, field = f"{name}/{column}", fields[column]
        yield from _differs(f"@id of {where}", where, field.get("@id"))
        yield from _differs(f"dataType of {where}", data_type_of(columns[column]), field.get("dataType"))
        yield from _differs(f"source of {where}", {**source, "extract": {"column": column}}, field.get("source"))
        if field.get("description") in EMPTY:
            yield f"{where} has no description"


def _nodes(parent: Node, key: str, kind: str) -> list[Node]:
    """The nodes of a kind in a list; what is no node is left out."""
    listed = parent.get(key)
    nodes = listed if isinstance(listed, list) else []
    return [node for node in nodes if isinstance(node, dict) and node.get("@type") == kind]


def _differs(what: str, expected: object, got: object) -> Iterator[str]:
    if got != expected:
        yield f"{what}: expected {expected}, got {got}"
