"""The one layer through which the project reads and writes files.

Everything that is written, moved or removed passes the functions below, so that a fault at any write can be injected
in one place and every refusal of the operating system becomes an `EnvironmentProblem` that names the file. (The lock of
a build and the exchange of two folders are the business of `builders.staging`.)
"""

from __future__ import annotations

import atexit
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

from papi.errors import EnvironmentProblem, MissingFile

BLOCK = 1 << 20


@contextmanager
def translated(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` on `path` into the project's error for it."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFile(f"cannot {doing} {path.name}: it is not there", where=str(path)) from error
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot {doing} {path.name}: {error.strerror or error}",
            where=str(path),
            next_step="check free space, permissions and that it is a plain file, then run the command again",
        ) from error


def read_bytes(path: Path) -> bytes:
    """The whole content of a file."""
    with translated(path, "read"):
        return path.read_bytes()


def read_head(path: Path, size: int) -> bytes:
    """The first `size` bytes of a file."""
    with translated(path, "read"), path.open("rb") as file:
        return file.read(size)


def read_json(path: Path) -> Any:
    """The content of a JSON file; `ValueError` when it is none."""
    return json.loads(read_bytes(path))


def is_number(value: Any) -> bool:
    """Whether a value of a JSON file is a number, and finite."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def sha256_of(content: bytes | memoryview) -> str:
    """SHA-256 of some bytes, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def git_blob_id(content: bytes) -> str:
    """The name that git, and with it the Hub, gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits, read in blocks."""
    digest = hashlib.sha256()
    with translated(path, "read"), path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """A new file to write, with its folders; flushed to the disk before the block ends."""
    with _open(path, "wb") as file:
        yield file


@contextmanager
def open_addition(path: Path) -> Iterator[BinaryIO]:
    """A file to write on from its end, made if need be; flushed to the disk before the block ends."""
    with _open(path, "ab") as file:
        yield file


@contextmanager
def _open(path: Path, mode: Literal["wb", "ab"]) -> Iterator[BinaryIO]:
    with translated(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def make_folder(path: Path) -> None:
    """A folder with those above it; nothing where it is there."""
    with translated(path, "make"):
        path.mkdir(parents=True, exist_ok=True)


def move(path: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk, in one step; a file that is there is replaced."""
    with translated(path, "move"):
        os.replace(path, target)


def share(folder: Path) -> None:
    """Give the files of a folder the permissions of any new file: libraries write some for their owner only."""
    mask = os.umask(0)
    os.umask(mask)
    for path in folder.rglob("*"):
        if path.is_file():
            with translated(path, "share"):
                path.chmod(0o666 & ~mask)


def remove_file(path: Path) -> None:
    """Delete a file, if it is there."""
    with translated(path, "remove"):
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Delete a folder with all that is in it, if it is there."""
    with translated(path, "remove"):
        if path.exists():
            shutil.rmtree(path)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder for what is needed only for a while; it is gone afterwards, at the latest when the process ends.

    At the end of the block somebody may still be writing into it: threads of a library that was interrupted.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix="papi-"))
    except OSError as error:
        advice = "make room in the folder for temporary files, or name another one with TMPDIR"
        raise EnvironmentProblem("cannot make a temporary folder", got=str(error), next_step=advice) from error
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file."""
    with open_output(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file: UTF-8, LF."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file that people can read and that is the same for the same value."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
