"""The gates: statistics of the answers with limits beyond which a file cannot be what it claims.

Which statistic has which limit for which instrument is data (`validation/tables/gates.toml`); how each is computed is
here. Below the number of people of a check its verdict is "not assessed".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from papi.errors import GateFailed
from papi.instruments import Instrument
from papi.scoring import Answers
from papi.tables import read_toml
from validation.careless import Indices
from validation.moments import Moments, moments_of
from validation.psychometrics import alphas, item_rest_correlations, key_alignment, keying_contradictions
from validation.reference import lag_correlations, reference_means

PASSED, FAILED, ALLOWED, NOT_ASSESSED = "passed", "failed", "failed, allowed", "not assessed"
DECIMALS = 6


@dataclass(frozen=True)
class Evidence:
    """What the gates look at: one instrument's item scores (people, items) and what was counted on the way.

    `content` says whose item key it is (real or simulated); `copies` counts rows whose answers, not all the same, are
    another row's too; `pinned_means` are the stored means of a file that is pinned, if there are any.
    """

    instrument: Instrument
    scores: Answers
    content: str
    indices: Indices
    doubled_cases: int = 0
    copies: int = 0
    impossible_rows: int = 0
    pinned_means: NDArray[np.float64] | None = None

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.scores)

    @cached_property
    def moments(self) -> Moments:
        """Pairwise-complete moments of the item scores."""
        return moments_of(self.scores)

    @cached_property
    def alphas(self) -> dict[str, float]:
        """Alpha of every scale."""
        return alphas(self.scores, self.instrument)

    @cached_property
    def lags(self) -> dict[int, float]:
        """Correlation of the item means with the reference, by lag."""
        return dict(lag_correlations(self.moments.means, reference_means(self.content, self.instrument)))


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
    """All checks of all gates that apply to the instrument; nothing is raised here."""
    accepted = set(allowed)
    return [
        _finding(gate, check, evidence, accepted)
        for gate, facts in read_toml("validation", "gates.toml")["gate"].items()
        for check in facts["check"]
        if evidence.instrument.name in check.get("above", check.get("below"))
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


def _finding(gate: str, check: dict[str, object], evidence: Evidence, allowed: set[str]) -> Finding:
    of = evidence.instrument.name
    side = "above" if "above" in check else "below"
    limit = check[side][of]  # type: ignore[index]
    words = f"fires {side} {limit:g}"
    statistic = str(check["statistic"])
    assessed = evidence.people >= check.get("people", 0)  # type: ignore[operator]
    value = STATISTICS[statistic](evidence) if assessed else None
    if value is None:
        return Finding(gate, of, statistic, None, words, NOT_ASSESSED)
    fires = not (value <= limit if side == "above" else value >= limit)  # NaN fires
    if "tolerated" in check:
        fires &= value * evidence.people > check["tolerated"]  # type: ignore[operator]
    verdict = (ALLOWED if gate in allowed else FAILED) if fires else PASSED
    return Finding(gate, of, statistic, _rounded(value), words, verdict)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:g}"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DECIMALS) + 0.0


def _row_keying_share(evidence: Evidence) -> float:
    index = evidence.indices.row_keying
    defined = index[~np.isnan(index)] if index is not None else np.empty(0)
    return float((defined <= 0).mean()) if len(defined) else float("nan")


def _key_alignment_lead(evidence: Evidence) -> float:
    fits = key_alignment(evidence.moments, evidence.instrument)
    return fits.pop(0) - max(fits.values())


def _fingerprint_lead(evidence: Evidence) -> float:
    return evidence.lags[0] - max(r for lag, r in evidence.lags.items() if lag)


def _pinned_distance(evidence: Evidence) -> float | None:
    if evidence.pinned_means is None:
        return None
    return float(np.abs(evidence.moments.means - evidence.pinned_means).max())


def _over_missing_limit(evidence: Evidence) -> float:
    return float((evidence.indices.n_missing > evidence.instrument.missing_limit).mean())


STATISTICS: dict[str, Callable[[Evidence], float | None]] = {
    "share of scales whose + and − items do not go together": lambda e: keying_contradictions(e.moments, e.instrument),
    "smallest correlation of an item with the rest of its scale": lambda e: float(
        item_rest_correlations(e.moments, e.instrument).min()
    ),
    "share of people whose + and − items contradict each other": _row_keying_share,
    "fit of the answers to the item key, less the best fit to a shifted key": _key_alignment_lead,
    "correlation of the item means with the reference means": lambda e: e.lags[0],
    "that correlation, less the best one with the items shifted": _fingerprint_lead,
    "largest distance of an item mean from that stored for this pinned file": _pinned_distance,
    "mean alpha of the scales": lambda e: float(np.mean(list(e.alphas.values()))),
    "smallest alpha of a scale": lambda e: float(np.min(list(e.alphas.values()))),
    "rows with a case number that came before": lambda e: float(e.doubled_cases),
    "share of rows with the answers of another row, not all the same": lambda e: e.copies / e.people,
    "share of people with more missing answers than the limit": _over_missing_limit,
    "largest share of missing answers of an item": lambda e: float(e.moments.missing.max() / e.people),
    "share of missing answers": lambda e: float(e.moments.missing.mean() / e.people),
    "share of rows with an impossible value": lambda e: e.impossible_rows / e.people,
}
