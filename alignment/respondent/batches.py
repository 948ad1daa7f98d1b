"""Batches by a budget of tokens, which is halved when the memory does not suffice."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from papi.errors import EnvironmentProblem

Result = TypeVar("Result")
Rows = Sequence[int]
NO_MEMORY = "DefaultCPUAllocator"  # torch's allocator on the CPU raises a plain RuntimeError


class DoesNotFit(EnvironmentProblem):
    """Not even a single row fits."""


@dataclass
class Budget:
    """How many tokens, padding and shared prefix included, one forward may have."""

    tokens: int
    halvings: int = 0

    def run(self, lengths: Sequence[int], work: Callable[[Rows], Result]) -> list[tuple[Rows, Result]]:
        """Do `work` on batches of positions of `lengths` (tokens of each row); gives each batch with its result.

        Rows of like length go together. Raises `DoesNotFit` where the memory does not suffice for one row.
        """
        waiting = list(self._batches(sorted(range(len(lengths)), key=lambda row: (lengths[row], row)), lengths))
        done = []
        while waiting:
            batch = waiting.pop(0)
            try:
                done.append((batch, work(batch)))
            except (DoesNotFit, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
                self._halve(batch, lengths)
                rows = [*batch, *(row for later in waiting for row in later)]
                waiting = list(self._batches(rows, lengths))
        return done

    def _batches(self, rows: Rows, lengths: Sequence[int]) -> Iterator[Rows]:
        batch: list[int] = []
        for row in rows:
            if batch and lengths[row] * (len(batch) + 1) > self.tokens:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _halve(self, batch: Rows, lengths: Sequence[int]) -> None:
        if len(batch) == 1:
            raise DoesNotFit(
                "the memory does not suffice for a single prompt",
                got=f"{lengths[batch[0]]} tokens",
                next_step="take a smaller model, --quantize nf4, a lower --dtype, or --device-map auto",
            )
        self.halvings += 1
        self.tokens = max(lengths[row] for row in batch) * max(1, len(batch) // 2)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _is_out_of_memory(error: Exception) -> bool:
    """What does not fit by itself may do so where less is kept meanwhile, in a smaller batch around it."""
    return isinstance(error, DoesNotFit | torch.OutOfMemoryError) or NO_MEMORY in str(error)
