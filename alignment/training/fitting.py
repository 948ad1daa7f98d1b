"""An adapter for one subject, from the given answers; how long to train is chosen by cross-validation on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.benchmark import Subject
from alignment.decoding import median
from alignment.folds import FOLDS
from alignment.methods.contract import Context, Prompted, answered
from alignment.respondent.adapters import adapter_of, fresh_adapter
from alignment.respondent.respondent import Respondent
from alignment.training.material import Material, Rows
from alignment.training.objectives import objective_of
from alignment.training.trainer import Lesson, train, usable_places

STOPS = (0, 2, 4, 8, 16, 32, 64, 128, 256)  # numbers of steps that early stopping chooses from, and all steps


def fit_adapter(
    method: str, subject: Subject, respondent: Respondent, context: Context, *, early_stopping: bool
) -> Prompted:
    """The neutral text with an adapter trained on the subject's given answers.

    With `early_stopping` for as many steps as have the lowest error on left-out folds, else for all.
    """
    system, steps = respondent.wording.system(), int(context.hyperparameters[method]["steps"])
    fit: dict[str, Any] = {"steps": steps}
    if early_stopping:
        fit = _choose_steps(method, subject, respondent, context)
    lesson = _lesson(method, subject, respondent, context, answered(subject.given))
    if not fit["steps"] or not len(usable_places(lesson)):
        return Prompted(system, fit=fit | {"steps": 0})
    return Prompted(system, adapter=trained(lesson, fit["steps"]), fit=fit)


def trained(lesson: Lesson, steps: int | None = None) -> Adapter:
    """The adapter after so many steps, or all."""
    rank, alpha = int(lesson.chosen["rank"]), int(lesson.chosen["alpha"])
    with fresh_adapter(lesson.material.respondent.scorer, rank, alpha, lesson.seed) as lora:
        for _ in train(lesson, [int(lesson.chosen["steps"]) if steps is None else steps]):
            pass
        return adapter_of(lora)


def given_material(respondent: Respondent, context: Context) -> Material:
    """The given items under the neutral text, encoded once for all subjects."""
    ask = Ask(respondent.wording.system(), context.benchmark.given)
    return context.once("given-material", lambda: Material(respondent, [ask]))


def _choose_steps(method: str, subject: Subject, respondent: Respondent, context: Context) -> dict[str, Any]:
    """The number of steps with the lowest error on the left-out folds, the fewest of equals, with all errors.

    A number whose option mass is under the threshold is not eligible.
    """
    steps = int(context.hyperparameters[method]["steps"])
    stops = [*(stop for stop in STOPS if stop < steps), steps]
    given, errors, masses = answered(subject.given), [], []
    for fold in range(FOLDS):
        inside = context.folds[given] == fold
        lesson = _lesson(method, subject, respondent, context, given[~inside])
        if not inside.any() or not len(usable_places(lesson)):
            continue
        questions = tuple(context.benchmark.given[item] for item in given[inside])
        found = _asked_meanwhile(lesson, stops, Ask(respondent.wording.system(), questions))
        errors.append(np.abs(found[0] - subject.given[given[inside]]))
        masses.append(found[1])
    if not errors:
        return {"steps": 0}
    means, mass = np.concatenate(errors, axis=1).mean(axis=1), np.concatenate(masses, axis=1).mean(axis=1)
    eligible = np.where((mass >= context.min_mass) & np.isfinite(means), means, np.inf)
    chosen = stops[int(np.argmin(eligible))]
    known = {str(stop): round(float(mean), 6) for stop, mean in zip(stops, means, strict=True) if np.isfinite(mean)}
    return {"steps": chosen, "fold_errors": known}


def _asked_meanwhile(lesson: Lesson, stops: Sequence[int], ask: Ask) -> tuple[NDArray[Any], NDArray[Any]]:
    """Median answers (stops, questions) and option masses of the same shape, asked while the adapter is trained."""
    respondent, answers, masses = lesson.material.respondent, [], []
    rank, alpha = int(lesson.chosen["rank"]), int(lesson.chosen["alpha"])
    with fresh_adapter(respondent.scorer, rank, alpha, lesson.seed):
        for _ in train(lesson, stops):
            (reply,) = respondent.ask([ask])
            answers.append(median(reply.probabilities))
            masses.append(reply.mass)
    return np.stack(answers), np.stack(masses)


def _lesson(method: str, subject: Subject, respondent: Respondent, context: Context, items: Rows) -> Lesson:
    """What a method learns from some of a subject's given answers."""
    material = given_material(respondent, context)
    chosen = context.hyperparameters[method]
    seed = int(np.random.default_rng([context.seed, subject.seed]).integers(2**31))
    return Lesson(material, items, subject.given[items], objective_of(method, chosen), chosen, seed)
