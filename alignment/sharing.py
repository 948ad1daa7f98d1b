"""Sharing the subjects among processes that torchrun or accelerate started. Subject i belongs to process i mod N."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from papi.errors import UsageError

VARIABLES = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}  # with what stands for one process alone


@dataclass(frozen=True)
class Share:
    """This process among those of the run: `rank` of `world`, `local` on its machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    def has(self, position: int) -> bool:
        """Whether the subject at a position is this process's."""
        return position % self.world == self.rank


def share_of(environment: Mapping[str, str] = os.environ, processes: int | None = None) -> Share:
    """The share that the launcher's variables name (RANK, WORLD_SIZE, LOCAL_RANK); the whole without a launcher.

    Raises `UsageError` where there are not as many processes as asked for: `accelerate launch --cpu` silently starts
    one, so that under accelerate without WORLD_SIZE the number has to be said.
    """
    rank, world, local = (_number(environment, name, least) for name, least in VARIABLES.items())
    alone = "WORLD_SIZE" not in environment and any(name.startswith("ACCELERATE_") for name in environment)
    if alone and processes is None:
        raise UsageError(
            "accelerate started a single process and does not say how many were asked for",
            expected="--processes 1 if one is meant",
            next_step="for several processes on a CPU use torchrun --nproc-per-node N -m papi align run …",
        )
    if processes is not None and processes != world:
        advice = "start it with torchrun --nproc-per-node N -m papi align run …"
        raise UsageError(
            "there are not as many processes as asked for", expected=str(processes), got=str(world), next_step=advice
        )
    return Share(rank, world, local)


def _number(environment: Mapping[str, str], name: str, otherwise: str) -> int:
    text = environment.get(name) or otherwise
    if not text.isdecimal():
        raise UsageError(f"the launcher's variable {name} is no number", expected="0 or more", got=repr(text))
    return int(text)
