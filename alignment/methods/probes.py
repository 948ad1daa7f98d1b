"""Probes: what the heads of a model say of a subject's answers, from states shared by all subjects.

A state is what a head gives on at the end of an answer. `differences` are the states after "wholly accurate" less those
after "not at all", of each given item under the neutral text; they are the same for everybody, so that one
factorisation serves all subjects. The target of an item is the graded answer, (answer − 3) / 2.

The pairs have no first and second: turning one round turns its target too. So the regression has no intercept. With
one, whoever agrees with everything could not be told from whoever does not (benchmarks/LOG.md has both).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignment.threads import one_thread
from papi.instruments import MAXIMUM, MINIMUM, MISSING
from papi.scoring import Answers

Floats = NDArray[np.float32]
HEADS = 24  # steered heads of all layers, as in Zhu et al. (2025); all where a model has no more
PENALTY = 0.3  # of .03 to 10 the best on simulated people of another seed than those reported (benchmarks/LOG.md)
MIDDLE = (MINIMUM + MAXIMUM) / 2


@dataclass(frozen=True, eq=False)
class RidgeProbes:
    """Ridge regressions of targets on the differences of every head, on some items; made once for all subjects.

    `differences` (heads, items, width), `inverse` (heads, items, items) is (K + λI)⁻¹ for the kernel K of the
    differences, λ a share (`PENALTY`) of the mean of its diagonal.
    """

    differences: Floats
    inverse: Floats

    def scores(self, targets: Floats, asked: NDArray[np.bool_]) -> Floats:
        """The share of the squared targets that each head foretells from the other items; negative if it misleads.

        `targets` (subjects, items), 0 where missing; `asked` the same shape, False where missing. Returns (subjects,
        heads).
        """
        total = np.maximum((targets**2).sum(axis=1), np.finfo(np.float32).tiny)
        diagonal = np.einsum("hii->hi", self.inverse)
        result = np.empty((len(targets), len(self.inverse)), dtype=np.float32)
        whole = asked.all(axis=1)
        with one_thread():
            for head, inverse in enumerate(self.inverse):
                errors = (targets[whole] @ inverse) / diagonal[head]  # of each item left out
                result[whole, head] = 1 - (errors**2).sum(axis=1) / total[whole]
            for subject in np.flatnonzero(~whole):
                errors = self._left_out(targets[subject], asked[subject])
                result[subject] = 1 - (errors**2).sum(axis=1) / total[subject]
        return result

    def weights(self, targets: Floats, asked: NDArray[np.bool_], heads: NDArray[np.intp]) -> Floats:
        """The probes' weights of some heads for one subject, (heads, width)."""
        dual, _ = _without(self.inverse[heads], targets, asked)
        found: Floats = np.einsum("hiw,hi->hw", self.differences[heads], dual)
        return found

    def _left_out(self, targets: Floats, asked: NDArray[np.bool_]) -> Floats:
        """The errors of one subject's items, each left out, (heads, items); 0 for those that are missing anyway."""
        dual, diagonal = _without(self.inverse, targets, asked)
        errors: Floats = np.divide(dual, diagonal, out=np.zeros_like(dual), where=asked)
        return errors


def fit_ridge_probes(differences: Floats) -> RidgeProbes:
    """Factorise once for all subjects. `differences` (items, heads, width)."""
    by_head = np.ascontiguousarray(differences.transpose(1, 0, 2))
    items = len(differences)
    inverse = np.empty((len(by_head), items, items), dtype=np.float32)
    with one_thread():
        for head, values in enumerate(by_head):
            kernel = values @ values.T
            penalty = np.float32(PENALTY * np.trace(kernel) / items or 1.0)  # 1 where a head's states are all the same
            inverse[head] = np.linalg.inv(kernel + penalty * np.eye(items, dtype=np.float32))
    return RidgeProbes(by_head, inverse)


def graded(given: Answers) -> tuple[Floats, NDArray[np.bool_]]:
    """Targets in [−1, 1], 0 where missing; and what was answered."""
    asked = given != MISSING
    return np.where(asked, (given - MIDDLE) / 2, 0.0).astype(np.float32), asked


def best_heads(scores: Floats, usable: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The 24 usable heads with the highest scores, or all there are; ties go to the earlier head."""
    count = min(HEADS, int(usable.sum()))
    return np.argsort(np.where(usable, -scores, np.inf), kind="stable")[:count]


def unit(vectors: Floats) -> Floats:
    """Vectors of length 1, (…, width); one of length 0 stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found


def spreads(states: Floats, directions: Floats) -> Floats:
    """Standard deviations of states (rows, heads, width) along unit directions (heads, width), (heads,)."""
    found: Floats = np.einsum("rhw,hw->rh", states, directions).std(axis=0)
    return found


def _without(inverse: Floats, targets: Floats, asked: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The dual weights and the inverse's diagonal as if what is missing had not been there, (heads, items) each.

    From the inverse B over all items, that over the items that are there is B − B[:, m] B[m, m]⁻¹ B[m, :].
    """
    dual, diagonal = inverse @ targets, np.einsum("hii->hi", inverse)
    if asked.all():
        return dual, diagonal
    missing = np.flatnonzero(~asked)
    columns = inverse[:, :, missing]
    solved = np.linalg.solve(columns[:, missing], np.swapaxes(columns, 1, 2))  # (heads, missing, items)
    dual = dual - np.einsum("him,hm->hi", columns, solved @ targets)
    return np.where(asked, dual, 0), diagonal - np.einsum("him,hmi->hi", columns, solved)
