"""PAS as in the reference implementation of Zhu et al. (2025), in our own code, and ITI, which it is taken from.

Each answered item gives two states, at the end of "wholly accurate" and of "not at all"; the one on the subject's side
has label 1. Answers in the middle are left out. Heads are ranked by logistic probes; the direction of a head is the
difference of the two classes' means.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignment.asking import Ask
from alignment.benchmark import Subject
from alignment.decoding import argmax
from alignment.methods import probes
from alignment.methods.contract import Context, Fit, Prompted, answered
from alignment.methods.pas import placed, shared_states, steerable_heads
from alignment.methods.prompting import few_shot_text, neutral_text
from alignment.methods.strength import STRENGTHS, Text, steered_by_folds
from alignment.steering import Floats, Steering
from alignment.threads import one_thread
from papi.floors import as_matrix, summed_error

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

TRAIN_SHARE = 0.6
PARTS = 2  # of the pairs, by which ITI judges its probes
Rank = Callable[[Floats, NDArray[np.bool_], np.random.Generator], Floats]


def _leaky(text: Text, subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """The published algorithm, its leak included: the strength is the one with the lowest error on the test items."""
    everything = np.arange(len(subject.given))
    system = text(subject, respondent, context, everything)
    steering = _steering(subject, respondent, context, everything, rank=_accuracies)
    asks = [Ask(system, context.benchmark.held_out, steering.times(strength)) for strength in STRENGTHS]
    truth = as_matrix(context.benchmark.held_out_answers[context.positions[subject.subject_id]])[None]
    domains = [question.domain for question in context.benchmark.held_out]
    asked = ~np.isnan(truth[0])
    told_domains = [domain for domain, answer in zip(domains, asked, strict=True) if answer]
    errors = [
        summed_error(argmax(reply.probabilities)[None, asked], truth[:, asked], told_domains)
        if np.isfinite(reply.probabilities).all()
        else np.inf
        for reply in respondent.ask(asks)
    ]
    strength = STRENGTHS[int(np.argmin(errors))]
    return Prompted(system, steering.times(strength), fit={"alpha": strength})


def sides(subject: Subject, items: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Of the items those answered off the middle, and whether the answer is on the side of "accurate"."""
    chosen = np.intersect1d(items, answered(subject.given))
    chosen = chosen[subject.given[chosen] != probes.MIDDLE]
    return chosen, subject.given[chosen] > probes.MIDDLE


def _steering(
    subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp], rank: Rank
) -> Steering:
    """Strength 1 on every token of the prompt, from some of the given items; nothing where all answers are 3."""
    chosen, accurate = sides(subject, items)
    states = shared_states(respondent, context)[chosen]
    if not len(chosen):
        return Steering()
    labels = np.stack([accurate, ~accurate], axis=1)  # of the two states of each item
    random = np.random.default_rng([context.seed, subject.seed])
    heads = probes.best_heads(rank(states, labels, random), steerable_heads(respondent))
    rows, label = states.reshape(2 * len(states), *states.shape[2:])[:, heads], labels.ravel()
    directions = probes.unit(rows[label].mean(axis=0) - rows[~label].mean(axis=0))
    return Steering(heads=placed(directions, heads, states, respondent))


def _accuracies(states: Floats, labels: NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """As published: the mean of training and validation accuracy, rows drawn one by one (twins may be parted)."""
    rows, label = states.reshape(-1, *states.shape[2:]), labels.ravel()
    order = random.permutation(len(rows))
    cut = int(TRAIN_SHARE * len(rows))
    train, check = order[:cut], order[cut:]
    return _per_head(rows, lambda x: sum(_accuracies_of(x, label, train, (train, check))) / 2)


def _left_out_accuracies(states: Floats, labels: NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """Accuracy on pairs that the probe has not seen, two parts in turn."""
    rows, label = states.reshape(-1, *states.shape[2:]), labels.ravel()
    part = np.repeat(random.permutation(len(states)) % PARTS, 2)
    splits = [(np.flatnonzero(part != each), np.flatnonzero(part == each)) for each in range(PARTS)]
    return _per_head(rows, lambda x: sum(_accuracies_of(x, label, seen, (rest,))[0] for seen, rest in splits) / PARTS)


def _per_head(rows: Floats, score: Callable[[Floats], float]) -> Floats:
    import sklearn.linear_model  # noqa: F401  # before its threads are limited

    with one_thread():
        return np.array([score(np.ascontiguousarray(rows[:, head])) for head in range(rows.shape[1])], dtype=np.float32)


def _accuracies_of(
    x: Floats, label: NDArray[np.bool_], train: NDArray[np.intp], checks: tuple[NDArray[np.intp], ...]
) -> list[float]:
    """Of a logistic regression on some rows; half where there is nothing to learn from or to check."""
    from sklearn.linear_model import LogisticRegression

    if len(set(label[train])) < 2 or not all(map(len, checks)):
        return [0.5] * len(checks)
    probe: Any = LogisticRegression(max_iter=1000).fit(x[train], label[train])
    return [float(probe.score(x[check], label[check])) for check in checks]


pas_published: Fit = partial(_leaky, few_shot_text)
pas_published_neutral: Fit = partial(_leaky, neutral_text)
_published = partial(_steering, rank=_accuracies)
pas_published_cv = steered_by_folds(few_shot_text, _published)
# What the published directions are worth without the answers in the prompt.
pas_published_cv_neutral = steered_by_folds(neutral_text, _published)
# Inference-time intervention (Li et al. 2023): heads by their probes' accuracy on left-out pairs, mass-mean shifts.
iti = steered_by_folds(neutral_text, partial(_steering, rank=_left_out_accuracies))
