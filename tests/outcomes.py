"""What a fault led to: exit codes of the real command line, run in this process, and refusals of the readers."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest

from papi.cli import main
from papi.errors import InputRejected

FORM_FILES = {"ipip-neo-300": "IPIP300.dat", "ipip-neo-120": "IPIP120.dat"}


def papi(*arguments: str | Path) -> int:
    """The exit code of a command; signal handlers are left as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as done:
        return int(done.code or 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def assert_build_refused(
    raw: Path, code: int, words: str, capsys: pytest.CaptureFixture[str], *options: str | Path
) -> None:
    """A build of `raw` ends with `code`, its message has `words`, and nothing is left."""
    out = raw.parent / "refused" / "release"
    capsys.readouterr()
    assert papi("build", raw, out, *options) == code
    message = capsys.readouterr().err
    assert words in message, message
    assert "Traceback" not in message
    assert not out.parent.exists() or [*out.parent.iterdir()] == []


def offsets(content: bytes, count: int, seed: int) -> list[int]:
    """Random places in a file."""
    return sorted(random.Random(seed).sample(range(len(content)), min(count, len(content))))


def refusal(read: object, content: bytes) -> InputRejected | None:
    """The refusal of a reader, None where it accepts; any other error is a failure of the test."""
    try:
        read(content)  # type: ignore[operator]
    except InputRejected as error:
        return error
    return None


def flat_copy(folder: Path, target: Path) -> Path:
    """The raw files of a folder and its subfolders side by side, without copies in other formats."""
    target.mkdir(parents=True)
    for name in (*FORM_FILES.values(), "IPIP-NEO-ItemKey.xls", "SD3.zip"):
        for path in folder.rglob(name):
            shutil.copy(path, target / name)
    return target
