"""A run's folder as it lies on the disk: its configuration, answers, costs and failures, all checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alignment.labels import LABELS
from alignment.measures import asked_of
from alignment.prompts import BOTH, ORDERS
from alignment.report.lines import (
    Answer,
    Cost,
    answer_parser,
    cost_parser,
    failure_parser,
    is_number,
    read_lines,
)
from alignment.runs.folder import ANSWERS, COSTS, FAILURES, FORMAT, RUN, RunFolder
from papi.errors import InputRejected, MissingFile, Place, UsageError
from papi.files import read_json
from papi.instruments import DARK_TRIAD, IPIP_300, TEST, TEST_POPULATION

CHOICES = {
    "format": (FORMAT,),
    "config": (IPIP_300, DARK_TRIAD),
    "split": (TEST, TEST_POPULATION),
    "labels": LABELS,
    "option_order": (*ORDERS, BOTH),
}
NULL = type(None)
RELEASE = {"version": str, "simulated": bool, "manifest_sha256": str, "revision": (str, NULL), "commit": (str, NULL)}
METHOD = {"sees_dev": (str, NULL), "leaky": bool, "floor": bool, "settings": dict}
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
    folder, advice = RunFolder(path), "name the folder that papi align run wrote"
    if not path.is_dir():
        raise MissingFile(f"{path} is not there", where=str(path), next_step=advice)
    if not (path / RUN).is_file() or not folder.files(ANSWERS):
        missing = RUN if not (path / RUN).is_file() else "answers.jsonl"
        raise MissingFile(f"{path} is no run: it has no {missing}", where=str(path), next_step=advice)
    facts = _facts(path / RUN)
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


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = read_json(path)
    except ValueError as error:
        raise InputRejected(f"{RUN} is no JSON", where=str(path), got=str(error)) from None
    faults = _faults(facts) if isinstance(facts, dict) else [("", "an object", facts)]
    if faults:
        places = [Place(str(path), expected, repr(got), column=key) for key, expected, got in faults]
        raise InputRejected(
            f"{RUN} is not that of a run", where=str(path), places=places, next_step="make the run again"
        )
    return dict(facts)


def _faults(facts: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What is wrong with a configuration: where, what was expected, what is there."""
    faults = [
        (key, " or ".join(choices), facts.get(key)) for key, choices in CHOICES.items() if facts.get(key) not in choices
    ]
    faults += _kinds(facts.get("release"), RELEASE, "release")
    methods, model = facts.get("methods"), facts.get("model")
    if not isinstance(methods, dict) or not methods:
        faults.append(("methods", "methods by name", methods))
    else:
        faults += [fault for name, method in methods.items() for fault in _faults_of_method(name, method)]
    if model is not None:
        faults += _kinds(model, {"name": str}, "model")
    if type(facts.get("subjects")) is not int:
        faults.append(("subjects", "a number of people", facts.get("subjects")))
    if not is_number(facts.get("min_mass")):
        faults.append(("min_mass", "a number", facts.get("min_mass")))
    return faults


def _faults_of_method(name: str, method: Any) -> list[tuple[str, str, Any]]:
    if faults := _kinds(method, METHOD, f"methods.{name}"):
        return faults
    seeds = method["settings"].get("seeds", [0])
    if isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds):
        return []
    return [(f"methods.{name}.settings.seeds", "a list of whole numbers", seeds)]


def _kinds(part: Any, kinds: Mapping[str, Any], name: str) -> list[tuple[str, str, Any]]:
    if not isinstance(part, dict):
        return [(name, "an object", part)]
    wrong = [(key, kind) for key, kind in kinds.items() if not isinstance(part.get(key), kind)]
    return [(f"{name}.{key}", _called(kind), part.get(key)) for key, kind in wrong]


def _called(kind: Any) -> str:
    names = {str: "a text", bool: "true or false", NULL: "null", dict: "an object"}
    return " or ".join(names[each] for each in (kind if isinstance(kind, tuple) else (kind,)))
