"""A run's folder as it lies on the disk: its configuration, answers, costs and failures, all checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alignment.measures import asked_of
from alignment.report.lines import (
    Answer,
    Cost,
    answer_parser,
    cost_parser,
    failure_parser,
    read_lines,
)
from alignment.runs.configuration_file import read_configuration
from alignment.runs.folder import ANSWERS, COSTS, FAILURES, RunFolder
from papi.errors import InputRejected, MissingFile, Place, UsageError

Parsed = TypeVar("Parsed")
Parse = Callable[[dict[str, Any], int], Parsed]


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Run:
    """A run as far as it is done: `facts` are those of run.json, `answers` and `failures` by method and subject."""

    path: Path
    facts: Mapping[str, Any]
    answers: Mapping[tuple[str, str], Answer]
    failures: Mapping[tuple[str, str], str]
    costs: tuple[Cost, ...]
    notes: tuple[str, ...]

    @property
    def model(self) -> Mapping[str, Any] | None:
        """What is known of the model; None where there was none."""
        model: Mapping[str, Any] | None = self.facts.get("model")
        return model


def read_run(path: Path) -> Run:
    """A run from its folder. costs.jsonl and failures.jsonl may be absent: nothing was measured, nothing failed.

    Raises `MissingFile` where the folder, run.json or answers.jsonl is not there, `InputRejected` where one is wrong.
    """
    folder, facts = RunFolder(path), read_configuration(path)
    if not folder.files(ANSWERS):
        advice = "name the folder that papi align run wrote"
        raise MissingFile(f"{path} is no run: it has no {ANSWERS}.jsonl", where=str(path), next_step=advice)
    if facts.get("open_ended"):
        what, advice = f"{path} holds open answers, no options", "papi align judge measures them"
        raise UsageError(what, where=str(path), next_step=advice)
    methods, asked = facts["methods"], asked_of(facts["config"], facts["labels"])
    answers, notes = _by_who(folder, answer_parser(methods, asked.items))
    failures, more = _read(folder, FAILURES, failure_parser(methods))
    costs, most = _read(folder, COSTS, cost_parser(methods))
    failed = {(f.method, f.subject): f.reason for f in failures if (f.method, f.subject) not in answers}
    return Run(path, facts, answers, failed, tuple(costs), (*notes, *more, *most))


def _read(folder: RunFolder, kind: str, parse: Parse[Parsed]) -> tuple[list[Parsed], list[str]]:
    """The lines of all processes, and what is to be said of their files."""
    found = [read_lines(path, parse) for path in folder.files(kind)]
    return [line for lines, _ in found for line in lines], [note for _, notes in found for note in notes]


def _by_who(folder: RunFolder, parse: Parse[Answer]) -> tuple[dict[tuple[str, str], Answer], list[str]]:
    """The answers by method and subject; the same twice in one file is refused."""
    found: dict[tuple[str, str], Answer] = {}
    places, every = [], []
    for path in folder.files(ANSWERS):
        answers, notes = read_lines(path, parse)
        every += notes
        here: dict[tuple[str, str], Answer] = {}
        for answer in answers:
            first = here.setdefault((answer.method, answer.subject), answer)
            if first is not answer:
                got = f"{answer.method} and {answer.subject} again, as in line {first.line}"
                places.append(Place(str(path), "one line a method and subject", got, line=answer.line))
        found |= here
    if places:
        raise InputRejected("answers.jsonl has subjects more than once", where=str(folder.path), places=places)
    return found, every
