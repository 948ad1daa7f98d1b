"""The Croissant description: accepted and read by mlcroissant, and held to what mlcroissant does not look at."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cards import release_texts
from cards.changelog import History
from cards.croissant import CROISSANT, croissant, record_set_id, record_sets_of
from cards.croissant_checks import croissant_problems
from cards.responsible_ai import cardinalities
from papi.columns import columns_of
from papi.errors import ReleaseRejected
from papi.files import sha256_of_file, write_json
from papi.instruments import DARK_TRIAD, DEV, IPIP_120, IPIP_300, ITEMS_CONFIG, TEST
from papi.manifest import read_manifest, shard_name, shard_paths
from papi.parquet import read_parquet, write_parquet

pytestmark = [
    # rdflib 7.6.0 warns of the class that its own JSON-LD parser uses.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated, use Dataset instead.:DeprecationWarning"),
    # mlcroissant 1.1.1 resets the index of a frame in place, of which pandas 3.1 warns.
    pytest.mark.filterwarnings(
        "ignore:The inplace keyword in DataFrame.reset_index is deprecated and will be removed in a future version"
        ":pandas.errors.Pandas4Warning"
    ),
]
NO_DATE = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'
ROWS = 3  # mlcroissant takes a twentieth of a second for a person of ipip-neo-300, and reads 100 at a time
Node = dict[str, Any]


def opened(release: Path) -> Any:
    import mlcroissant

    return mlcroissant.Dataset(str(release / CROISSANT))


def described(release: Path) -> Node:
    return json.loads((release / CROISSANT).read_text())


@pytest.fixture(scope="module")
def manifest(release: Path) -> Node:
    return read_manifest(release)


@pytest.fixture(scope="module")
def small(release: Path, manifest: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with a few people a split, among them one with a missing answer, and `dev` in two shards."""
    return shortened(release, manifest, list(manifest["configs"]), tmp_path_factory.mktemp("small"))


@pytest.fixture
def dark(release: Path, manifest: Node, tmp_path: Path) -> Path:
    """The same of the Dark Triad alone, to be changed."""
    return shortened(release, manifest, [DARK_TRIAD], tmp_path / "dark")


def shortened(release: Path, manifest: Node, configs: list[str], folder: Path) -> Path:
    mine = copy.deepcopy(manifest) | {"configs": {name: manifest["configs"][name] for name in configs}, "files": {}}
    for config, split in record_sets_of(mine):
        table = few_rows(read_parquet([release / p for p in shard_paths(manifest, config, split)], config))
        shards = [table[:1], table[1:]] if split == DEV else [table]
        for index, shard in enumerate(shards):
            name = shard_name(config, split, index, len(shards))
            write_parquet(folder / name, shard, config)
            mine["files"][name] = {
                "sha256": sha256_of_file(folder / name),
                "bytes": (folder / name).stat().st_size,
                "rows": len(shard),
            }
    write_json(folder / "manifest.json", mine)
    write_json(folder / CROISSANT, croissant(mine))
    return folder


def few_rows(table: pa.Table) -> pa.Table:
    """The first rows, the last of them replaced by the one with the most nulls."""
    nulls = [sum(value is None for value in row.values()) for row in table.to_pylist()]
    return table.take([*range(ROWS - 1), max(range(ROWS - 1, len(nulls)), key=nulls.__getitem__)])


def records(dataset: Any, config: str, split: str) -> list[Node]:
    """Records as plain rows: mlcroissant prefixes the columns with the record set and gives texts as bytes."""
    name = record_set_id(config, split)
    return [
        {
            key.removeprefix(f"{name}/"): value.decode() if isinstance(value, bytes) else value
            for key, value in r.items()
        }
        for r in dataset.records(name)
    ]


def test_mlcroissant_accepts_a_release_without_the_network(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *to: pytest.fail("went to the network"))
    issues = opened(release).metadata.issues
    assert issues.errors == set()
    assert [warning.partition("] ")[2] for warning in issues.warnings] == [NO_DATE]


def test_with_a_date_there_is_nothing_to_warn_of(dark: Path, caplog: pytest.LogCaptureFixture) -> None:
    dated = read_manifest(dark) | {"date": "2026-01-31"}
    write_json(dark / CROISSANT, croissant(dated))
    dataset = opened(dark)
    assert (dataset.metadata.issues.errors, dataset.metadata.issues.warnings) == (set(), set())
    assert caplog.records == []  # where it warns of a context that lacks keys
    assert str(dataset.metadata.date_published) == "2026-01-31 00:00:00"
    assert "year = {2026}" in dataset.metadata.cite_as


def test_records_are_the_rows_of_the_files(small: Path) -> None:
    dataset, manifest = opened(small), read_manifest(small)
    for config, split in record_sets_of(manifest):
        paths = [small / path for path in shard_paths(manifest, config, split)]
        expected = [row for path in paths for row in pq.read_table(path).to_pylist()]
        assert (len(expected), len(paths)) == (ROWS, 2 if split == DEV else 1)
        assert records(dataset, config, split) == expected
    missing = records(dataset, IPIP_300, DEV)[-1]
    answers = [missing[f"i{n}"] for n in range(1, 301)]
    assert None in answers
    assert {type(answer) for answer in answers} == {int, type(None)}


def test_every_column_has_its_meaning_and_type(manifest: Node, release: Path) -> None:
    document = described(release)
    fields = {field["@id"]: field for part in document["recordSet"] for field in part["field"]}
    assert len(fields) == sum(len(columns_of(config)) for config, _ in record_sets_of(manifest))
    assert fields[f"{IPIP_300}/test/sex"]["description"] == "as reported; null = not known; 0 male, 1 female"
    expected = {"i1": "sc:Integer", "country": "sc:Text", "irv": "sc:Float", "flag_missing": "sc:Boolean"}
    assert {name: fields[f"{IPIP_120}/dev/{name}"]["dataType"] for name in expected} == expected


def test_simulated_people_are_called_so(release: Path) -> None:
    document = described(release)
    said = ("name", "description", "rai:dataCollection", "rai:dataCollectionRawData", "rai:dataSocialImpact")
    assert all("simulated" in document[name] for name in said)
    for name in ("rai:personalSensitiveInformation", "rai:dataLimitations", "rai:dataBiases", "rai:dataUseCases"):
        assert any("simulated" in text.lower() for text in document[name])
    assert "url" not in document


def test_real_people_are_described_by_the_instruments_there_are(manifest: Node) -> None:
    real = manifest | {"simulated": False}
    document = croissant(real)
    assert croissant_problems(document, real) == []
    assert "simulated" not in json.dumps(document).lower()
    assert any("under 18" in text for text in document["rai:personalSensitiveInformation"])
    dark = croissant(real | {"configs": {DARK_TRIAD: manifest["configs"][DARK_TRIAD]}})
    texts = json.dumps({name: value for name, value in dark.items() if name.startswith("rai:")})
    assert "consent" in texts
    assert "IPIP" not in texts


def test_the_vocabulary_is_that_of_mlcroissant_but_for_two_spellings() -> None:
    from mlcroissant._src.core import constants

    theirs = {str(v).removeprefix(constants.RAI) for k, v in vars(constants).items() if k.startswith("ML_COMMONS_RAI_")}
    assert theirs - cardinalities().keys() == {"dataCollectionTimeFrame", "dataDataManipulationProtocol"}
    assert cardinalities().keys() - theirs == {"dataCollectionTimeframe", "dataManipulationProtocol"}


def rename(parent: Node, old: str, new: str) -> None:
    parent[new] = parent.pop(old)


FILE = f"data/{DARK_TRIAD}/{TEST}-00000-of-00001.parquet"
SHARD = f"data/{DARK_TRIAD}/{DEV}-00001-of-00002.parquet"
TEST_ID, DEV_ID, ITEMS_ID = f"{DARK_TRIAD}/{TEST}", f"{DARK_TRIAD}/{DEV}", f"{ITEMS_CONFIG}/{ITEMS_CONFIG}"


def node(document: Node, name: str) -> Node:
    parts = [*document["distribution"], *document["recordSet"], *(f for r in document["recordSet"] for f in r["field"])]
    return next(part for part in parts if part["@id"] == name)


def without(document: Node, key: str, name: str) -> None:
    document[key] = [part for part in document[key] if part["@id"] != name]


def set_in(name: str, key: str, value: object) -> Callable[[Node], None]:
    return lambda document: node(document, name).update({key: value})


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda d: rename(d, "rai:dataBiases", "rai:dataBaises"), "rai:dataBaises is no property"),
        (lambda d: d.update({"rai:dataBiases": []}), "rai:dataBiases is empty"),
        (lambda d: d.update({"rai:dataCollection": ["a", "b"]}), "rai:dataCollection must be one text"),
        (lambda d: d.pop("name"), "name is missing"),
        (lambda d: d.update(name="PAPI"), "name does not say that the people are simulated"),
        (lambda d: d.pop("description"), "description is missing"),
        (lambda d: d.pop("license"), "license is missing"),
        (lambda d: d.update(version="9.9.9"), "version: expected 0.0.0, got 9.9.9"),
        (lambda d: d.update(conformsTo=d["conformsTo"][:1]), "conformsTo: expected"),
        (lambda d: d.update(datePublished="2026-01-31"), "datePublished: expected None"),
        (set_in(FILE, "sha256", "0" * 64), f"sha256 of {FILE}"),
        (set_in(SHARD, "sha256", "0" * 64), f"sha256 of {SHARD}"),
        (set_in(FILE, "contentSize", "1 B"), f"contentSize of {FILE}"),
        (set_in(FILE, "encodingFormat", "application/vnd.apache.parquet"), f"encodingFormat of {FILE}"),
        (set_in(f"{DEV_ID}/files", "encodingFormat", "text/csv"), f"encodingFormat of {DEV_ID}/files"),
        (set_in(FILE, "contentUrl", "other.parquet"), "other.parquet is no parquet file of the release"),
        (lambda d: without(d, "distribution", FILE), f"{FILE} is described 0 times"),
        (lambda d: d["distribution"].append(node(d, FILE)), f"{FILE} is described 2 times"),
        (lambda d: without(d, "recordSet", ITEMS_ID), "the record sets: expected"),
        (lambda d: without(node(d, TEST_ID), "field", f"{TEST_ID}/M1"), f"{TEST_ID} lacks the column M1"),
        (set_in(f"{TEST_ID}/M1", "name", "M0"), f"{TEST_ID} has a field M0, which is no column"),
        (set_in(f"{TEST_ID}/M1", "dataType", "sc:Text"), f"dataType of {TEST_ID}/M1"),
        (set_in(f"{TEST_ID}/M1", "source", {"fileObject": {"@id": SHARD}}), f"source of {TEST_ID}/M1"),
        (set_in(f"{TEST_ID}/M1", "description", ""), f"{TEST_ID}/M1 has no description"),
        (lambda d: node(d, TEST_ID).pop("key"), f"key of {TEST_ID}"),
        (lambda d: d.update(recordSet="nonsense"), "the record sets: expected"),
    ],
)
def test_whatever_is_wrong_is_found(dark: Path, damage: Callable[[Node], object], found: str) -> None:
    document, manifest = described(dark), read_manifest(dark)
    assert croissant_problems(document, manifest) == []
    damage(document)
    assert [problem for problem in croissant_problems(document, manifest) if problem.startswith(found)]


def test_real_people_need_an_address(manifest: Node) -> None:
    real = manifest | {"simulated": False}
    document = croissant(real)
    del document["url"]
    assert croissant_problems(document, real) == ["url is missing"]


def damaged(dark: Path, damage: Callable[[Node], object]) -> Any:
    document = described(dark)
    damage(document)
    write_json(dark / CROISSANT, document)
    return opened(dark)


def test_mlcroissant_itself_passes_over_names_and_misspelt_properties(dark: Path) -> None:
    dataset = damaged(dark, lambda d: (rename(d, "rai:dataBiases", "rai:dataBaises"), d.pop("name")))
    assert dataset.metadata.issues.errors == set()


def test_mlcroissant_sees_a_wrong_hash_when_it_reads_and_only_of_a_single_file(dark: Path) -> None:
    from mlcroissant import GenerationError

    wrong = (set_in(FILE, "sha256", "0" * 64), set_in(SHARD, "sha256", "0" * 64))
    dataset = damaged(dark, lambda d: [each(d) for each in wrong])
    with pytest.raises(GenerationError) as caught:
        records(dataset, DARK_TRIAD, TEST)
    assert "is not identical with the reference" in str(caught.value.__cause__)
    assert len(records(dataset, DARK_TRIAD, DEV)) == ROWS


def test_a_build_stops_at_a_wrong_description(dark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_texts, "croissant", lambda manifest: croissant(manifest) | {"license": ""})
    with pytest.raises(ReleaseRejected, match=r"does not describe the release(.|\n)*license is missing"):
        release_texts.write_release_texts(dark, read_manifest(dark), History())
