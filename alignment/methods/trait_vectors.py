"""Trait vectors: one direction a domain, learnt from 200 other people, dosed by the subject's scores.

What a head gives on before an answer is compared between a person's few-shot text and the neutral text. Over people the
difference is regressed on their standing in every domain: an intercept, the step from the neutral model to an average
person, and a direction a domain (cf. Chen et al. 2025, persona vectors, 2507.21509). Strength 1 adds what the
regression expects for the subject, so that no prompt has to be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Reference, answered
from alignment.methods.prompting import few_shot_text, neutral_text, norms_of, standings
from alignment.methods.strength import steered_by_folds
from alignment.steering import Steering
from papi.floors import Matrix
from papi.scoring import Answers

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

LEARNT_FROM = 200  # people
ASKED = 12  # held-out statements at whose answers the states are taken


def _steering(subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp]) -> Steering:
    """Strength 1, the subject's standing taken from some of the given items only."""
    others = context.reference(subject)
    people = context.once(("trait-people", others.name), lambda: _some(others, context))
    vectors = context.once(("trait-vectors", others.name), lambda: _vectors(people, respondent, context))
    standing = _standing(_only(subject.given[None], items), _only(people, items), context)
    return Steering(heads=np.einsum("zp,plhw->zlhw", standing, vectors)[0].astype(np.float32))


def _some(others: Reference, context: Context) -> Answers:
    """The given labels of 200 people, the same for the same seed."""
    random = np.random.default_rng(context.seed)
    return others.given[np.sort(random.permutation(len(others.given))[:LEARNT_FROM])]


def _vectors(people: Answers, respondent: Respondent, context: Context) -> Matrix:
    """Intercept and domains' directions, (1 + domains, layers, heads, width)."""
    neutral = _states(respondent.wording.system(), respondent, context)
    persons = [Subject("", given) for given in people]
    texts = [few_shot_text(person, respondent, context, answered(person.given)) for person in persons]
    shifts = np.stack([_states(text, respondent, context) - neutral for text in texts])
    weights = np.linalg.lstsq(_standing(people, people, context), shifts.reshape(len(people), -1), rcond=None)[0]
    return weights.astype(np.float64).reshape(-1, *neutral.shape)


def _states(system: str, respondent: Respondent, context: Context) -> Matrix:
    """The mean states before the answers to some held-out statements, (layers, heads, width)."""
    every = context.benchmark.held_out
    asked = every[:: -(-len(every) // ASKED)]
    found: Matrix = respondent.states_before(system, asked).mean(axis=0, dtype=np.float64)
    return found


def _standing(given: Answers, others: Answers, context: Context) -> Matrix:
    """1 and the domain scores of people in standard deviations from the others' mean, (people, 1 + domains)."""
    found: Matrix = np.hstack([np.ones((len(given), 1)), standings(given, norms_of(others, context), context)])
    return found


def _only(given: Answers, items: NDArray[np.intp]) -> Answers:
    """Answers with all but some items taken away."""
    kept = np.zeros_like(given)
    kept[:, items] = given[:, items]
    return kept


trait_vectors = steered_by_folds(neutral_text, _steering)
