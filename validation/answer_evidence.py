"""What the gates ask of the answers: do they belong to their item key, are they complete, is anybody in them twice?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from papi.instruments import Instrument
from papi.scoring import Answers
from validation.careless import Indices
from validation.gates import Statistics
from validation.moments import Moments, moments_of
from validation.psychometrics import alphas, item_rest_correlations, key_alignment, keying_contradictions
from validation.reference import lag_correlations, reference_means


@dataclass(frozen=True)
class AnswerEvidence:
    """One instrument's item scores (people, items) and what was counted on the way.

    `content` says whose item key it is (real or simulated); `copies` counts rows whose answers, not all the same, are
    another row's too; `pinned_means` are the stored means of a file that is pinned, if there are any. Counts that are
    None are not known any more, as those of a raw file are when its release is looked at.
    """

    instrument: Instrument
    scores: Answers
    content: str
    indices: Indices
    doubled_cases: int | None = 0
    copies: int = 0
    impossible_rows: int | None = 0
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

    @property
    def statistics(self) -> Statistics:
        """Every statistic of the answers, by the names of the table of gates."""
        return {name: partial(statistic, self) for name, statistic in STATISTICS.items()}


def _row_keying_share(evidence: AnswerEvidence) -> float:
    index = evidence.indices.row_keying
    defined = index[~np.isnan(index)] if index is not None else np.empty(0)
    return float((defined <= 0).mean()) if len(defined) else float("nan")


def _key_alignment_lead(evidence: AnswerEvidence) -> float:
    fits = key_alignment(evidence.moments, evidence.instrument)
    return fits.pop(0) - max(fits.values())


def _fingerprint_lead(evidence: AnswerEvidence) -> float:
    return evidence.lags[0] - max(r for lag, r in evidence.lags.items() if lag)


def _pinned_distance(evidence: AnswerEvidence) -> float | None:
    if evidence.pinned_means is None:
        return None
    return float(np.abs(evidence.moments.means - evidence.pinned_means).max())


def _over_missing_limit(evidence: AnswerEvidence) -> float:
    return float((evidence.indices.n_missing > evidence.instrument.missing_limit).mean())


STATISTICS: dict[str, Callable[[AnswerEvidence], float | None]] = {
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
    "rows with a case number that came before": lambda e: None if e.doubled_cases is None else float(e.doubled_cases),
    "share of rows with the answers of another row, not all the same": lambda e: e.copies / e.people,
    "share of people with more missing answers than the limit": _over_missing_limit,
    "largest share of missing answers of an item": lambda e: float(e.moments.missing.max() / e.people),
    "share of missing answers": lambda e: float(e.moments.missing.mean() / e.people),
    "share of rows with an impossible value": lambda e: (
        None if e.impossible_rows is None else e.impossible_rows / e.people
    ),
}
