"""Steering: vectors added to what a model's attention heads, or its layers, give on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Scope = Literal["prompt", "suffix"]
States = Literal["heads", "residual"]


@dataclass(frozen=True, eq=False)
class Steering:
    """What is added to a model for one row of a batch.

    `heads` (layers, heads, head width) goes to the heads' outputs, `residual` (layers, hidden width) to the layers'
    outputs; None adds nothing. `scope` says whether it acts on every token of the prompt or, cheaper, only on what
    follows the shared prefix (the question).
    """

    heads: Floats | None = None
    residual: Floats | None = None
    scope: Scope = "prompt"

    def times(self, strength: float) -> Steering | None:
        """The same with other lengths; None for a strength of 0."""
        if not strength:
            return None
        return replace(self, heads=_times(self.heads, strength), residual=_times(self.residual, strength))


def _times(vectors: Floats | None, strength: float) -> Floats | None:
    return None if vectors is None else vectors * np.float32(strength)
