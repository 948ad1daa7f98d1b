"""Adapters: low-rank weights (LoRA, Hu et al. 2021) beside a model's attention projections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True, eq=False)
class Adapter:
    """What training leaves: W x + (alpha / rank) · B A x for every adapted projection W.

    `weights` are by peft's names: `….lora_A.weight` (rank, inputs), `….lora_B.weight` (outputs, rank).
    """

    rank: int
    alpha: int
    weights: Weights
