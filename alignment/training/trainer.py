"""The one loop of all trainings: batches of questions, an objective, AdamW, a learning rate that rises and falls."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import get_linear_schedule_with_warmup

from alignment.hyperparameters import Hyperparameters
from alignment.training.material import Material, Rows
from alignment.training.objectives import Batch, Objective


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learnt from whom: rows of some material with the answers 1-5 to them, how, and the seed of the draws."""

    material: Material
    rows: Rows
    answers: NDArray[np.int8]
    objective: Objective
    chosen: Hyperparameters
    seed: int


def train(lesson: Lesson, stops: Collection[int]) -> Iterator[int]:
    """Train the new adapter that is on the model; yields the number of steps done at each of `stops`.

    Ends at the last of them. The learning rate follows the whole number of steps, wherever the training is stopped.
    """
    respondent, objective, chosen = lesson.material.respondent, lesson.objective, lesson.chosen
    if objective.refers:
        _ = lesson.material.reference  # before the first step the new adapter changes nothing
    objective.start(respondent.scorer.parts.hidden, respondent.scorer.device, lesson.seed)
    learnt = [weight for weight in respondent.model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        [*learnt, *objective.parameters()], lr=chosen["learning_rate"], weight_decay=chosen["weight_decay"]
    )
    steps = int(chosen["steps"])
    warm_up = min(int(chosen["warm_up"]), steps // 2)
    schedule = get_linear_schedule_with_warmup(optimizer, warm_up, steps)  # type: ignore[no-untyped-call]
    draws = batches(lesson)
    for step in range(max(stops) + 1):
        if step in stops:
            yield step
        if step == max(stops):
            return
        places = next(draws)
        for epoch in range(objective.epochs):
            optimizer.zero_grad()
            objective.loss(_batch(lesson, places), epoch).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()


def batches(lesson: Lesson) -> Iterator[Rows]:
    """Places among the lesson's rows, shuffled anew when those left do not fill a batch.

    Rows of one ask stay together where there are several asks, so that they share its beginning. Some answer has to
    teach something (`usable_places`).
    """
    random = np.random.default_rng(lesson.seed)
    usable = usable_places(lesson)
    size = min(int(lesson.chosen["batch"]), len(usable))
    owners = lesson.material.owner[lesson.rows[usable]]
    while True:
        order = random.permutation(len(usable))
        if len(lesson.material.asks) > 1:
            turn = random.permutation(len(lesson.material.asks))
            order = order[np.argsort(turn[owners[order]], kind="stable")]
        for start in range(0, len(order) - size + 1, size):
            yield np.sort(usable[order[start : start + size]])


def usable_places(lesson: Lesson) -> Rows:
    """The places among the lesson's rows whose answers teach its objective anything."""
    return np.flatnonzero([lesson.objective.usable(int(answer)) for answer in lesson.answers])


def _batch(lesson: Lesson, places: Rows) -> Batch:
    material, rows = lesson.material, lesson.rows[places]
    found = material.outcomes(rows)
    device = found.logarithms.device
    answers = torch.from_numpy(lesson.answers[places].astype(np.int64)).to(device)
    return Batch(
        policy=found.logarithms,
        reference=_reference(lesson, rows),
        answers=answers.repeat(material.orders),
        hidden=found.hidden,
    )


def _reference(lesson: Lesson, rows: Rows) -> Tensor | None:
    if not lesson.objective.refers:
        return None
    reference = lesson.material.reference
    return reference[:, torch.from_numpy(rows).to(reference.device)].flatten(0, 1)
