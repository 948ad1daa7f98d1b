"""A build that is killed, interrupted, doubled or denied leaves the old release; a re-run makes the new one."""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fault_table import FaultTable
from folders import content_of, left_over
from outcomes import papi

from builders.simulate import simulate
from papi.instruments import INSTRUMENTS

ROOT = Path(__file__).parents[2]
CAPABILITIES, DROP_FROM_BOUNDING_SET = (1, 2), 24  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; PR_CAPBSET_DROP
COMMAND = [sys.executable, "-m", "papi", "build"]
NEW = ("--version", "2.0.0", "--no-figures")
STEPS = [f"{name}: {step}" for name in INSTRUMENTS for step in ("read", "assess", "split", "write")] + ["swapping"]
times = pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.faults)])


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "raw"
    simulate(folder, dict.fromkeys(INSTRUMENTS, 60), 1)
    return folder


@pytest.fixture(scope="module")
def releases(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An old release and the new one that is to take its place."""
    folder = tmp_path_factory.mktemp("releases")
    assert papi("build", raw, folder / "old", "--version", "1.0.0", "--no-figures") == 0
    assert papi("build", raw, folder / "new", *NEW) == 0
    return folder / "old", folder / "new"


@pytest.fixture
def out(releases: tuple[Path, Path], tmp_path: Path) -> Path:
    """The old release, to be replaced."""
    return Path(shutil.copytree(releases[0], tmp_path / "place" / "release"))


def start(raw: Path, out: Path) -> subprocess.Popen[str]:
    arguments = [*COMMAND, str(raw), str(out), *NEW]
    return subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def wait_for(process: subprocess.Popen[str], step: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if step in line:
            return


def assert_old_or_new(out: Path, releases: tuple[Path, Path]) -> None:
    """Whole, and either of the two; at most one staging folder beside it."""
    assert content_of(out) in [content_of(each) for each in releases]
    assert len(left_over(out)) <= 1


def assert_rerun_makes_the_new(raw: Path, out: Path, new: Path) -> None:
    assert papi("build", raw, out, *NEW) == 0
    assert content_of(out) == content_of(new)
    assert left_over(out) == []


@times
def test_killed_at_a_random_time(
    raw: Path, releases: tuple[Path, Path], out: Path, faults: FaultTable, count: int
) -> None:
    began = time.perf_counter()
    start(raw, out.parent / "timed").communicate(timeout=120)
    duration = time.perf_counter() - began
    for moment in random.Random(0).choices(range(1000), k=count):
        shutil.rmtree(out)
        shutil.copytree(releases[0], out)
        with faults.case("build: SIGKILL at a random time"):
            process = start(raw, out)
            time.sleep(duration * moment / 1000)
            process.kill()
            process.communicate(timeout=120)
            assert_old_or_new(out, releases)
    with faults.case("build: the run after the kills"):
        assert_rerun_makes_the_new(raw, out, releases[1])


@pytest.mark.parametrize(
    "step", [STEPS[0], STEPS[-1], *(pytest.param(s, marks=pytest.mark.faults) for s in STEPS[1:-1])]
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_stopped_at_a_step(
    raw: Path, releases: tuple[Path, Path], out: Path, faults: FaultTable, step: str, number: signal.Signals
) -> None:
    with faults.case(f"build: {number.name} at each named step"):
        process = start(raw, out)
        wait_for(process, step)
        process.send_signal(number)
        message = process.communicate(timeout=120)[1]
        assert_old_or_new(out, releases)
        if number != signal.SIGKILL:
            finished = process.returncode == 0 and content_of(out) == content_of(releases[1])
            assert finished or (process.returncode == 130 and number.name in message)
            assert left_over(out) == []
            assert finished or step == STEPS[-1] or content_of(out) == content_of(releases[0])
        assert_rerun_makes_the_new(raw, out, releases[1])


def test_two_builds_at_once(raw: Path, releases: tuple[Path, Path], out: Path, faults: FaultTable) -> None:
    with faults.case("build: two at once"):
        first = start(raw, out)
        wait_for(first, STEPS[0])
        first.send_signal(signal.SIGSTOP)  # so that it does not end before the second has begun
        second = start(raw, out)
        message = second.communicate(timeout=120)[1]
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=120)
        assert (first.returncode, second.returncode) == (0, 6)
        assert "another build" in message
        assert content_of(out) == content_of(releases[1])


def test_a_stale_lock_stops_nobody_and_a_held_one_does(
    raw: Path, releases: tuple[Path, Path], out: Path, faults: FaultTable
) -> None:
    lock = out.parent / f".{out.name}.lock"
    with faults.case("build: lock held"), lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert papi("build", raw, out, *NEW) == 6
        assert content_of(out) == content_of(releases[0])
    lock.write_text("somebody who is gone")
    with faults.case("build: stale lock"):
        assert_rerun_makes_the_new(raw, out, releases[1])


@pytest.mark.parametrize("what", ["a folder", "a file", "a link", "a damaged manifest"])
def test_a_target_that_is_not_ours(
    raw: Path, tmp_path: Path, faults: FaultTable, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    target = tmp_path / "photos"
    if what == "a file":
        target.write_text("mine")
    elif what == "a link":
        target.symlink_to(raw)
    else:
        target.mkdir()
        (target / ("manifest.json" if "manifest" in what else "one.jpg")).write_text("mine")
    before = content_of(tmp_path)
    with faults.case("build: a target that is not ours"):
        assert papi("build", raw, target, *NEW) == 2
        assert "will not be replaced" in capsys.readouterr().err
        assert content_of(tmp_path) == before


# as somebody who may not do everything


def without_privileges() -> None:
    """Root passes over permissions by two capabilities; a process that is started without them meets refusals."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in CAPABILITIES:
        if os.geteuid() == 0 and libc.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot give up a capability")


@pytest.mark.parametrize("what", ["the folder of the target", "a raw file", "the raw folder"])
def test_what_may_not_be_read_or_written(
    raw: Path, releases: tuple[Path, Path], out: Path, faults: FaultTable, what: str
) -> None:
    mine = Path(shutil.copytree(raw, out.parent.parent / "raw"))
    denied = {"the folder of the target": out.parent, "a raw file": mine / "IPIP120.dat", "the raw folder": mine}[what]
    denied.chmod(0o555 if denied == out.parent else 0o000)
    arguments = [*COMMAND, str(mine), str(out), *NEW]
    try:
        with faults.case("build: read-only target, unreadable input"):
            done = subprocess.run(
                arguments, cwd=ROOT, capture_output=True, text=True, preexec_fn=without_privileges, check=False
            )
            assert done.returncode == 5, done.stderr
            assert "ermission denied" in done.stderr
            assert "Traceback" not in done.stderr
            assert content_of(out) == content_of(releases[0])
    finally:
        denied.chmod(0o755)
