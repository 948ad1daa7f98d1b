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
    """Says how far a method is: subjects done and left, seconds a subject; every few seconds and at the end."""

    name: str
    total: int
    progress: Progress
    every: float = 5.0  # seconds

    def __post_init__(self) -> None:
        self.start = self.said = time.perf_counter()
        self.done = 0

    def tick(self) -> None:
        """One more subject is done."""
        self.done += 1
        now = time.perf_counter()
        if self.done < self.total and now - self.said < self.every:
            return
        self.said, rate = now, (now - self.start) / self.done
        left = self.total - self.done
        more = f", {left} left, about {left * rate / 60:.1f} min" if left else ""
        self.progress(f"{self.name}: {self.done} of {self.total} subjects{more}, {rate:.2f} s a subject")


def peak_memory() -> int:
    """Bytes at most so far: of the accelerator where there is one in use, else of this process."""
    torch: Any = sys.modules.get("torch")  # floors do without it
    if torch and torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
