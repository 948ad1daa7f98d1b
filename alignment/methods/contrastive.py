"""CAA, contrastive activation addition (Panickssery et al. 2024): one vector added to the output of one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Subject
from alignment.methods import probes
from alignment.methods.contract import Context
from alignment.methods.prompting import neutral_text
from alignment.methods.published import sides
from alignment.methods.strength import steered_by_folds
from alignment.steering import Floats, Steering

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent


def _steering(subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp]) -> Steering:
    """The mean difference between the subject's side and the other, at the layer where it parts left-out items best."""
    system, given = respondent.wording.system(), context.benchmark.given
    every: Floats = context.once("residual-states", lambda: respondent.states(system, given, "residual"))
    chosen, accurate = sides(subject, items)
    if not len(chosen):
        return Steering()
    states = every[chosen]
    signs = np.where(accurate, 1, -1).astype(np.float32)[:, None, None]
    differences = (states[:, 0] - states[:, 1]) * signs  # towards the subject's side, (items, layers, hidden)
    layer = int(np.argmax(_parted(differences)))
    direction = probes.unit(differences[:, layer].mean(axis=0))
    result = np.zeros(states.shape[2:], dtype=np.float32)
    result[layer] = direction * (states[:, :, layer] @ direction).std()
    return Steering(residual=result)


def _parted(differences: Floats) -> Floats:
    """By layer, the share of items whose difference points along the mean of the other items' differences."""
    others = differences.sum(axis=0) - differences
    return np.asarray((np.einsum("ilh,ilh->il", differences, others) > 0).mean(axis=0), dtype=np.float32)


caa = steered_by_folds(neutral_text, _steering)
