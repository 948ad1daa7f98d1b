"""What lies in and beside a target."""

from __future__ import annotations

from pathlib import Path

from papi.files import sha256_of_file


def content_of(folder: Path) -> dict[str, str]:
    """The hash of every file of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in files}


def left_over(target: Path) -> list[str]:
    """Hidden things beside a target that a build did not take away; a lock file that nobody holds is none."""
    return [path.name for path in target.parent.glob(f".{target.name}.*") if path.suffix != ".lock"]
