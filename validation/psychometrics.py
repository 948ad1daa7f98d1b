"""The statistics by which answers prove that they belong to their item key.

All of them work on item scores (missing = 0), most through their `Moments`. Scales are facets, or the scales of the
Dark Triad.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MISSING, Instrument, Scale
from papi.scoring import Answers
from validation.moments import Moments

KEY_SHIFTS = (-30, -2, -1, 0, 1, 2, 30)


def cronbach_alpha(scores: Answers, scale: Scale) -> float:
    """Cronbach's alpha of a scale over the people who answered all of its items (Cronbach 1951, equation 1).

    NaN where fewer than two did, or where nobody differs. Sums are whole numbers, hence exact.
    """
    columns = [scores[:, j] for j in scale.positions]
    complete = np.logical_and.reduce([column != MISSING for column in columns])
    kept = [column[complete].astype(np.int64) for column in columns]
    total = _excess(sum(kept, np.zeros(int(complete.sum()), dtype=np.int64)))
    k = len(columns)
    return k / (k - 1) * (1 - sum(map(_excess, kept)) / total) if total > 0 else float("nan")


def alphas(scores: Answers, of: Instrument) -> dict[str, float]:
    """Alpha of every scale of a matrix of item scores, shape (people, items)."""
    return {scale.name: cronbach_alpha(scores, scale) for scale in of.scales}


def _excess(values: NDArray[np.int64]) -> float:
    """Sum of squared deviations from the mean, times the count."""
    return float(len(values) * int(values @ values) - int(values.sum()) ** 2)


def item_rest_correlations(moments: Moments, of: Instrument) -> NDArray[np.float64]:
    """Correlation of each item with the sum of the other items of its scale, shape (items,)."""
    covariances = moments.covariances()
    result = np.full(len(of.items), np.nan)
    for scale in of.scales:
        part = covariances[np.ix_(scale.positions, scale.positions)]
        variances = np.diag(part)
        with_rest = part.sum(axis=1) - variances
        rest = part.sum() - 2 * part.sum(axis=1) + variances
        spread = np.sqrt(np.maximum(variances * rest, 0))
        result[scale.positions] = np.divide(with_rest, spread, out=np.full(len(part), np.nan), where=spread > 0)
    return result


def keying_contradictions(moments: Moments, of: Instrument) -> float:
    """Share of the scales with both signs whose + and − items do not go together (sum of covariances ≤ 0)."""
    covariances = moments.covariances()
    verdicts = []
    for scale in of.scales:
        signs = of.keyed[scale.positions]
        plus, minus = scale.positions[signs > 0], scale.positions[signs < 0]
        if len(plus) and len(minus):
            verdicts.append(not covariances[np.ix_(plus, minus)].sum() > 0)
    return float(np.mean(verdicts)) if verdicts else 0.0


def key_alignment(moments: Moments, of: Instrument) -> dict[int, float]:
    """How well the answers fit the key shifted by so many items.

    Per shift the mean over facets of (mean r of same-signed item pairs − mean r of opposite-signed pairs).
    """
    correlations = moments.correlations()
    return {shift: _fit(np.roll(np.roll(correlations, shift, 0), shift, 1), of) for shift in KEY_SHIFTS}


def _fit(correlations: NDArray[np.float64], of: Instrument) -> float:
    differences = []
    for scale in of.scales:
        part = correlations[np.ix_(scale.positions, scale.positions)]
        signs = of.keyed[scale.positions]
        same = np.equal.outer(signs, signs)
        pairs = np.triu(np.ones_like(same), 1)
        differences.append(_mean_of_defined(part[same & pairs]) - _mean_of_defined(part[~same & pairs]))
    return float(np.mean(differences))


def _mean_of_defined(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
