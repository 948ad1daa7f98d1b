"""What a training is done with: named defaults from a table, single ones replaced by the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
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
    seen: dict[tuple[str, str], str] = {}
    for text in replaced:
        method, key, value = _parsed(text, found)
        if (method, key) in seen:
            raise UsageError(f"{method}.{key} is set twice", got=f"{seen[method, key]} and {text}")
        seen[method, key] = text
        found[method][key] = value
    return found


def _parsed(text: str, known: Mapping[str, Hyperparameters]) -> tuple[str, str, float]:
    name, equals, value = text.partition("=")
    method, _, key = name.strip().rpartition(".")
    if not equals or method not in known:
        got, expected = text, f"METHOD.KEY=VALUE with a METHOD of {', '.join(known)}"
        raise UsageError("--set names no trained method", expected=expected, got=got, next_step=_meant(method, known))
    if key not in known[method]:
        advice, expected = _meant(key, known[method]), ", ".join(known[method])
        raise UsageError(f"{method} has no hyperparameter {key!r}", expected=expected, got=text, next_step=advice)
    try:
        number = float(value)
        if key in WHOLE and isfinite(number) and number != int(number):
            raise ValueError
    except ValueError:
        kind = "a whole number" if key in WHOLE else "a number"
        raise UsageError(f"the hyperparameter {method}.{key} is no number", expected=kind, got=text) from None
    least = -inf if key in ANY_SIGN else 1 if key in AT_LEAST_ONE else 0
    if not isfinite(number) or number < least:
        expected = "a finite number" if key in ANY_SIGN else f"{least} or more"
        raise UsageError(f"{method}.{key} is out of its range", expected=expected, got=text)
    return method, key, int(number) if key in WHOLE else number


def _meant(name: str, known: Iterable[str]) -> str:
    """What was meant, if a name is like one that there is."""
    like = get_close_matches(name, known, n=1)
    return f"did you mean {like[0]}?" if like else "papi align methods NAME shows what a method has"
