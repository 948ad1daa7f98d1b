"""PAS, personality activation search, leak-free: ridge probes, and a strength that only the given items choose.

It differs from the published algorithm (`alignment.methods.published`) in that answers are graded, not cut at the
middle; that probes are regularised and judged on left-out items, a pair never parted; that the directions are those of
the probes; and that no held-out answer is seen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Subject
from alignment.methods import probes
from alignment.methods.contract import Context
from alignment.methods.prompting import few_shot_text, neutral_text
from alignment.methods.strength import steered_by_folds
from alignment.steering import Floats, Scope, Steering

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent


def probe_steering(
    subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp], scope: Scope
) -> Steering:
    """The steering of strength 1 learnt from some of the given items: along the best probes, one spread each."""
    states = shared_states(respondent, context)
    key = items.tobytes()
    fitted = context.once(("ridge-probes", key), lambda: probes.fit_ridge_probes(states[items, 0] - states[items, 1]))
    scores = context.once(("probe-scores", key), lambda: fitted.scores(*probes.graded(context.given[:, items])))
    own = scores[context.positions[subject.subject_id]]
    heads = probes.best_heads(own, steerable_heads(respondent))
    heads = heads[own[heads] > 0]  # a probe that foretells nothing points nowhere
    directions = probes.unit(fitted.weights(*probes.graded(subject.given[items]), heads))
    return Steering(heads=placed(directions, heads, states[items], respondent), scope=scope)


def placed(directions: Floats, heads: NDArray[np.intp], states: Floats, respondent: Respondent) -> Floats:
    """Unit directions (chosen heads, width), each times its spread, in the shape of the model, zeros elsewhere."""
    rows = states.reshape(2 * len(states), *states.shape[2:])[:, heads]
    result = np.zeros(states.shape[2:], dtype=np.float32)
    result[heads] = directions * probes.spreads(rows, directions)[:, None]
    return result.reshape(len(respondent.steerable), -1, states.shape[-1])


def shared_states(respondent: Respondent, context: Context) -> Floats:
    """The states of all given items under the neutral text, (items, 2, layers × heads, width); made once."""

    def make() -> Floats:
        found = respondent.states(respondent.wording.system(), context.benchmark.given)
        return found.reshape(*found.shape[:2], -1, found.shape[-1])

    return context.once("states", make)


def steerable_heads(respondent: Respondent) -> NDArray[np.bool_]:
    """Which heads can be steered, (layers × heads,)."""
    return np.repeat(respondent.steerable, respondent.scorer.parts.heads)


# With the neutral text the whole prompt is steered, so that the result can be kept as biases; on top of all given
# answers only the question is, so that the long prefix is shared.
pas = steered_by_folds(neutral_text, partial(probe_steering, scope="prompt"))
pas_few_shot = steered_by_folds(few_shot_text, partial(probe_steering, scope="suffix"))
