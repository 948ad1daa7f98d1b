"""How strongly to steer: chosen by cross-validation on the given items, nothing else.

The strength α counts spreads of the states along the direction. For each of the three folds the steering, and the
prompt with its answers, are made again without the fold; then the fold's items are asked at every α.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignment.asking import Ask, Reply
from alignment.benchmark import Subject
from alignment.decoding import median
from alignment.folds import FOLDS
from alignment.methods.contract import Context, Fit, Prompted, answered
from alignment.questions import Question
from alignment.steering import Steering

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

STRENGTHS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0)
Items = NDArray[np.intp]  # positions of the given items that may be used
Text = Callable[[Subject, Any, Context, Items], str]
Steer = Callable[[Subject, Any, Context, Items], Steering]
Make = Callable[[Items], tuple[str, Steering]]  # system text and steering of strength 1


@dataclass(frozen=True, eq=False)
class Tried:
    """What cross-validation found: absolute errors (strengths, items asked) and the mean option mass (strengths,)."""

    errors: NDArray[np.float64]
    mass: NDArray[np.float64]

    def described(self, chosen: float) -> dict[str, Any]:
        """For the answers' file: the strength taken and the error at each."""
        means = zip(STRENGTHS, self.errors.mean(axis=1), strict=True)
        known = {f"{strength:g}": round(float(mean), 6) for strength, mean in means if np.isfinite(mean)}
        return {"alpha": chosen, "fold_errors": known}


def steered_by_folds(text: Text, steer: Steer) -> Fit:
    """The method that tells the model `text` and steers it by `steer`, as strongly as the folds speak for.

    Both are made from some of the given items, subject, respondent and context; `steer` gives strength 1. A strength of
    0 leaves the model as it is.
    """

    def fit(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
        def make(items: Items) -> tuple[str, Steering]:
            return text(subject, respondent, context, items), steer(subject, respondent, context, items)

        tried = try_strengths(subject, respondent, context, make)
        strength = choose_strength(tried, context.min_mass)
        system, steering = make(np.arange(len(subject.given)))
        scope = {"scope": steering.scope} if strength else {}
        return Prompted(system, steering.times(strength), fit=tried.described(strength) | scope)

    return fit


def try_strengths(subject: Subject, respondent: Respondent, context: Context, make: Make) -> Tried:
    """Ask the answered items of each fold, at each strength, without what was learnt from the fold."""
    asks, known, truths = [], [], []
    for fold in range(FOLDS):
        system, steering = make(np.flatnonzero(context.folds != fold))
        items = np.intersect1d(np.flatnonzero(context.folds == fold), answered(subject.given))
        if not len(items):
            continue
        questions = tuple(context.benchmark.given[item] for item in items)
        known.append(_known_unsteered(system, questions, respondent, context))
        asks += [Ask(system, questions, steering.times(strength)) for strength in STRENGTHS[len(known[-1]) :]]
        truths.append(subject.given[items])
    replies = iter(respondent.ask(asks))
    by_fold = [[*first, *islice(replies, len(STRENGTHS) - len(first))] for first in known]
    errors = [
        np.stack([np.abs(median(reply.probabilities) - truth) for reply in replies_of_fold])
        for replies_of_fold, truth in zip(by_fold, truths, strict=True)
    ]
    mass = [np.stack([reply.mass for reply in replies_of_fold]) for replies_of_fold in by_fold]
    if not errors:
        return Tried(np.zeros((len(STRENGTHS), 1)), np.ones(len(STRENGTHS)))
    return Tried(np.concatenate(errors, axis=1), np.concatenate(mass, axis=1).mean(axis=1))


def _known_unsteered(
    system: str, questions: tuple[Question, ...], respondent: Respondent, context: Context
) -> list[Reply]:
    """Under the neutral text the reply at strength 0, which is the same for all subjects; else nothing."""
    if system != respondent.wording.system():
        return []
    return context.once(("unsteered", questions), lambda: respondent.ask([Ask(system, questions)]))


def choose_strength(tried: Tried, min_mass: float) -> float:
    """The strength with the lowest error among those that beat 0 by one standard error of the paired difference.

    Without that rule noise would be steered by: in a simulation without any true gain the lowest error is at α > 0 for
    61 % of people, with it for 19 %. A strength whose option mass is under `min_mass` is not eligible; ties go to the
    smaller.
    """
    gains = tried.errors[0] - tried.errors
    items = gains.shape[1]
    errors_of_mean = gains.std(axis=1, ddof=1) / np.sqrt(items) if items > 1 else np.zeros(len(gains))
    eligible = (gains.mean(axis=1) > errors_of_mean) & (tried.mass >= min_mass)  # never one without numbers (NaN)
    eligible[0] = True
    means = np.where(eligible, tried.errors.mean(axis=1), np.inf)
    return STRENGTHS[int(np.argmin(means))]
