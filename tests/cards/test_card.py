"""The card says what the release holds, has every section, and cannot be rendered with a fact missing."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from builders.options import BuildOptions
from builders.release import build_release
from cards.card import SECTIONS, card
from cards.changelog import History, changelog
from cards.fields import field_rows
from papi.columns import columns_of
from papi.instruments import CONFIGS, DARK_TRIAD, INSTRUMENTS, IPIP_300
from papi.manifest import read_manifest
from papi.tables import read_csv

OFFICIAL = {  # the Hub's own words, as its dataset card specification lists them
    "annotations_creators": {
        "crowdsourced",
        "expert-generated",
        "found",
        "machine-generated",
        "no-annotation",
        "other",
    },
    "language_creators": {"crowdsourced", "expert-generated", "found", "machine-generated", "other"},
    "multilinguality": {"monolingual", "multilingual", "translation", "other"},
    "source_datasets": {"original"},
    "size_categories": {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"},
    "task_categories": {"multiple-choice", "text-generation", "tabular-regression", "tabular-classification"},
}


@pytest.fixture(scope="module")
def manifest(release: Path) -> dict[str, Any]:
    return read_manifest(release)


@pytest.fixture(scope="module")
def text(release: Path) -> str:
    return (release / "README.md").read_text()


def front_matter(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return loaded


def test_every_section_is_there_in_order(text: str) -> None:
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "Fields",
        "Splits and protocol",
        "Where it comes from",
        "Quality",
        "Errata of the predecessor",
        "Personal and sensitive information",
        "Uses and misuses",
        "Licences and citation",
        "Versions",
        "Loading, checking, rebuilding",
    ]
    assert len(headings) == len(SECTIONS) - 1
    assert all(text[match.start() - 2 : match.start()] == "\n\n" for match in re.finditer("^## ", text, re.MULTILINE))


def test_no_placeholder_and_no_undefined_value_stands_in_it(text: str) -> None:
    for word in ("{{", "}}", "{%", "Undefined", "| None", "`None`", "nan ", "TODO", "More Information", "[needs"):
        assert word not in text, word


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of the dictionaries' own keys, at every depth."""
    if not isinstance(value, dict):
        return []
    return [p for key, inner in value.items() for p in [(*path, key), *leaves(inner, (*path, key))]]


USED = [
    ("version",),
    ("simulated",),
    ("code", "palign-papi"),
    ("privacy", "min_country"),
    ("privacy", "smallest_cell"),
    ("privacy", "disclosure"),
    ("privacy", "minors"),
    ("configs", IPIP_300, "people"),
    ("configs", IPIP_300, "likeness"),
    ("configs", IPIP_300, "quality", "alphas"),
    ("configs", IPIP_300, "quality", "flagged"),
    ("configs", IPIP_300, "repairs", "impossible"),
    ("configs", IPIP_300, "split_definition", "test", "protocol"),
    ("gates",),
    ("raw",),
]


@pytest.mark.parametrize("path", USED, ids=".".join)
def test_a_missing_fact_is_an_error(manifest: dict[str, Any], path: tuple[str, ...]) -> None:
    assert path in leaves(manifest)
    lacking = copy.deepcopy(manifest)
    inner = lacking
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    with pytest.raises((jinja2.UndefinedError, KeyError, TypeError)):
        card(lacking, changelog(manifest, History()))


@pytest.mark.parametrize("config", CONFIGS)
def test_the_field_table_tells_of_every_column_once(config: str) -> None:
    rows, columns = field_rows(config), [column.name for column in columns_of(config)]
    told = []
    for row in rows:
        names = re.findall(r"`([^`]+)`", row.name)
        first, last = columns.index(names[0]), columns.index(names[-1])
        told += columns[first : last + 1]
    assert told == columns
    assert all(row.kind and row.meaning for row in rows)


def test_the_numbers_are_those_of_the_manifest(manifest: dict[str, Any], text: str) -> None:
    for name, config in manifest["configs"].items():
        assert f"| `{name}` | {config['quality']['missing_share'] * 100:.2f} %" in text
        seen = config["likeness"]["test"]
        assert f"| `{name}` | `test` | {seen['people']} | {seen['variance_ratio']:.2f} | {seen['extremes']:.3f}" in text
    minors = manifest["privacy"]["minors"][IPIP_300]
    assert f"of the {minors['age_known']} people of `{IPIP_300}` whose age is known, {minors['under_18']} " in text
    assert all(record["sha256"] in text for record in manifest["raw"])
    assert all(f"| {finding['gate']} | `{finding['instrument']}` |" in text for finding in manifest["gates"])


def test_the_front_matter_has_one_default_and_official_words_only(manifest: dict[str, Any], text: str) -> None:
    facts = front_matter(text)
    assert [config["config_name"] for config in facts["configs"]] == [*INSTRUMENTS, "items"]
    assert [config["config_name"] for config in facts["configs"] if config.get("default")] == [IPIP_300]
    for key, words in OFFICIAL.items():
        assert facts[key], key
        assert set(facts[key]) <= words, key
    assert facts["size_categories"] == ["1K<n<10K"]
    assert (facts["license"], facts["license_name"], facts["license_link"]) == ("other", "by-part", "LICENSE.md")
    int8 = {f["name"]: f["dtype"] for f in facts["dataset_info"][0]["features"]}["i1"]
    assert int8 == "int8"


def test_every_figure_of_the_release_stands_in_the_card_once_the_first_on_the_first_screen(
    release: Path, text: str
) -> None:
    drawn = sorted(f"figures/{path.name}" for path in (release / "figures").iterdir())
    shown = re.findall(r"!\[([^\]]{40,})\]\((figures/[^)]+)\)", text)
    assert sorted(path for _, path in shown) == drawn
    assert len(drawn) == 6
    assert text.index(shown[0][1]) < text.index("## Fields")


def test_simulated_people_are_marked_in_title_tags_and_text_and_real_ones_are_not(
    manifest: dict[str, Any], text: str
) -> None:
    assert "simulated" in front_matter(text)["tags"]
    assert "(simulated people)" in front_matter(text)["pretty_name"]
    assert "> **These people are simulated.**" in text
    real = card(manifest | {"simulated": False}, changelog(manifest, History()))
    rule = read_csv("papi", "version_rules.csv")[0]["meaning"]
    assert "simulated" not in real.replace(rule, "").lower()


def test_a_release_of_one_instrument_names_no_other_config(simulated_raw: Path, tmp_path: Path) -> None:
    build_release(
        simulated_raw,
        tmp_path / "one",
        BuildOptions(only=(DARK_TRIAD,), figures=False, version="1.2.0", date="2026-01-31"),
    )
    text = (tmp_path / "one" / "README.md").read_text()
    assert "`ipip-neo-300`" not in text.replace("for ipip-neo-120: the item of ipip-neo-300", "")
    assert 'load_dataset("palign/papi", "dark-triad", revision="v1.2.0")' in text
    assert "**1.2.0 (2026-01-31)**: The first version." in text


def test_the_card_fits_the_screen_in_lines_that_can_be_read(text: str) -> None:
    body = text.split("---\n", 2)[2]
    prose = [
        line for line in body.splitlines() if not line.lstrip().startswith(("|", "!", "<", "**", "SELECT", "people ="))
    ]
    assert max(map(len, prose)) < 200
