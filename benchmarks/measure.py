"""What the benchmarks share: timing commands and calls, and printing a table with one JSON line last."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Wall seconds and peak memory (MB) of a finished process."""

    seconds: float
    megabytes: float


def cost_of_command(command: Sequence[str], **environment: str) -> Cost:
    """Run a command to its end, its children included; `RuntimeError` where it fails."""
    start = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=os.environ | environment, **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


def median_seconds(call: Callable[[], object], runs: int = 3) -> float:
    """Median wall seconds of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(title: str, rows: Sequence[tuple[str, str]], figures: dict[str, Any]) -> None:
    """Print a table of figures and, as the last line, all of them as JSON."""
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}\n")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    print()
    print(json.dumps({"benchmark": title, **figures}))
