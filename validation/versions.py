"""Semantic versions of the data: what a difference between two releases asks of the next version's number.

What is major, minor and patch is the table `papi/tables/version_rules.csv`; here is how each of its rules is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from papi.errors import UsageError
from papi.instruments import ITEMS_CONFIG, TEST, TEST_POPULATION, instrument
from papi.manifest import version_numbers
from papi.tables import read_csv
from validation.difference import Difference

KINDS = ("major", "minor", "patch")
TESTS = {TEST, TEST_POPULATION}
ELSE = "else"


@dataclass(frozen=True)
class Reason:
    """A rule that a difference falls under: its kind and meaning, and the configs it was seen in."""

    rule: str
    kind: str
    meaning: str
    configs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.meaning} ({', '.join(self.configs)})" if self.configs else self.meaning


def reasons(difference: Difference) -> list[Reason]:
    """The rules that a difference falls under, the gravest first; none where nothing changed."""
    found: list[Reason] = []
    for row in read_csv("papi", "version_rules.csv"):
        configs = tuple(RULES[row["rule"]](difference)) if row["rule"] != ELSE else ()
        if configs or (row["rule"] == ELSE and difference and not found):
            found.append(Reason(row["rule"], row["kind"], row["meaning"], configs))
    return found


def change_kind(difference: Difference) -> str | None:
    """Whether the change is major, minor or a patch; None where nothing changed."""
    return next((kind for kind in KINDS if any(reason.kind == kind for reason in reasons(difference))), None)


def refuse_too_small(before: str, after: str, difference: Difference) -> None:
    """Raise `UsageError` where the number of the next version says less than the difference asks for.

    Before 1.0.0 anything may change with any higher number (semver.org, item 4).
    """
    kind = change_kind(difference)
    old, new = version_numbers(f"v{before}"), version_numbers(f"v{after}")
    parts = 3 if kind is None or old[0] == 0 else KINDS.index(kind) + 1
    if new[:parts] > old[:parts]:
        return
    least = ".".join(map(str, (*old[: parts - 1], old[parts - 1] + 1, *(0,) * (3 - parts))))
    why = "; ".join(reason.meaning for reason in reasons(difference) if reason.kind == kind) or "a version is used once"
    raise UsageError(
        f"the version says less than what changed since {before}: {why}",
        expected=f"--version {least} or higher",
        got=after,
        next_step="papi diff shows what changed",
    )


def _columns(difference: Difference, *what: str) -> Iterator[str]:
    return (config for config, change in difference.columns.items() if any(change.get(name) for name in what))


def _config(difference: Difference, what: str) -> Iterator[str]:
    return (config for config, change in difference.columns.items() if change.get("config") == what)


def _people(difference: Difference, what: str) -> Iterator[str]:
    return (config for config, change in difference.configs.items() if change.get("rows", {}).get(what))


def _values(difference: Difference, wanted: Callable[[str, str], bool]) -> Iterator[str]:
    for config, change in difference.configs.items():
        if any(wanted(config, column) for column in change.get("values", {})):
            yield config


def _is_answer(config: str, column: str) -> bool:
    return config != ITEMS_CONFIG and (column in instrument(config).item_names or column.startswith("score_"))


def _is_other(config: str, column: str) -> bool:
    return config != ITEMS_CONFIG and not _is_answer(config, column)


def _tests(difference: Difference) -> Iterator[str]:
    for config, change in difference.configs.items():
        moved = {split for way in change.get("moved", {}) for split in way.split(" → ")}
        if TESTS & (moved | change.get("splits", {}).keys()):
            yield config


def _simulated(difference: Difference) -> list[str]:
    return [ITEMS_CONFIG] if "simulated" in difference.facts else []


RULES: dict[str, Callable[[Difference], Any]] = {
    "simulated": _simulated,
    "config-gone": lambda d: _config(d, "removed"),
    "column-gone": lambda d: _columns(d, "removed", "types"),
    "people-gone": lambda d: _people(d, "removed"),
    "answers-changed": lambda d: _values(d, _is_answer),
    "items-changed": lambda d: _values(d, lambda config, column: config == ITEMS_CONFIG),
    "test-changed": _tests,
    "config-new": lambda d: _config(d, "added"),
    "column-new": lambda d: _columns(d, "added", "reordered"),
    "people-new": lambda d: _people(d, "added"),
    "others-changed": lambda d: _values(d, _is_other),
}
