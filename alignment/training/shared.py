"""Adapters that are trained once for all subjects, on other people: dev, or the test subjects cross-fitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Reference, answered
from alignment.methods.prompting import Norms, domain_scores, levels_text, norms_for, standings
from alignment.respondent.adapters import merged
from alignment.respondent.respondent import Respondent
from alignment.training.fitting import given_material, trained
from alignment.training.material import Material
from alignment.training.objectives import objective_of
from alignment.training.trainer import Lesson
from papi.floors import Matrix
from papi.instruments import MAXIMUM, MINIMUM, MISSING
from papi.scoring import Answers

DECILE = 0.1
MORL, SOUPS = "prompt-morl", "soups"


def levels_adapter(subject: Subject, respondent: Respondent, context: Context) -> Adapter:
    """Prompt-MORL: the adapter of people who are told by their trait levels, made at the first call for a seed."""
    others = context.reference(subject)
    norms = norms_for(subject, context)
    return context.once((MORL, others.name, context.seed), lambda: _train_levels(others, norms, respondent, context))


def poured(subject: Subject, respondent: Respondent, context: Context) -> Adapter:
    """Personalized Soups: the adapters of the domains' ends, weighted by where the subject lies between them.

    With a score s of 1 to 5 in one of D domains the adapter of the high end counts (s − 1) / 4 / D, that of the low end
    1 / D less that; an unknown score counts as the middle.
    """
    others = context.reference(subject)
    ends = context.once((SOUPS, others.name, context.seed), lambda: _train_ends(others, respondent, context))
    scores = np.nan_to_num(domain_scores(subject.given[None], context)[0], nan=(MINIMUM + MAXIMUM) / 2)
    high = (scores - MINIMUM) / (MAXIMUM - MINIMUM)
    weights = np.stack([high, 1 - high], axis=1).ravel() / len(scores)
    return merged(ends, weights.tolist())


def _train_levels(others: Reference, norms: Norms, respondent: Respondent, context: Context) -> Adapter:
    chosen = context.hyperparameters[MORL]
    random = np.random.default_rng(context.seed)
    people = others.given[random.permutation(len(others.given))[: int(chosen["people"])]]
    asks, answers = [], []
    for given, levels in zip(people, standings(people, norms, context), strict=True):
        items = random.permutation(answered(given))[: int(chosen["items"])]
        if not len(items):
            continue
        questions = tuple(context.benchmark.given[item] for item in items)
        asks.append(Ask(levels_text(levels, respondent, context), questions))
        answers.append(given[items])
    every = np.concatenate(answers)
    steps = min(int(chosen["steps"]), max(1, len(every) // int(chosen["batch"])))
    objective = objective_of(MORL, chosen)
    material = Material(respondent, asks)
    return trained(Lesson(material, np.arange(len(every)), every, objective, {**chosen, "steps": steps}, context.seed))


def _train_ends(others: Reference, respondent: Respondent, context: Context) -> list[Adapter]:
    """Of every domain the adapter of people high in it, then of people low in it."""
    scores = domain_scores(others.given, context)
    return [
        _train_end(others.given[end], respondent, context, seed)
        for seed, end in enumerate(_ends(scores, context), start=context.seed * 2 * scores.shape[1])
    ]


def _ends(scores: Matrix, context: Context) -> list[NDArray[np.intp]]:
    """The people of the top and of the bottom decile of each domain, as many as wanted; nobody without a score."""
    wanted = int(context.hyperparameters[SOUPS]["people"])
    random = np.random.default_rng(context.seed)
    found = []
    for column in scores.T:
        order = np.argsort(column, kind="stable")
        order = order[~np.isnan(column[order])]
        decile = max(1, round(DECILE * len(order)))
        found += [np.sort(random.permutation(end)[:wanted]) for end in (order[-decile:], order[:decile])]
    return found


def _train_end(people: Answers, respondent: Respondent, context: Context, seed: int) -> Adapter:
    """By the exact policy gradient on all that these people answered, under the neutral text."""
    chosen = context.hyperparameters[SOUPS]
    person, items = np.nonzero(people != MISSING)
    material = given_material(respondent, context)
    objective = objective_of(SOUPS, chosen)
    return trained(Lesson(material, items, people[person, items], objective, chosen, seed))
