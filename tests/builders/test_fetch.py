"""Which files a fetch leaves: the right ones, the user's own, no wrong one; real HTTP on the loopback."""

from __future__ import annotations

import fcntl
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fault_table import FaultTable
from http_depot import CONTENT, CUT, PART, Depot, files, get, opened, pinned, sha
from hypothesis import given
from hypothesis import strategies as st

from builders.fetch import Action, download_action
from builders.sources import Source
from papi.errors import Busy, EnvironmentProblem, InputRejected
from papi.files import BLOCK

DATA = b"M1\tM2\n1\t5\n" * 1_000


def zipped(member: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    return packed.getvalue()


@pytest.fixture
def depot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Depot]:
    monkeypatch.setenv("no_proxy", "*")
    with opened(Depot(CONTENT)) as depot:
        yield depot


@pytest.fixture
def source(depot: Depot) -> Source:
    return pinned(depot)


@pytest.fixture
def archive(depot: Depot) -> Source:
    depot.content = zipped("SD3/data.csv", DATA)
    return Source("SD3.zip", "test", ("dark-triad",), depot.url, members={"SD3/data.csv": sha(DATA)})


def test_a_file_arrives_whole_and_is_not_fetched_twice(tmp_path: Path, depot: Depot, source: Source) -> None:
    assert get(tmp_path / "new" / "raw", source) == ["downloaded"]
    assert files(tmp_path / "new" / "raw") == {"data.dat": CONTENT}
    assert get(tmp_path / "new" / "raw", source) == ["already there"]
    assert depot.asked == [None]


@pytest.mark.parametrize(
    ("part", "requests"),
    [
        (CONTENT, []),  # all had come: nothing is asked for
        (CONTENT + b"more", [None]),
        (b"x" * len(CONTENT), [None]),
        (b"x" * CUT, [f"bytes={CUT}-", None]),
    ],
    ids=["whole", "longer", "other", "start of another"],
)
def test_whatever_part_lies_there_the_right_file_arrives(
    tmp_path: Path, depot: Depot, source: Source, part: bytes, requests: list[str | None]
) -> None:
    (tmp_path / PART).write_bytes(part)
    assert get(tmp_path, source) == ["downloaded"]
    assert files(tmp_path) == {"data.dat": CONTENT}
    assert depot.asked == requests


WRONG = {
    f"sha256 {sha(b'x' * len(CONTENT))}": b"x" * len(CONTENT),
    "300,004 bytes": CONTENT + b"more",
    "123,456 bytes": CONTENT[:CUT],
    "0 bytes": b"",
}


@pytest.mark.parametrize(("got", "content"), WRONG.items(), ids=["other", "longer", "shorter", "empty"])
def test_a_wrong_download_leaves_no_file(
    tmp_path: Path, depot: Depot, source: Source, got: str, content: bytes, faults: FaultTable
) -> None:
    depot.content = content
    with faults.case("raw: a wrong hash in papi fetch"):
        with pytest.raises(InputRejected, match=r"data\.dat is not the pinned file") as caught:
            get(tmp_path, source)
        assert caught.value.exit_code == 3
        assert caught.value.expected == (f"sha256 {sha(CONTENT)}" if "sha" in got else "300,000 bytes")
        assert caught.value.got == got
        assert files(tmp_path) == {}


def test_a_stream_without_end_is_left_soon(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.content = CONTENT * 40
    with pytest.raises(InputRejected) as caught:
        get(tmp_path, source)
    assert int(str(caught.value.got).removesuffix(" bytes").replace(",", "")) <= len(CONTENT) + BLOCK


def test_an_archive_is_pinned_by_its_members(tmp_path: Path, depot: Depot, archive: Source) -> None:
    assert get(tmp_path, archive) == ["downloaded"]
    with zipfile.ZipFile(tmp_path / "SD3.zip", "w") as repacked:
        repacked.writestr("SD3/data.csv", DATA)
    assert get(tmp_path, archive) == ["already there"]


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (zipped("SD3/data.csv", DATA[1:]), f"sha256 {sha(DATA[1:])}"),
        (zipped("data.csv", DATA), "an archive without it"),
        (zipped("SD3/data.csv", DATA)[:-40], "File is not a zip file"),
        (zipped("SD3/data.csv", DATA).replace(b"\x00SD3/", b"\x00SD4/", 1), "differ"),
        (b"<html>come back later</html>", "File is not a zip file"),
    ],
    ids=["other data", "no member", "cut", "damaged", "web page"],
)
def test_a_wrong_archive_leaves_no_file(
    tmp_path: Path, depot: Depot, archive: Source, content: bytes, got: str
) -> None:
    depot.content = content
    with pytest.raises(InputRejected) as caught:
        get(tmp_path, archive)
    assert got in str(caught.value.got)
    assert files(tmp_path) == {}


def test_a_file_of_the_user_with_a_wrong_hash_is_not_touched_and_nothing_is_downloaded(
    tmp_path: Path, depot: Depot, source: Source
) -> None:
    mine = {"data.dat": b"x" * len(CONTENT), "second.dat": b"mine"}
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    third, second = replace(source, name="third.dat"), replace(source, name="second.dat")
    with pytest.raises(InputRejected) as caught:
        get(tmp_path, third, source, second)
    assert [place.file for place in caught.value.places] == ["data.dat", "second.dat"]
    assert "move these files away" in str(caught.value)
    assert (files(tmp_path), depot.asked) == (mine, [])


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path, source: Source) -> None:
    (tmp_path / "data.dat").mkdir()
    with pytest.raises((EnvironmentProblem, InputRejected)):
        get(tmp_path, source)
    assert (tmp_path / "data.dat").is_dir()


def test_a_second_fetch_into_the_same_folder_is_told_to_wait(tmp_path: Path, source: Source) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        with pytest.raises(Busy):
            get(tmp_path, source)
    finally:
        os.close(handle)
    assert get(tmp_path, source) == ["downloaded"]


@given(st.none() | st.booleans(), st.integers(0, 9), st.none() | st.integers(1, 9))
def test_only_a_missing_file_is_downloaded_and_only_a_shorter_part_continued(
    right: bool | None, part: int, whole: int | None
) -> None:
    action = download_action(right, part, whole)
    assert (action in (Action.KEEP, Action.REFUSE)) == (right is not None)
    assert (action is Action.KEEP) == (right is True)
    assert (action is Action.CHECK) == (right is None and part == whole)
    assert (action is Action.RESUME) == (right is None and part > 0 and (whole is None or part < whole))
