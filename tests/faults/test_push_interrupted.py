"""A push cut off at any request leaves the old version or the new one at the head, whole; the next run ends well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_table import FaultTable
from hub_fixtures import REPO
from hub_server import TOKEN, Fault, Hub, Repository, content_of

from builders.hub.client import HubRepository
from builders.hub.push import PushOptions, push_release
from papi.errors import RemoteFailed

OPTIONS = PushOptions(tag="v2.0.0", allow_simulated=True)
FEW = (8, 30)  # while it uploads, while it reads back; the commit and the tag are in test_push
ALL = range(1, 65)
A_FEW_BY_DEFAULT = [number if number in FEW else pytest.param(number, marks=pytest.mark.faults) for number in ALL]
FAULTS = {
    "dropped": Fault("drop"),
    "its reply lost": Fault("lose_reply"),
    "answered with 500": Fault("status", 500),
    "answered with 429": Fault("status", 429, {"Retry-After": "1"}),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits a second and longer before it tries again: not here."""
    from huggingface_hub.utils import _http

    class Impatient:
        sleep = staticmethod(lambda seconds: None)
        time = staticmethod(time.time)

    monkeypatch.setattr(_http, "time", Impatient)


def push(release: Path) -> None:
    push_release(release, HubRepository(REPO), OPTIONS)


def assert_old_or_new(repository: Repository, versions: tuple[Path, Path]) -> None:
    """The head is one of the versions, whole; a tag is set only on the version it names."""
    files = {path: content for path, content in repository.head.files.items() if path != ".gitattributes"}
    assert files in [content_of(version) for version in versions]
    for number, version in enumerate(versions, start=1):
        tagged = repository.at(repository.tags.get(f"v{number}.0.0", "none"))
        assert tagged is None or content_of(version).items() <= tagged.files.items()


def assert_next_run_ends_well(hub: Hub, repository: Repository, versions: tuple[Path, Path]) -> None:
    hub.faults, hub.before = (lambda number, request: None), (lambda number: None)
    push(versions[1])
    assert repository.tags["v2.0.0"] == repository.head.oid
    assert [commit.title for commit in repository.commits] == ["initial commit", "PAPI 1.0.0", "PAPI 2.0.0"]
    assert_old_or_new(repository, versions)


def interrupted(hub: Hub, versions: tuple[Path, Path], failing: Callable[[int], Fault | None]) -> bool:
    """Push with faults; whether the push failed, which it does with the project's error."""
    hub.heard.clear()
    hub.faults = lambda number, request: failing(number)
    try:
        push(versions[1])
    except RemoteFailed:
        return True
    return False


def sweep_once(hub: Hub, published: Repository, versions: tuple[Path, Path], kind: str, number: int) -> None:
    interrupted(hub, versions, lambda n: FAULTS[kind] if n == number else None)
    assert_old_or_new(published, versions)
    assert_next_run_ends_well(hub, published, versions)


def sweep_for_good(hub: Hub, published: Repository, versions: tuple[Path, Path], number: int) -> None:
    """From a request on the Hub is gone."""
    failed = interrupted(hub, versions, lambda n: Fault("drop") if n >= number else None)
    assert failed or number > len(hub.heard)
    assert_old_or_new(published, versions)
    assert_next_run_ends_well(hub, published, versions)


def test_a_push_has_no_more_requests_than_are_tried(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    push(versions[1])
    assert max(FEW) < len(hub.heard) <= max(ALL)


@pytest.mark.parametrize("number", A_FEW_BY_DEFAULT)
@pytest.mark.parametrize("kind", FAULTS)
def test_one_request_fails(
    hub: Hub, published: Repository, versions: tuple[Path, Path], faults: FaultTable, kind: str, number: int
) -> None:
    with faults.case(f"push: a request {kind}"):
        sweep_once(hub, published, versions, kind, number)


@pytest.mark.faults
@pytest.mark.parametrize("number", ALL)
def test_the_hub_is_gone_from_a_request_on(
    hub: Hub, published: Repository, versions: tuple[Path, Path], faults: FaultTable, number: int
) -> None:
    with faults.case("push: the Hub is gone from a request on"):
        sweep_for_good(hub, published, versions, number)


def killed(hub: Hub, release: Path, number: int, how: signal.Signals, scratch: Path) -> tuple[int, str]:
    """A push in a process of its own that gets a signal at a request, before that is answered."""
    command = [sys.executable, "-m", "papi", "push", str(release), REPO, "--tag", "v2.0.0", "--allow-simulated"]
    scratch.mkdir()
    own = os.environ | {"TMPDIR": str(scratch)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=own)

    def kill(heard: int) -> None:
        if heard == number:
            process.send_signal(how)
            time.sleep(0.05)

    hub.heard.clear()
    hub.before = kill
    message = process.communicate(timeout=120)[1]
    return process.returncode, message


@pytest.mark.parametrize(
    ("number", "how"),
    [(5, signal.SIGKILL), (22, signal.SIGTERM)]
    + [pytest.param(n, how, marks=pytest.mark.faults) for n in ALL for how in (signal.SIGKILL, signal.SIGTERM)],
)
def test_the_process_is_killed_at_a_request(
    hub: Hub,
    published: Repository,
    versions: tuple[Path, Path],
    faults: FaultTable,
    tmp_path: Path,
    number: int,
    how: signal.Signals,
) -> None:
    with faults.case(f"push: {how.name} at a request"):
        code, message = killed(hub, versions[1], number, how, tmp_path / "scratch")
        heard = len(hub.heard) >= number  # else the push had ended before
        assert code == (0 if not heard else -signal.SIGKILL if how == signal.SIGKILL else 130)
        assert "Traceback" not in message
        assert TOKEN not in message
        assert how == signal.SIGKILL or list((tmp_path / "scratch").iterdir()) == []
        assert_old_or_new(published, versions)
        assert_next_run_ends_well(hub, published, versions)
