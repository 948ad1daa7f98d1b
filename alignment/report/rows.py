"""The methods of one or several runs as rows over the same people, in the same order, so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alignment.measures import Asked, asked_of
from alignment.report.lines import Answer
from alignment.report.naming import named_rows
from alignment.report.runs import Run, read_run
from alignment.runs.folder import ANSWERS
from papi.errors import InputRejected, Place, UsageError
from papi.floors import Matrix

AGREED = ("config", "split", "labels", "release.manifest_sha256")


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Row:
    """A method with what it said of all people, NaN for those it has no answers of.

    `answers` (people, items) are the people's, `probabilities` (people, seeds, items, options) or `values` (people,
    items) the method's, `mass` (people,) is NaN for a floor, `letters` (5,) how often each was the most
    probable. `fits` are by subject. `pending` are neither answered nor
    failed.
    """

    name: str
    method: str
    run: Run
    n: int
    pending: int
    excluded: Mapping[str, str]
    answers: Matrix
    probabilities: Matrix | None
    values: Matrix | None
    mass: Matrix
    letters: Matrix | None
    unparseable: int
    parsed: int
    fits: Mapping[str, Mapping[str, Any]]
    seconds: float | None
    tokens: float | None

    @property
    def facts(self) -> Mapping[str, Any]:
        """What run.json says of the method."""
        facts: Mapping[str, Any] = self.run.facts["methods"][self.method]
        return facts

    @property
    def floor(self) -> bool:
        """Whether it needs no model."""
        return bool(self.facts["floor"])

    @property
    def seeds(self) -> int:
        """How often it was trained for each subject; 1 for a method without training."""
        return 1 if self.probabilities is None else self.probabilities.shape[1]


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Rows:
    """Everything that is compared: the runs, what they agree in, the people in order and the methods."""

    runs: tuple[Run, ...]
    asked: Asked
    subjects: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What run.json of the first run says; config, split, labels and release are the same in all."""
        return self.runs[0].facts

    @property
    def notes(self) -> list[str]:
        """What was noticed when the runs were read."""
        return [note for run in self.runs for note in run.notes]


def read_rows(folders: Sequence[Path]) -> Rows:
    """The methods of some runs as rows.

    A method of two runs is two rows, called METHOD (MODEL), if the models differ; a floor knows no model and is one row
    if it said the same. Raises `UsageError` where runs cannot be compared, and what `read_run` raises.
    """
    if not folders:
        raise UsageError("no run was named", next_step="papi align report RUN")
    runs = tuple(read_run(folder) for folder in folders)
    for run in runs[1:]:
        _check_agreement(runs[0], run)
    if not any(run.answers for run in runs):
        what = f"there are no answers yet in {', '.join(map(str, folders))}"
        raise InputRejected(what, next_step="go on with papi align run, or look into failures.jsonl")
    subjects = tuple(sorted({subject for run in runs for _, subject in run.answers}))
    asked = asked_of(runs[0].facts["config"], runs[0].facts["labels"])
    _check_people(runs)
    rows = tuple(_row(name, method, run, subjects, len(asked.items)) for name, method, run in named_rows(runs))
    return Rows(runs, asked, subjects, rows)


def _check_agreement(first: Run, other: Run) -> None:
    for field in AGREED:
        one, two = (_field(run.facts, field) for run in (first, other))
        if one != two:
            what = f"{other.path} and {first.path} cannot be compared: {field} differs"
            expected, got = f"{one} (as in {first.path})", f"{two} (in {other.path})"
            raise UsageError(what, expected=expected, got=got, next_step="make one report of each")


def _field(facts: Mapping[str, Any], name: str) -> Any:
    value: Any = facts
    for part in name.split("."):
        value = value[part]
    return value


def _check_people(runs: Sequence[Run]) -> None:
    """A person answered an item in one way, whatever method was asked about it."""
    known: dict[str, tuple[Matrix, Run, Answer]] = {}
    for run in runs:
        for answer in run.answers.values():
            before, where, earlier = known.setdefault(answer.subject, (answer.expected, run, answer))
            both = ~np.isnan(before) & ~np.isnan(answer.expected)
            if (before != answer.expected)[both].any():
                got = f"answers of {answer.subject} other than in {where.path / ANSWERS}.jsonl, line {earlier.line}"
                place = Place(
                    str(run.path / f"{ANSWERS}.jsonl"), "the same answers for every method", got, line=answer.line
                )
                raise InputRejected("a person has two different answers to the same item", places=[place])


def _row(name: str, method: str, run: Run, subjects: Sequence[str], items: int) -> Row:
    mine = {subject: answer for (m, subject), answer in run.answers.items() if m == method}
    _check_one_kind(mine.values(), run)
    excluded = {subject: run.failures[m, subject] for m, subject in sorted(run.failures) if m == method}
    costs = [cost for cost in run.costs if cost.method == method]
    return Row(
        name=name,
        method=method,
        run=run,
        n=len(mine),
        pending=max(0, run.facts["subjects"] - len(mine) - len(excluded)),
        excluded=excluded,
        answers=_stacked([mine[s].expected if s in mine else None for s in subjects], (items,)),
        probabilities=_said([mine[s].probabilities if s in mine else None for s in subjects]),
        values=_said([mine[s].values if s in mine else None for s in subjects]),
        mass=np.array([mine[s].mass if s in mine else None for s in subjects], dtype=np.float64),
        letters=_letters(mine.values()),
        unparseable=sum(answer.unparseable for answer in mine.values()),
        parsed=sum(answer.parsed for answer in mine.values()),
        fits={subject: answer.fit for subject, answer in sorted(mine.items()) if answer.fit is not None},
        seconds=_mean([(cost.subject, cost.seconds) for cost in costs]),
        tokens=_mean([(cost.subject, cost.tokens) for cost in costs]),
    )


def _check_one_kind(answers: Iterable[Answer], run: Run) -> None:
    """A method says values throughout or probabilities throughout."""
    first: Answer | None = None
    for answer in answers:
        first = first or answer
        if (answer.values is None) != (first.values is None):
            expected = f"{'values' if first.values is not None else 'probabilities'}, as in line {first.line}"
            place = Place(str(run.path / f"{ANSWERS}.jsonl"), expected, "the other", line=answer.line)
            raise InputRejected(f"{answer.method} mixes values and probabilities", places=[place])


def _letters(answers: Iterable[Answer]) -> Matrix | None:
    """How often each letter was said to anybody, (5,); None where it was not counted."""
    counts = [answer.letters for answer in answers]
    if not counts or any(count is None for count in counts):
        return None
    said: Matrix = np.sum([count for count in counts if count is not None], axis=0)
    return said


def _said(parts: Sequence[Matrix | None]) -> Matrix | None:
    shape = next((part.shape for part in parts if part is not None), None)
    return None if shape is None else _stacked(parts, shape)


def _stacked(parts: Sequence[Matrix | None], shape: tuple[int, ...]) -> Matrix:
    return np.stack([np.full(shape, np.nan) if part is None else part for part in parts])


def _mean(values: Sequence[tuple[str, float | None]]) -> float | None:
    """A subject's mean: what was spent on all, repeated attempts included, by the number of subjects."""
    known = [(subject, value) for subject, value in values if value is not None]
    return sum(value for _, value in known) / len({subject for subject, _ in known}) if known else None
