"""A release appears whole or not at all: built in a folder beside its place and swapped in at the end.

After any failure, a kill included, the old release is byte for byte what it was; what is left is at most one staging
folder, which the next build of the same target sweeps away. One build at a time holds a target's lock.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from papi.errors import Busy, EnvironmentProblem, PapiError, UsageError
from papi.files import make_folder, move, remove_file, remove_folder, translated
from papi.manifest import read_manifest

AT_FDCWD = -100
RENAME_EXCHANGE = 2
NEW = "new"  # inside the staging folder


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """An empty folder that takes the target's place when the block ends without an error.

    A file at `report_of` it takes its place beside the target. Raises `Busy` where another process builds the same
    target, `UsageError` where something else is in its place.
    """
    check_target(target)
    work = target.parent / f".{target.name}.staging"
    make_folder(target.parent)
    with locked(target):
        remove_folder(work)
        _recover(target)
        try:
            make_folder(work / NEW)
            yield work / NEW
            with uninterrupted():
                if report_of(work / NEW).exists():
                    move(report_of(work / NEW), target.with_name(f"{target.name}.report.json"))
                _swap_in(work / NEW, target)  # last: whatever fails before it leaves the old release as it was
        finally:
            # What cannot be removed now is swept by the next run.
            with uninterrupted(), suppress(EnvironmentProblem):
                remove_folder(work)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """SIGINT and SIGTERM wait until the block is done. (Only the main thread hears of them.)"""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda heard, frame: waiting.append(heard)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if waiting:
            signal.raise_signal(waiting[0])


def report_of(folder: Path) -> Path:
    """Where the report of a staged folder is written: beside it, so that a failure takes both away."""
    return folder.with_name("report.json")


def check_target(target: Path) -> None:
    """Raise `UsageError` where the target holds something that no build may replace."""
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        try:
            read_manifest(target)
        except PapiError as error:
            advice = "name a new folder, or one that papi build wrote"
            raise UsageError(f"{target} is not a PAPI release and will not be replaced", next_step=advice) from error


def refuse_occupied(out: Path) -> None:
    """Raise `UsageError` where anything but an empty folder is in the place of a new one."""
    with translated(out, "look into"):
        occupied = out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir())))
    if occupied:
        raise UsageError(
            f"{out} is already there",
            expected="a new or empty folder",
            next_step="name another folder, or remove it",
        )


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the target's lock; the system lets go of it when the process ends, however it ends."""
    path = target.parent / f".{target.name}.lock"
    with translated(path, "lock"):
        handle = _acquire(path)
    if handle is None:
        raise Busy(
            f"another build of {target} is running", where=str(path), next_step="wait for it, or build elsewhere"
        )
    try:
        yield
    finally:
        remove_file(path)
        os.close(handle)


def _acquire(path: Path) -> int | None:
    """An open, locked file, or None where somebody holds it. A file unlinked meanwhile is not the lock any more."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        if path.exists() and os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
        os.close(handle)


def _set_aside(target: Path) -> Path:
    return target.parent / f".{target.name}.old"


def _recover(target: Path) -> None:
    """Undo a swap in two steps that was cut off between them; sweep what one that was cut off later left."""
    old = _set_aside(target)
    if old.exists() and not target.exists():
        move(old, target)
    remove_folder(old)


def _swap_in(folder: Path, target: Path) -> None:
    """Exchange the folders in one step where the system can, so that no moment is without a release."""
    if not target.exists():
        move(folder, target)
    elif not _exchange(folder, target):
        old = _set_aside(target)
        move(target, old)
        move(folder, target)
        remove_folder(old)


def _exchange(a: Path, b: Path) -> bool:
    """Linux's renameat2 with RENAME_EXCHANGE; False where it is not to be had."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE) == 0)
