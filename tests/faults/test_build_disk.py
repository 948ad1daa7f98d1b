"""A disk that is full or broken at any step: exit 5, the old release as it was, and the next run is as ever."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from disk import Disk, papi_on
from fault_table import FaultTable
from folders import content_of, left_over
from outcomes import papi

from builders.simulate import simulate
from papi.instruments import DARK_TRIAD

ONLY = ("--only", DARK_TRIAD, "--no-figures")
OPTIONS = (*ONLY, "--version", "2.0.0")
ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}
spread = pytest.mark.parametrize("every", [53, pytest.param(1, marks=pytest.mark.faults)])


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "raw"
    simulate(folder, {DARK_TRIAD: 40}, 1)
    return folder


@pytest.fixture(scope="module")
def releases(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An old release and the new one that is to take its place."""
    folder = tmp_path_factory.mktemp("releases")
    assert papi("build", raw, folder / "old", *ONLY, "--version", "1.0.0") == 0
    assert papi("build", raw, folder / "new", *OPTIONS) == 0
    return folder / "old", folder / "new"


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    """A process of its own for commands on a failing disk."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        yield pool


def build(apart: ProcessPoolExecutor, disk: Disk, raw: Path, out: Path) -> tuple[int, int]:
    """Exit code and steps of a build on that disk."""
    return apart.submit(papi_on, disk, "build", raw, out, *OPTIONS).result()


@spread
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("stays_broken", [False, True], ids=["once", "from then on"])
def test_a_build_survives_a_fault_at_every_write(
    raw: Path,
    releases: tuple[Path, Path],
    apart: ProcessPoolExecutor,
    tmp_path: Path,
    faults: FaultTable,
    every: int,
    error: str,
    stays_broken: bool,
) -> None:
    old, new = (content_of(each) for each in releases)
    out = tmp_path / "release"
    code, steps = build(apart, Disk(), raw, tmp_path / "counted")
    assert (code, steps > 40) == (0, True)
    shutil.copytree(releases[0], out)
    for k in range(1, steps + 1, every):
        with faults.case(f"build: {error} at the k-th write{', and ever after' if stays_broken else ''}"):
            code, _ = build(apart, Disk(k, ERRORS[error], stays_broken=stays_broken), raw, out)
            if code == 0:  # only cleaning up failed, which the next run makes up for
                assert content_of(out) == new
                shutil.rmtree(out)
                shutil.copytree(releases[0], out)
            assert code in (0, 5)
            assert content_of(out) == old
            assert len(left_over(out)) <= 1
    with faults.case("build: the run after all these faults"):
        assert papi("build", raw, out, *OPTIONS) == 0
        assert content_of(out) == new
        assert left_over(out) == []


@spread
def test_where_there_was_nothing_nothing_is_left(
    raw: Path, apart: ProcessPoolExecutor, tmp_path: Path, faults: FaultTable, every: int
) -> None:
    _, steps = build(apart, Disk(), raw, tmp_path / "counted")
    for k in range(1, steps, every):
        out = tmp_path / f"at-{k}" / "release"
        with faults.case("build: ENOSPC at the k-th write of a first build"):
            code, _ = build(apart, Disk(k), raw, out)
            assert (code, out.exists()) in ((5, False), (0, True))


@spread
def test_simulated_files_appear_whole_or_not_at_all(
    apart: ProcessPoolExecutor, tmp_path: Path, faults: FaultTable, every: int
) -> None:
    _, steps = apart.submit(papi_on, Disk(), "simulate", tmp_path / "sound", "--people", "40").result()
    for k in range(1, steps + 1, min(every, 5)):
        out = tmp_path / f"at-{k}" / "raw"
        with faults.case("simulate: ENOSPC at the k-th write"):
            code, _ = apart.submit(papi_on, Disk(k), "simulate", out, "--people", "40").result()
            assert (code, out.exists()) in ((5, False), (0, True))
