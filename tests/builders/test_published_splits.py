"""Test subjects from a published list, in simulated raw files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders.options import BuildOptions
from builders.raw.ipip_dat import read_ipip_dat
from builders.release import build_release
from papi import load
from papi.errors import InputRejected
from papi.instruments import IPIP_300, instrument


def published_list(raw: Path, rows: list[int], strangers: int = 0) -> str:
    """A list in the predecessor's form: case number and stored answers."""
    table = read_ipip_dat((raw / "IPIP300.dat").read_bytes(), IPIP_300, "IPIP300.dat")
    names = instrument(IPIP_300).item_names
    cases = table.people["case"].tolist()
    people = [{"case": cases[i]} | dict(zip(names, table.answers[i].tolist(), strict=True)) for i in rows]
    people += [people[0] | {"case": 999_000 + i} for i in range(strangers)]
    return json.dumps(people)


def build(raw: Path, tmp_path: Path) -> tuple[dict[str, object], list[str]]:
    manifest, report = build_release(raw, tmp_path / "release", BuildOptions(only=(IPIP_300,), figures=False))
    return manifest["configs"][IPIP_300]["split_definition"]["test"], report.notes


def test_the_listed_people_are_the_test_split(raw_copy: Path, tmp_path: Path) -> None:
    rows = list(range(0, 200, 5))
    (raw_copy / "Test-set.json").write_text(published_list(raw_copy, rows))
    definition, notes = build(raw_copy, tmp_path)
    assert definition == {"protocol": "published list", "listed": 40, "found": 40}
    assert notes == ["ipip-neo-300: test is the published list, 40 of 40 people found", *notes[1:]]
    table = read_ipip_dat((raw_copy / "IPIP300.dat").read_bytes(), IPIP_300, "IPIP300.dat")
    test = load(tmp_path / "release", IPIP_300, split="test", values="scores")
    published = test[list(instrument(IPIP_300).item_names)].astype("float").fillna(0).astype(int).to_numpy()
    assert sorted(map(tuple, published)) == sorted(map(tuple, table.answers[rows].astype(int)))


def test_of_a_list_found_in_part_the_found_part_is_taken_and_this_is_said(raw_copy: Path, tmp_path: Path) -> None:
    (raw_copy / "Test-set.json").write_text(published_list(raw_copy, list(range(30)), strangers=10))
    definition, notes = build(raw_copy, tmp_path)
    assert definition == {"protocol": "published list", "listed": 40, "found": 30}
    assert "30 of 40 people found, only a part of the list" in notes[0]


def test_a_list_of_strangers_is_refused(raw_copy: Path, tmp_path: Path) -> None:
    people = json.loads(published_list(raw_copy, [0, 1, 2]))
    (raw_copy / "Test-set.json").write_text(json.dumps([person | {"case": person["case"] + 1} for person in people]))
    with pytest.raises(InputRejected, match="nobody of the published test list"):
        build(raw_copy, tmp_path)


def test_a_split_without_people_is_left_out_and_this_is_said(raw_copy: Path, tmp_path: Path) -> None:
    (raw_copy / "Test-set.json").write_text(published_list(raw_copy, list(range(395))))
    _, notes = build(raw_copy, tmp_path)
    assert "ipip-neo-300: nobody is left for the split test_population, it is left out" in notes
    release = tmp_path / "release"
    assert list(load(release, IPIP_300)) == ["dev", "test"]
    assert not list(release.rglob("test_population*"))
    assert "test_population" not in (release / "README.md").read_text().split("---")[1]


def test_two_lists_must_be_the_same(raw_copy: Path, tmp_path: Path) -> None:
    for name, rows in (("a", [0, 1, 2]), ("b", [3, 4, 5])):
        (raw_copy / name).mkdir()
        (raw_copy / name / "Test-set.json").write_text(published_list(raw_copy, rows))
    with pytest.raises(InputRejected, match=r"a/Test-set\.json and b/Test-set\.json"):
        build(raw_copy, tmp_path)
    (raw_copy / "b" / "Test-set.json").write_text(published_list(raw_copy, [0, 1, 2]))
    assert build(raw_copy, tmp_path)[0]["found"] == 3
