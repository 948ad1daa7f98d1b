"""The one contract of all methods: `fit(subject, respondent, context) -> condition`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Benchmark, Subject
from alignment.folds import folds_of
from alignment.hyperparameters import Hyperparameters, defaults
from papi.floors import FOLDS as PEOPLE_FOLDS
from papi.floors import Matrix, people_folds
from papi.instruments import MISSING
from papi.scoring import Answers

if TYPE_CHECKING:
    from alignment.adapter import Adapter
    from alignment.steering import Steering

LEAST_DEV = 1000  # people: with fewer, what is learnt from people is cross-fitted over the test subjects
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Prediction:
    """Answers foretold without a model: `values` (held-out items,), or `probabilities` (held-out items, 5)."""

    values: NDArray[np.float64] | None = None
    probabilities: Matrix | None = None


@dataclass(frozen=True, eq=False)
class Prompted:
    """What a model is told before the questions, how it is steered or adapted meanwhile, and what the fit found out."""

    system: str
    steering: Steering | None = None
    adapter: Adapter | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)


Condition = Prediction | Prompted
Fit = Callable[[Subject, Any, "Context"], Condition]


@dataclass(frozen=True, eq=False)
class Reference:
    """Whom something is learnt from for a subject: labels of other people, 0 = missing, and a name of the group."""

    given: Answers
    held_out: Answers
    name: str


@dataclass(eq=False)
class Context:
    """What all fits of a run share: the benchmark, the seed, and what was made once for everybody.

    `descriptions` are texts about subjects, by subject id, for P² (else the model writes them); `hyperparameters` those
    of the trained methods, by name.
    """

    benchmark: Benchmark
    seed: int = 0
    min_mass: float = 0.5
    descriptions: Mapping[str, str] | None = None
    hyperparameters: Mapping[str, Hyperparameters] = field(default_factory=defaults)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def seeded(self, seed: int) -> Context:
        """The same with another seed; what was made once for everybody is shared, so it must not depend on the seed
        unless its name says which."""
        return replace(self, seed=seed)

    def once(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made at the first call with that name."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    @cached_property
    def folds(self) -> NDArray[np.intp]:
        """The fold of each given item."""
        return folds_of(self.benchmark.given)

    @cached_property
    def given(self) -> Answers:
        """The given labels of all subjects of the split, (subjects, given items)."""
        return np.stack([subject.given for subject in self.benchmark.subjects])

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The position of each subject in the split."""
        return {subject.subject_id: row for row, subject in enumerate(self.benchmark.subjects)}

    @cached_property
    def learns_from(self) -> str:
        """Whom the methods learn from that learn from people, in words for the report."""
        people = len(self.benchmark.dev[0])
        if people >= LEAST_DEV:
            return f"dev, {people:,} people"
        subjects = len(self.benchmark.subjects)
        return f"other test subjects, cross-fitted, {subjects - -(-subjects // PEOPLE_FOLDS)} people"

    def reference(self, subject: Subject) -> Reference:
        """The dev split; without 1,000 people there, the test subjects of the nine other folds than the subject's."""
        given, held_out = self.benchmark.dev
        if len(given) >= LEAST_DEV:
            return Reference(given, held_out, "dev")
        folds = people_folds(len(self.benchmark.subjects))
        fold = folds[self.positions[subject.subject_id]]
        others = np.flatnonzero(folds != fold)
        return Reference(self.given[others], self.benchmark.held_out_answers[others], f"fold {fold}")


@dataclass(frozen=True, eq=False)
class Method:
    """A row of the table of methods, with its fit."""

    name: str
    family: str
    sees_dev: bool
    leaky: bool
    steers: bool
    cost: str
    meaning: str
    fit: Fit

    @property
    def is_floor(self) -> bool:
        """Whether it needs no model."""
        return self.family == "floor"

    @property
    def is_trained(self) -> bool:
        """Whether it learns with a gradient, so that it is done with several seeds."""
        return self.family == "training"


def answered(answers: Sequence[int] | Answers) -> NDArray[np.intp]:
    """The positions of what was answered."""
    return np.flatnonzero(np.asarray(answers) != MISSING)
