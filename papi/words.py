"""Numbers as the figures and their texts write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def number(value: float) -> str:
    """Two decimals, with a true minus."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def percent(value: float) -> str:
    """One decimal, none for nobody and everybody; what is too small for a decimal is said to be."""
    if value in (0, 100):
        return f"{value:.0f} %"
    return "<0.1 %" if value < 0.05 else f"{value:.1f} %"


def span(values: Iterable[float | None]) -> str:
    """From the smallest to the largest number; those that are undefined are passed over."""
    defined = [value for value in values if value is not None and not math.isnan(value)]
    if not defined:
        return "undefined"
    low, high = number(min(defined)), number(max(defined))
    return low if low == high else f"{low} to {high}"


def joined(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shortened(name: str, letters: int) -> str:
    """A name that has room for so many letters."""
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"
