"""Who may work in a run's folder: locks that the system lets go of when a process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from papi.errors import Busy
from papi.files import translated


@contextmanager
def only_one_in(path: Path, what: str) -> Iterator[None]:
    """Within the block no other process does the same in the folder. Raises `Busy` where one does."""
    with locked(path / f".{what}.lock", wait=False):
        yield


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock that the system lets go of when the process ends, however it ends."""
    with translated(path, "lock"):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    except BlockingIOError:
        what, advice = "another process is at work in this run's folder", "wait for it, or use another --out"
        raise Busy(what, where=str(path.parent), next_step=advice) from None
    finally:
        os.close(handle)
