"""A run's folder: the frozen configuration, and one line for every finished subject and method.

Each process appends to files of its own (`answers.jsonl`, the others to `answers.1.jsonl` …), so that a kill at any
moment costs at most a torn last line, which the next run redoes. Whoever finds everything done puts the lines together.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignment.runs.configuration_file import RUN, read_configuration, write_configuration
from alignment.runs.locks import locked
from papi.errors import InputRejected, Place, UsageError
from papi.files import (
    make_folder,
    move,
    open_addition,
    read_bytes,
    remove_file,
    remove_folder,
    write_bytes,
)

ANSWERS, COSTS, FAILURES = "answers", "costs", "failures"
JUDGEMENTS = "judgements"  # of open answers
ADAPTERS = "adapters"  # a folder
KINDS = (ANSWERS, COSTS, FAILURES, JUDGEMENTS)
# looked at part by part, or free to grow
NOT_COMPARED = {"methods", "model", "release", "subjects", "unavailable"}
Line = dict[str, Any]
Task = tuple[str, str]  # method, subject id


@dataclass(frozen=True)
class RunFolder:
    """The folder as one process of a run sees it."""

    path: Path
    rank: int = 0

    def lines(self, kind: str) -> list[Line]:
        """All lines of all processes, without torn last ones."""
        with self._held():
            return self._lines(kind)

    def files(self, kind: str) -> list[Path]:
        """The files of a kind that there are."""
        return sorted(self.path.glob(f"{kind}.jsonl")) + sorted(self.path.glob(f"{kind}.*.jsonl"))

    def mend(self) -> None:
        """Cut a torn last line off this process's files; another process's are its own affair."""
        with self._held():
            for kind in KINDS:
                path = self._own(kind)
                if path.exists() and not (content := read_bytes(path)).endswith(b"\n"):
                    self._write(path, content[: content.rfind(b"\n") + 1])

    def add(self, kind: str, line: Line) -> None:
        """Append a line and flush it to the disk."""
        with self._held(), open_addition(self._own(kind)) as file:
            file.write(_encoded(line))

    def forget_failures(self, tasks: Collection[Task]) -> None:
        """Take away the failures of some tasks, which are to be tried again."""
        with self._held():
            for path in self.files(FAILURES):
                kept = [line for line in _read(path) if (line["method"], line["subject"]) not in tasks]
                self._write(path, b"".join(map(_encoded, kept)))

    def merge(self, wanted: Iterable[Task], order: Iterable[Task]) -> bool:
        """Put the lines of all processes together, sorted by `order`, if all wanted tasks are done or have failed."""
        place = {task: number for number, task in enumerate(order)}
        with self._held():
            answers, costs = _by_task(self._lines(ANSWERS)), _by_task(self._lines(COSTS))
            failures = {task: line for task, line in _by_task(self._lines(FAILURES)).items() if task not in answers}
            if set(wanted) - answers.keys() - failures.keys():
                return False
            for kind, found in ((ANSWERS, answers), (COSTS, costs), (FAILURES, failures)):
                self._replace(
                    kind, [found[task] for task in sorted(found, key=lambda task: place.get(task, len(place)))]
                )
        return True

    def _own(self, kind: str) -> Path:
        return self.path / (f"{kind}.jsonl" if not self.rank else f"{kind}.{self.rank}.jsonl")

    def _lines(self, kind: str) -> list[Line]:
        return [line for path in self.files(kind) for line in _read(path)]

    def _replace(self, kind: str, lines: list[Line]) -> None:
        """One file in place of all; it is there, whole, before the others go."""
        others = list(self.path.glob(f"{kind}.*.jsonl"))
        self._write(self.path / f"{kind}.jsonl", b"".join(map(_encoded, lines)))
        for path in others:
            remove_file(path)

    def _write(self, path: Path, content: bytes) -> None:
        """A whole file in place of another, in one step."""
        beside = path.with_name(f".{path.name}.{self.rank}.new")
        write_bytes(beside, content)
        move(beside, path)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """No other process reads or writes the lines meanwhile. Not to be entered twice."""
        with locked(self.path / ".lines.lock", wait=True):
            yield


@contextmanager
def opened(path: Path, rank: int, configuration: dict[str, Any]) -> Iterator[RunFolder]:
    """The folder for a run of that configuration, new or gone on with.

    Raises `UsageError` where it holds another run, naming the first field that differs; `Busy` where another process of
    that rank is at work in it.
    """
    refuse_other_run(path, configuration)
    make_folder(path)
    with locked(path / f".{rank}.lock", wait=False):
        with locked(path / ".lines.lock", wait=True):
            _freeze(path, configuration)
        folder = RunFolder(path, rank)
        folder.mend()
        yield folder


def refuse_other_run(run: Path, configuration: dict[str, Any]) -> dict[str, Any] | None:
    """Raise `UsageError` for a folder that holds something else than a run of that configuration.

    Only methods, subjects and a first model may be added. Gives the configuration of a run that has led to anything.
    """
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run} is a file", expected="a folder for the run", next_step="name another --out")
    if not (run / RUN).exists():
        there = run.iterdir() if run.exists() else ()
        if foreign := sorted(each.name for each in there if not each.name.startswith(".") and each.name != RUN):
            advice, got = "name a new folder, or one that papi align run wrote", ", ".join(foreign[:5])
            raise UsageError(f"{run} holds something else", got=got, next_step=advice)
        return None
    before, folder = read_configuration(run), RunFolder(run)
    if not any(_size(file) for kind in (ANSWERS, FAILURES) for file in folder.files(kind)):
        return None
    for field, old, new in _differences(before, configuration):
        raise UsageError(
            f"the folder holds a run with another {field}",
            where=str(run / RUN),
            expected=json.dumps(old),
            got=json.dumps(new),
            next_step="use the same settings to go on with it, or another --out",
        )
    return before


def _size(file: Path) -> int:
    """The bytes of a file; none where another process has just put it together with others."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _freeze(run: Path, configuration: dict[str, Any]) -> None:
    """Write the configuration, or add it to the one there, if that has led to anything."""
    before = refuse_other_run(run, configuration)
    if before is None:
        if (run / RUN).exists() and read_configuration(run) != configuration:
            remove_folder(run / ADAPTERS)  # of a run of other settings that has led to nothing else
        write_configuration(run, configuration)
        return
    merged = configuration | {
        "methods": before["methods"] | configuration["methods"],
        "subjects": max(before["subjects"], configuration["subjects"]),
        "unavailable": before.get("unavailable", {}) | configuration["unavailable"],
    }
    if configuration["model"] is None:
        merged["model"] = before["model"]
    if merged != before:
        write_configuration(run, merged)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for field in ("manifest_sha256", "commit"):
        yield from _differing(f"release.{field}", before["release"][field], now["release"][field])
    for field in (field for field in now if field not in NOT_COMPARED):
        yield from _differing(field, before.get(field), now[field])
    if before["model"] and now["model"]:
        if ("api_url" in before["model"]) != ("api_url" in now["model"]):
            yield "model.api_url", before["model"].get("api_url"), now["model"].get("api_url")
        for field in (
            field for field in now["model"] if field != "api_url"
        ):  # the same model may be served at another address by now
            yield from _differing(f"model.{field}", before["model"].get(field), now["model"][field])
    for name in before["methods"].keys() & now["methods"].keys():
        yield from _differing(f"methods.{name}", before["methods"][name], now["methods"][name])


def _differing(field: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differing(f"{field}.{key}", old.get(key), new.get(key))
    else:
        yield field, old, new


def _read(path: Path) -> Iterator[Line]:
    content = read_bytes(path)
    whole = content[: content.rfind(b"\n") + 1]  # what follows the last line's end was torn off by a kill
    for number, text in enumerate(whole.splitlines(), start=1):
        try:
            line: Line = json.loads(text)
            (line["method"], line["subject"])
        except (ValueError, KeyError, TypeError) as error:
            place = Place(str(path), "a JSON object with method and subject", repr(error), line=number)
            advice = "remove that line: what it held is done again"
            raise InputRejected(
                "a line of the run's folder cannot be read", places=[place], next_step=advice
            ) from error
        yield line


def _by_task(lines: Iterable[Line]) -> dict[Task, Line]:
    """The last line of each task."""
    return {(line["method"], line["subject"]): line for line in lines}


def _encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
