"""What two releases differ in, counted; and nothing where they do not differ."""

from __future__ import annotations

from pathlib import Path

import pytest

import papi
from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300
from validation.difference import compare_releases


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    simulate(folder / "raw", dict.fromkeys(INSTRUMENTS, 400), 8)
    build_release(folder / "raw", folder / "release", BuildOptions(figures=False))
    return folder / "release"


def test_a_release_does_not_differ_from_itself(release: Path) -> None:
    assert not compare_releases(release, release)


def test_an_option_that_changes_a_column_is_counted_cell_by_cell(
    release: Path, simulated_raw: Path, tmp_path: Path
) -> None:
    build_release(simulated_raw, tmp_path / "other", BuildOptions(min_country=20, version="1.0.0", figures=False))
    found = compare_releases(release, tmp_path / "other")
    assert found.facts == {"version": ["0.0.0", "1.0.0"], "min_country": [500, 20]}
    before, after = (papi.load(each, DARK_TRIAD, split="dev") for each in (release, tmp_path / "other"))
    changed = int((before["country"].fillna("") != after["country"].fillna("")).sum())
    assert found.configs[DARK_TRIAD]["values"]["country"] >= changed > 0
    assert set(found.configs[DARK_TRIAD]) == {"values"}


def test_other_people_are_rows_added_and_removed(release: Path, others: Path) -> None:
    found = compare_releases(release, others)
    assert {name: (c["rows"]["added"], c["rows"]["removed"]) for name, c in found.configs.items()} == dict.fromkeys(
        INSTRUMENTS, (400, 400)
    )
    assert "raw" in found.facts
    assert "items" not in found.configs


def test_a_config_that_is_not_there_any_more_is_told(release: Path, simulated_raw: Path, tmp_path: Path) -> None:
    build_release(simulated_raw, tmp_path / "less", BuildOptions(only=(IPIP_120, DARK_TRIAD), figures=False))
    found = compare_releases(release, tmp_path / "less")
    assert found.columns == {IPIP_300: {"config": "removed"}}
    assert found.configs["items"]["rows"]["removed"] == 300
    back = compare_releases(tmp_path / "less", release)
    assert back.columns == {IPIP_300: {"config": "added"}}


def test_people_who_change_splits_are_counted_by_their_way(release: Path, others: Path, tmp_path: Path) -> None:
    """The same people with more of them: some leave dev for a larger test split."""
    raw = tmp_path / "raw"
    simulate(raw, {DARK_TRIAD: 900}, 7)
    lines = (raw / "SD3.zip").read_bytes()
    assert lines
    build_release(raw, tmp_path / "large", BuildOptions(only=(DARK_TRIAD,), figures=False))
    before = papi.load(release, DARK_TRIAD)
    after = papi.load(tmp_path / "large", DARK_TRIAD)
    found = compare_releases(release, tmp_path / "large").configs[DARK_TRIAD]
    split_of = {person: split for split, frame in after.items() for person in frame["subject_id"]}
    moved = [
        f"{split} → {split_of[person]}"
        for split, frame in before.items()
        for person in frame["subject_id"]
        if split_of.get(person, split) != split
    ]
    assert found.get("moved", {}) == {way: moved.count(way) for way in moved}
    assert found["splits"]["test"] == [40, 90]
