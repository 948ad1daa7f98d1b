"""A target appears whole or not at all, for one builder at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from builders.staging import _exchange, locked, staged, uninterrupted
from papi.errors import Busy, UsageError
from papi.files import write_json
from papi.manifest import FORMAT, FORMAT_VERSION, REQUIRED


def make_release(folder: Path, version: str) -> None:
    named = {"format": FORMAT, "format_version": FORMAT_VERSION, "version": f"{version}.0.0", "simulated": False}
    write_json(folder / "manifest.json", {key: {} for key in REQUIRED} | named | {"raw": [], "gates": []})


def _fail_after(_: None) -> None:
    raise RuntimeError


def test_a_new_target_appears_at_the_end(tmp_path: Path) -> None:
    with staged(tmp_path / "release") as folder:
        make_release(folder, "1")
        assert not (tmp_path / "release").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_an_error_leaves_the_old_target_and_nothing_else(tmp_path: Path) -> None:
    make_release(tmp_path / "release", "1")
    before = (tmp_path / "release" / "manifest.json").read_bytes()
    with pytest.raises(RuntimeError), staged(tmp_path / "release") as folder:
        _fail_after(make_release(folder, "2"))
    assert (tmp_path / "release" / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_a_second_builder_is_refused_while_the_first_works(tmp_path: Path) -> None:
    with locked(tmp_path / "release"), pytest.raises(Busy), staged(tmp_path / "release"):
        pass
    with staged(tmp_path / "release") as folder:
        make_release(folder, "1")


def test_a_folder_that_is_no_release_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match="will not be replaced"), staged(tmp_path / "photos"):
        pass
    assert (tmp_path / "photos" / "one.jpg").read_bytes() == b"x"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    with staged(tmp_path / "release") as folder:
        make_release(folder, "1")
    assert (tmp_path / "release" / "manifest.json").is_file()


def _build_slowly(target: Path, started: object) -> None:
    with staged(target) as folder:
        make_release(folder, "2")
        started.set()  # type: ignore[attr-defined]
        time.sleep(60)


def test_after_a_kill_the_old_target_is_there_and_the_next_build_sweeps_what_was_left(tmp_path: Path) -> None:
    target = tmp_path / "release"
    make_release(target, "1")
    before = (target / "manifest.json").read_bytes()
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=_build_slowly, args=(target, started))
    process.start()
    assert started.wait(30)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert (target / "manifest.json").read_bytes() == before
    assert (tmp_path / ".release.staging").is_dir()
    with staged(target) as folder:
        assert not any(folder.iterdir())
        make_release(folder, "3")
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_a_swap_cut_off_between_its_two_steps_is_undone_by_the_next_build(tmp_path: Path) -> None:
    target = tmp_path / "release"
    make_release(tmp_path / ".release.old", "1")
    with pytest.raises(RuntimeError), staged(target):
        raise RuntimeError
    assert (target / "manifest.json").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_folders_are_exchanged_in_one_step_here(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not _exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system has no renameat2")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()


def test_a_signal_during_the_swap_is_heard_after_it_and_nothing_is_left(tmp_path: Path) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            assert heard == []
        assert heard == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
