"""The Croissant 1.1 description of a release (`croissant.json`), with responsible-AI properties, from its manifest.

Every config and split is a record set of its own, named as in `load_dataset`: `ipip-neo-300/test`, `items/items`. Its
fields come from the split's parquet file or, where it has several shards, from the set of them. (mlcroissant 1.1.1
checks the hash of a file that it reads alone. It reads a file set only from the folder of the description, without
looking at hashes; a set said to be contained in its shards would be right too, but there it finds no records.)

The paths of the files are relative. mlcroissant reads them in the folder of croissant.json; on the Hub they resolve
against the address of croissant.json, `…/resolve/<revision>/croissant.json`, but mlcroissant does not do that.
"""

from __future__ import annotations

from typing import Any

from cards.front_matter import HUB_PAGE, LICENSE_LINK, configs_of, keywords, title
from cards.responsible_ai import description, responsible_ai
from papi.columns import Column, columns_of, key_of
from papi.instruments import ITEMS_CONFIG
from papi.manifest import parquet_files, shard_paths, shard_pattern, splits_of
from papi.tables import read_toml

CROISSANT = "croissant.json"
FILE_OBJECT, FILE_SET, RECORD_SET, FIELD = "cr:FileObject", "cr:FileSet", "cr:RecordSet", "cr:Field"
Node = dict[str, Any]


def croissant(manifest: dict[str, Any]) -> Node:
    """The whole description as JSON-LD. The same manifest gives the same description, in the same order."""
    facts = read_toml("cards", "croissant.toml")
    address = {} if manifest["simulated"] else {"url": HUB_PAGE}
    return {
        "@context": dict(facts["context"]),
        "@type": "sc:Dataset",
        "name": title(manifest),
        "description": description(manifest),
        "conformsTo": list(facts["conforms_to"]),
        "version": manifest["version"],
        **_date(manifest),
        "license": LICENSE_LINK,
        **address,
        "creator": {"@type": "sc:Organization", "name": facts["creator"]},
        "citeAs": _citation(manifest, facts["creator"]),
        "keywords": keywords(manifest),
        "inLanguage": facts["language"],
        "isLiveDataset": False,
        **responsible_ai(manifest),
        "distribution": [*_files(manifest), *_file_sets(manifest)],
        "recordSet": [_record_set(manifest, config, split) for config, split in record_sets_of(manifest)],
    }


def record_sets_of(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Every config and split of a release."""
    return [(config, split) for config in configs_of(manifest) for split in splits_of(manifest, config)]


def record_set_id(config: str, split: str) -> str:
    """The name by which the record set of a config and split is read."""
    return f"{config}/{split}"


def source_of(manifest: dict[str, Any], config: str, split: str) -> Node:
    """What the fields of a record set are read from: the one file of the split, or the set of its shards."""
    shards = shard_paths(manifest, config, split)
    if len(shards) == 1:
        return {"fileObject": {"@id": shards[0]}}
    return {"fileSet": {"@id": f"{record_set_id(config, split)}/files"}}


def data_type_of(column: Column) -> str:
    """The Croissant data type of a column; a class is its number."""
    return str(read_toml("cards", "croissant.toml")["data_types"][column.kind])


def content_size(facts: dict[str, Any]) -> str:
    """The size of a file of the manifest, as Croissant writes it."""
    return f"{facts['bytes']} B"


def _date(manifest: dict[str, Any]) -> Node:
    """The date of publication. It is required, but a release built without a date has none; mlcroissant warns of it."""
    return {"datePublished": manifest["date"]} if "date" in manifest else {}


def _citation(manifest: dict[str, Any], creator: str) -> str:
    year = f"year = {{{manifest['date'][:4]}}}, " if "date" in manifest else ""
    version = f"version = {{{manifest['version']}}}"
    return f"@misc{{papi, title = {{{title(manifest)}}}, author = {{{{{creator}}}}}, {year}{version}}}"


def _files(manifest: dict[str, Any]) -> list[Node]:
    file_format = read_toml("cards", "croissant.toml")["file_format"]
    return [
        {
            "@type": FILE_OBJECT,
            "@id": path,
            "name": path.rpartition("/")[2],
            "contentUrl": path,
            "contentSize": content_size(facts),
            "encodingFormat": file_format,
            "sha256": facts["sha256"],
        }
        for path, facts in parquet_files(manifest).items()
    ]


def _file_sets(manifest: dict[str, Any]) -> list[Node]:
    """The shards of every split that has more than one."""
    sources = {place: source_of(manifest, *place) for place in record_sets_of(manifest)}
    return [
        {
            "@type": FILE_SET,
            "@id": source["fileSet"]["@id"],
            "name": f"the shards of {record_set_id(config, split)}",
            "encodingFormat": read_toml("cards", "croissant.toml")["file_format"],
            "includes": shard_pattern(config, split),
        }
        for (config, split), source in sources.items()
        if "fileSet" in source
    ]


def _record_set(manifest: dict[str, Any], config: str, split: str) -> Node:
    name, source = record_set_id(config, split), source_of(manifest, config, split)
    rows = sum(manifest["files"][path]["rows"] for path in shard_paths(manifest, config, split))
    row = "an item" if config == ITEMS_CONFIG else "a person"
    return {
        "@type": RECORD_SET,
        "@id": name,
        "name": name,
        "description": f"config {config}, split {split}: {rows:,} rows, one {row}",
        "key": [{"@id": f"{name}/{column}"} for column in key_of(config)],
        "field": [_field(column, name, source) for column in columns_of(config)],
    }


def _field(column: Column, record_set: str, source: Node) -> Node:
    return {
        "@type": FIELD,
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": column.meaning + _codes(column),
        "dataType": data_type_of(column),
        "source": {**source, "extract": {"column": column.name}},
    }


def _codes(column: Column) -> str:
    """What the numbers of a class mean.

    Said here and not in an enumeration that the field references: mlcroissant joins what is referenced, and of several
    joins it does only the first.
    """
    return f"; {column.codes}" if column.classes else ""
