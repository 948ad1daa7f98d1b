"""The raw files from their public places: pinned by hash, resumable, and never over a file of the user.

A file grows in the target folder as `.NAME.part` and gets its name only once its content is the right one, so
that whatever lies under a known name is either whole or the user's own. What to do about a file is decided by
`download_action` from three facts, for all files before the first request.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from builders.download import PATIENCE, Patience, Progress, download, part_size
from builders.sources import Source, content_problem, wanted
from builders.sources import sources as shipped_sources
from papi.errors import Busy, InputRejected, Place
from papi.files import make_folder, move, remove_file, translated


class Action(Enum):
    """What to do about one wanted file."""

    KEEP = auto()  # there, and right
    REFUSE = auto()  # there, and wrong: it is the user's
    CHECK = auto()  # downloaded to the last byte, but not yet checked
    RESUME = auto()
    START = auto()


@dataclass(frozen=True)
class Fetched:
    """A wanted file that is now in the folder; `outcome` is "already there" or "downloaded"."""

    name: str
    path: Path
    outcome: str


def fetch(
    raw: Path,
    only: Sequence[str] = (),
    sources: Sequence[Source] | None = None,
    progress: Progress = lambda name, done, total: None,
    patience: Patience = PATIENCE,
) -> list[Fetched]:
    """Bring the raw files of the instruments in `only` (of all, where it is empty) into the folder `raw`.

    `progress` hears (name, bytes so far, bytes in all or None). Raises `UsageError` for an unknown
    instrument, `Busy` while another fetch fills the folder, `InputRejected` for a file of the user or a
    download whose content is not the pinned one, `RemoteFailed` where a server does not give a file,
    `EnvironmentProblem` for the disk. After `RemoteFailed` and after SIGINT what has come of a file stays,
    and the next call goes on from there.
    """
    chosen = wanted(only, shipped_sources() if sources is None else sources)
    with _alone_in(raw):
        there = [source for source in chosen if os.path.lexists(raw / source.name)]
        problems = {source.name: content_problem(source, raw / source.name) for source in there}
        right = {name: problem is None for name, problem in problems.items()}
        plan = [(s, download_action(right.get(s.name), part_size(_part(raw, s)), s.bytes)) for s in chosen]
        if any(action is Action.REFUSE for _, action in plan):
            raise _foreign_files(raw, [problem for problem in problems.values() if problem])
        return [_fetched(source, raw, action, progress, patience) for source, action in plan]


def download_action(right: bool | None, part_bytes: int, expected_bytes: int | None) -> Action:
    """What to do about a file that is `right` or not (None: not there), with `part_bytes` downloaded."""
    if right is not None:
        return Action.KEEP if right else Action.REFUSE
    if part_bytes == 0 or (expected_bytes is not None and part_bytes > expected_bytes):
        return Action.START
    return Action.CHECK if part_bytes == expected_bytes else Action.RESUME


def _fetched(source: Source, raw: Path, action: Action, progress: Progress, patience: Patience) -> Fetched:
    target, part = raw / source.name, _part(raw, source)
    if action is Action.KEEP:
        return Fetched(source.name, target, "already there")
    if action is Action.START:
        remove_file(part)
    if action is not Action.CHECK:
        download(source, part, progress, patience)
    if problem := content_problem(source, part):
        remove_file(part)
        if action is not Action.START:  # what lay there may be to blame, so the server gets a fresh start
            return _fetched(source, raw, Action.START, progress, patience)
        raise _wrong_download(source, problem)
    move(part, target)
    return Fetched(source.name, target, "downloaded")


def _part(raw: Path, source: Source) -> Path:
    """Where a download grows: in the target folder, so that the move is one step, and hidden from builds."""
    return raw / f".{source.name}.part"


def _foreign_files(raw: Path, problems: Sequence[Place]) -> InputRejected:
    return InputRejected(
        "files with the names of raw files have another content; nothing was downloaded or changed",
        places=problems,
        where=str(raw),
        next_step="move these files away and run again, or give another folder",
    )


def _wrong_download(source: Source, problem: Place) -> InputRejected:
    return InputRejected(
        f"the download of {problem.file} is not the pinned file; it was removed",
        where=source.url,
        expected=problem.expected,
        got=problem.got,
        next_step="run again; if this persists the file has changed at its source: report it",
    )


@contextmanager
def _alone_in(raw: Path) -> Iterator[None]:
    """Make the folder and hold its lock: two that add to one part would spoil it.

    The folder itself is what is locked, so no lock file lies among the raw files; the system lets go when the
    process ends, however it ends.
    """
    make_folder(raw)
    with translated(raw, "lock"):
        handle = os.open(raw, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle, raw)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, raw: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        advice = "wait for it, or give another folder"
        raise Busy("another papi fetch is filling this folder", where=str(raw), next_step=advice) from error
    except OSError:
        return  # some network file systems cannot lock a folder; a spoilt part would still fail its hash
