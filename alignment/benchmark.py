"""The benchmark: subjects of a test split, what they gave, what they are asked, and the dev split as matrices.

A release is read as a stranger would, through `papi.load` and `papi.items`. Labels are `responses` (what the person
answered to the statement) or `published` (the predecessor's: 6 − response for items keyed −1, in given and held-out
answers alike).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alignment.labels import LABELS, RESPONSES, against_the_trait, turned_labels
from alignment.questions import Question
from papi.columns import ROLES
from papi.errors import UsageError
from papi.floors import Matrix
from papi.instruments import DEV, Instrument, instrument
from papi.manifest import read_manifest
from papi.reading import items, load, refuse_without_held_out
from papi.scoring import TURN, Answers, turned

GIVEN, HELD_OUT = ROLES


@dataclass(frozen=True)
class Subject:
    """A person of a test split. `given` (given items,) are the labels 1-5 in the items' order, 0 = not answered."""

    subject_id: str
    given: Answers

    @property
    def seed(self) -> int:
        """For what is drawn for this subject: the number behind the hex digits of its id."""
        return int(self.subject_id.rpartition("-")[2], 16)


@dataclass(frozen=True)
class Benchmark:
    """One config and split of a release, in one kind of labels; rows are people.

    `held_out_answers` (subjects, held-out items) are for measuring only: no method but a leaky one is shown them.
    """

    release: Path
    config: str
    split: str
    labels: str
    given: tuple[Question, ...]
    held_out: tuple[Question, ...]
    subjects: tuple[Subject, ...]
    held_out_answers: Answers

    @property
    def instrument(self) -> Instrument:
        """The instrument that the subjects took."""
        return instrument(self.config)

    def against(self, questions: tuple[Question, ...]) -> NDArray[np.bool_]:
        """Which of some items have labels against the direction of the trait."""
        return against_the_trait(self.instrument, self.labels)[_places(self.instrument, questions)]

    def scores(self, answers: Matrix, questions: tuple[Question, ...]) -> Matrix:
        """Labels of some items (people, items) in the direction of the trait; also of predictions."""
        return np.where(self.against(questions), TURN - answers, answers)

    @cached_property
    def dev(self) -> tuple[Answers, Answers]:
        """Given and held-out labels of the dev split, 0 = not answered; no rows where the release has no such split."""
        if DEV not in read_manifest(self.release)["configs"][self.config]["splits"]:
            return np.empty((0, len(self.given)), np.int8), np.empty((0, len(self.held_out)), np.int8)
        people = load(self.release, self.config, split=DEV)
        given, held_out = (_answers(people, part, self.config, self.labels) for part in (self.given, self.held_out))
        return given, held_out


def read_benchmark(release: Path, config: str, split: str, labels: str = RESPONSES) -> Benchmark:
    """The benchmark of a split.

    Raises `UsageError` for a config without held-out items, a split that is no test split, unknown labels; and what
    `papi.load` raises.
    """
    _refuse(config, split, labels)
    questions = {role: _questions(items(release, config), role) for role in (GIVEN, HELD_OUT)}
    people = load(release, config, split=split)
    given = _answers(people, questions[GIVEN], config, labels)
    return Benchmark(
        release=release,
        config=config,
        split=split,
        labels=labels,
        given=questions[GIVEN],
        held_out=questions[HELD_OUT],
        subjects=tuple(Subject(name, row) for name, row in zip(people["subject_id"], given, strict=True)),
        held_out_answers=_answers(people, questions[HELD_OUT], config, labels),
    )


def _refuse(config: str, split: str, labels: str) -> None:
    refuse_without_held_out(config)
    if split == DEV:
        raise UsageError("the dev split is what methods learn from", expected="test or test_population", got=split)
    if labels not in LABELS:
        raise UsageError(f"no labels are called {labels!r}", expected=" or ".join(LABELS), got=labels)


def _questions(table: pd.DataFrame, role: str) -> tuple[Question, ...]:
    return tuple(
        Question(
            item=str(row["item"]),
            text=str(row["text"]),
            statement=str(row["statement"]),
            domain=str(row["domain"]),
            facet=None if pd.isna(row["facet"]) else str(row["facet"]),
            keyed=int(row["keyed"]),
        )
        for row in table[table["role"] == role].to_dict("records")
    )


def _answers(people: pd.DataFrame, questions: tuple[Question, ...], config: str, labels: str) -> Answers:
    """Labels of the items, shape (people, items), 0 = not answered."""
    of = instrument(config)
    answers = people[[question.item for question in questions]].fillna(0).to_numpy(dtype=np.int8)
    return turned(answers, turned_labels(of, labels)[_places(of, questions)])


def _places(of: Instrument, questions: tuple[Question, ...]) -> list[int]:
    """The positions of some items in their instrument."""
    return [of.item_names.index(question.item) for question in questions]
