"""What a run says while it runs, and what it needs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Progress = Callable[[str], None]


@dataclass
class Clock:
    """Says how far something is: what is done and left, seconds for one; every few seconds and at the end."""

    name: str
    total: int
    progress: Progress
    every: float = 5.0  # seconds
    of: str = "subject"

    def __post_init__(self) -> None:
        self.start = self.said = time.perf_counter()
        self.done = 0

    def tick(self) -> None:
        """One more is done."""
        self.done += 1
        now = time.perf_counter()
        if self.done < self.total and now - self.said < self.every:
            return
        self.said, rate = now, (now - self.start) / self.done
        left = self.total - self.done
        more = f", {left} left, about {left * rate / 60:.1f} min" if left else ""
        self.progress(f"{self.name}: {self.done} of {self.total} {self.of}s{more}, {rate:.2f} s a {self.of}")


def forget_peak_memory() -> None:
    """Let `peak_memory` of accelerators begin anew."""
    cuda = _cuda_in_use()
    for device in range(cuda.device_count() if cuda else 0):
        cuda.reset_peak_memory_stats(device)


def peak_memory() -> int:
    """Bytes at most: of all accelerators since `forget_peak_memory`; without any, of this process so far."""
    if cuda := _cuda_in_use():
        return sum(int(cuda.max_memory_allocated(device)) for device in range(cuda.device_count()))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cuda_in_use() -> Any:
    """torch.cuda where something has been put on an accelerator; floors do without torch."""
    torch: Any = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None
