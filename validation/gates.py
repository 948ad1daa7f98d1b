"""The gates: statistics with limits beyond which a file or a release cannot be what it claims.

Which statistic has which limit for which instrument is data (`validation/tables/gates.toml`); the statistics themselves
belong to what they look at: the answers (`validation.answer_evidence`), the published people and their splits
(`validation.people_evidence`). Below the number of people of a check its verdict is "not assessed".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from papi.errors import GateFailed
from papi.instruments import Instrument
from papi.tables import read_toml

PASSED, FAILED, ALLOWED, NOT_ASSESSED = "passed", "failed", "failed, allowed", "not assessed"
DECIMALS = 6
Statistics = Mapping[str, Callable[[], float | None]]


class Evidence(Protocol):
    """What gates look at: some people of an instrument, and statistics of them by the names of the table of gates.

    A statistic gives None where it does not apply, NaN where it is undefined (which fires).
    """

    @property
    def instrument(self) -> Instrument: ...  # noqa: D102
    @property
    def people(self) -> int: ...  # noqa: D102
    @property
    def statistics(self) -> Statistics: ...  # noqa: D102


@dataclass(frozen=True)
class Finding:
    """What one check found; `value` is rounded, None where it was not assessed."""

    gate: str
    instrument: str
    statistic: str
    value: float | None
    limit: str
    verdict: str


def assess(evidence: Evidence, allowed: Iterable[str] = ()) -> list[Finding]:
    """All checks of the evidence's statistics that apply to the instrument; nothing is raised here."""
    accepted = set(allowed)
    return [
        _finding(gate, check, evidence, accepted)
        for gate, facts in read_toml("validation", "gates.toml")["gate"].items()
        for check in facts["check"]
        if check["statistic"] in evidence.statistics and evidence.instrument.name in _limits(check)
    ]


def gate_names() -> tuple[str, ...]:
    """Every gate by its name."""
    return tuple(read_toml("validation", "gates.toml")["gate"])


def refuse_failures(findings: Iterable[Finding]) -> None:
    """Raise `GateFailed` naming every check that failed and was not allowed."""
    failed = [finding for finding in findings if finding.verdict == FAILED]
    if not failed:
        return
    gates = read_toml("validation", "gates.toml")["gate"]
    lines = [f"{f.gate} ({f.instrument}): {f.statistic} is {_shown(f.value)}, {f.limit}" for f in failed]
    names = sorted({finding.gate for finding in failed})
    raise GateFailed(
        "the data fail " + ("a gate: " if len(names) == 1 else "gates: ") + ", ".join(names),
        where="\n           ".join(lines),
        got="; ".join(dict.fromkeys(gates[name]["suspicion"] for name in names)),
        next_step="check where the file comes from; to build all the same: "
        + " ".join(f"--allow-gate {n}" for n in names),
    )


def _limits(check: Mapping[str, Any]) -> Mapping[str, float]:
    limits: Mapping[str, float] = check.get("above") or check["below"]
    return limits


def _finding(gate: str, check: Mapping[str, Any], evidence: Evidence, allowed: set[str]) -> Finding:
    of, statistic = evidence.instrument.name, str(check["statistic"])
    side, limit = "above" if "above" in check else "below", _limits(check)[of]
    words = f"fires {side} {limit:g}"
    value = evidence.statistics[statistic]() if evidence.people >= check.get("people", 0) else None
    if value is None:
        return Finding(gate, of, statistic, None, words, NOT_ASSESSED)
    fires = not (value <= limit if side == "above" else value >= limit)  # NaN fires
    if "tolerated" in check:
        fires &= value * evidence.people > check["tolerated"]
    verdict = (ALLOWED if gate in allowed else FAILED) if fires else PASSED
    return Finding(gate, of, statistic, _rounded(value), words, verdict)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:g}"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DECIMALS) + 0.0
