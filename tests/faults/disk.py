"""A disk that fails at the k-th thing done to it through the project's file layer.

Commands run on it in a process of their own: errors that pass through pyarrow's C++ code upset the interpreter's count
of its own recursion (CPython 3.11), which some later test would pay for.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from outcomes import papi

from papi import files as papi_files


class Disk:
    """Counts what is done to it; the step numbered `fails_at` (from 1), and with `stays_broken` all after it, fail."""

    def __init__(self, fails_at: int = 0, number: int = errno.ENOSPC, *, stays_broken: bool = False) -> None:
        self.fails_at, self.number, self.stays_broken = fails_at, number, stays_broken
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.fails_at and (self.steps == self.fails_at or (self.stays_broken and self.steps > self.fails_at)):
            raise OSError(self.number, os.strerror(self.number))


class _File(io.BufferedWriter):
    """A file whose every write, flushed or not, is a step."""

    def __init__(self, path: Path, mode: str, disk: Disk) -> None:
        super().__init__(io.FileIO(path, mode.replace("b", "")))
        self.disk = disk

    def write(self, content: Any) -> int:
        self.disk.step()
        return super().write(content)


def papi_on(disk: Disk, *arguments: str | Path) -> tuple[int, int]:
    """The exit code of a command on that disk, and the steps it took. Silent; to be run in a process of its own."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        pytest.MonkeyPatch.context() as patch,
    ):
        _break(disk, patch)
        return papi(*arguments), disk.steps


def _break(disk: Disk, patch: pytest.MonkeyPatch) -> None:
    """Let the file layer work on that disk."""

    def opened(path: Path, mode: str) -> _File:
        disk.step()
        return _File(path, mode, disk)

    def stepped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            disk.step()
            return function(*arguments, **options)

        return call

    patch.setattr(papi_files, "open", opened, raising=False)
    for module, name in ((os, "fsync"), (os, "replace"), (Path, "mkdir"), (shutil, "rmtree")):
        patch.setattr(module, name, stepped(getattr(module, name)))
