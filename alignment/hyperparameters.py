"""What a training is done with: named defaults from a table, single ones replaced by the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import inf, isfinite
from typing import Any

from papi.errors import UsageError
from papi.tables import read_toml

Hyperparameters = Mapping[str, float]
WHOLE = ("rank", "alpha", "batch", "warm_up", "steps", "epochs", "people", "items")  # numbers of something
AT_LEAST_ONE = ("rank", "batch", "steps", "epochs", "people", "items")
ANY_SIGN = ("lost_reward",)


@cache
def defaults() -> dict[str, dict[str, float]]:
    """The hyperparameters of every trained method."""
    table: dict[str, Any] = read_toml("alignment", "training.toml")
    common = table["common"]
    return {method: common | own for method, own in table.items() if method != "common"}


def hyperparameters(replaced: Iterable[str]) -> dict[str, dict[str, float]]:
    """The defaults with some replaced: `replaced` are texts METHOD.KEY=VALUE.

    Raises `UsageError` for a method, a key or a value that there is not.
    """
    found = {method: dict(own) for method, own in defaults().items()}
    for text in replaced:
        method, key, value = _parsed(text, found)
        found[method][key] = value
    return found


def _parsed(text: str, known: Mapping[str, Hyperparameters]) -> tuple[str, str, float]:
    name, equals, value = text.partition("=")
    method, _, key = name.strip().rpartition(".")
    if not equals or method not in known:
        got, expected = text, f"METHOD.KEY=VALUE with a METHOD of {', '.join(known)}"
        raise UsageError("--set names no trained method", expected=expected, got=got)
    if key not in known[method]:
        raise UsageError(f"{method} has no hyperparameter {key!r}", expected=", ".join(known[method]), got=text)
    try:
        number = int(value) if key in WHOLE else float(value)
    except ValueError:
        kind = "a whole number" if key in WHOLE else "a number"
        raise UsageError(f"the hyperparameter {method}.{key} is no number", expected=kind, got=text) from None
    least = -inf if key in ANY_SIGN else 1 if key in AT_LEAST_ONE else 0
    if not isfinite(number) or number < least:
        expected = "a finite number" if key in ANY_SIGN else f"{least} or more"
        raise UsageError(f"{method}.{key} is out of its range", expected=expected, got=text)
    return method, key, number
