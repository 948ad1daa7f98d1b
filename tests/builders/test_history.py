"""A version follows on the last one: its changelog is drafted, older entries stay, too small a number is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.errors import InputRejected, MissingFile, UsageError
from papi.instruments import DARK_TRIAD

ONLY = (DARK_TRIAD,)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    simulate(folder, {DARK_TRIAD: 60}, 1)
    return folder


@pytest.fixture(scope="module")
def first(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    release = tmp_path_factory.mktemp("first") / "release"
    build_release(raw, release, BuildOptions(only=ONLY, figures=False, version="1.0.0", date="2026-01-31"))
    return release


def changelog(release: Path) -> list[str]:
    return (release / "CHANGELOG.md").read_text().splitlines()


def test_the_first_version_says_so(first: Path) -> None:
    lines = changelog(first)
    assert "## 1.0.0 (2026-01-31)" in lines
    assert "- `dark-triad`: 60 people" in lines


def test_an_entry_is_drafted_from_the_difference_and_the_older_ones_stay(
    raw: Path, first: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "words.md"
    notes.write_text("Rarer countries are named.\n")
    options = BuildOptions(only=ONLY, figures=False, version="1.1.0", previous=first, notes=notes, min_country=10)
    build_release(raw, tmp_path / "second", options)
    lines = changelog(tmp_path / "second")
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## 1.1.0", "## 1.0.0 (2026-01-31)"]
    new = lines[: lines.index(headings[1])]
    assert "Rarer countries are named." in new
    assert "Since 1.0.0 this is a minor change:" in new
    assert "- demographics, flags or indices differ (dark-triad)" in new
    assert any(line.startswith("- cells of `dark-triad` that differ: ") for line in new)
    assert "- min country: 500 → 10" in new
    options = BuildOptions(only=ONLY, figures=False, version="1.1.1", previous=tmp_path / "second", min_country=10)
    build_release(raw, tmp_path / "third", options)
    assert [line for line in changelog(tmp_path / "third") if line.startswith("## ")] == ["## 1.1.1", *headings]


def test_other_people_are_a_major_change_that_a_minor_version_may_not_hide(first: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "raw", {DARK_TRIAD: 60}, 2)
    with pytest.raises(UsageError, match="the version says less than what changed") as refused:
        build_release(
            tmp_path / "raw",
            tmp_path / "second",
            BuildOptions(only=ONLY, figures=False, version="1.1.0", previous=first),
        )
    assert refused.value.expected == "--version 2.0.0 or higher"
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_a_last_version_that_is_none_is_refused(raw: Path, first: Path, tmp_path: Path) -> None:
    headed = tmp_path / "headed.md"
    headed.write_text("words\n\n## 9.9.9\n")
    for options, error in (
        (BuildOptions(only=ONLY, figures=False, version="2.0.0", previous=raw), MissingFile),
        (BuildOptions(only=ONLY, figures=False, version="2.0.0", notes=tmp_path / "nowhere.md"), MissingFile),
        (BuildOptions(only=ONLY, figures=False, version="2.0.0", notes=next(raw.rglob("*.zip"))), InputRejected),
        (BuildOptions(only=ONLY, figures=False, version="2.0.0", notes=headed), InputRejected),
    ):
        with pytest.raises(error):
            build_release(raw, tmp_path / "release", options)
