"""Reference item means: the fingerprint of an item key's content.

Item means differ between items far more than between samples of people, so they show whether the columns of a file are
those of the key. `validation/tables/reference_means.csv` holds them per content (real or simulated), in the scored
direction; `scripts/reference_means.py` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from papi.instruments import DARK_TRIAD, Instrument
from papi.tables import read_csv

REAL, SIMULATED = "real", "simulated"  # whose wordings an item key has
LAGS = (-30, -2, -1, 1, 2, 30)


def reference_means(content: str, of: Instrument) -> NDArray[np.float64]:
    """Mean score of each item under the key of that content (`real` or `simulated`), shape (items,)."""
    rows = read_csv("validation", "reference_means.csv")
    by_item = {
        row["item"]: float(row["mean"]) for row in rows if (row["content"], row["family"]) == (content, of.family)
    }
    return np.array([by_item[str(item.full_number) if of.is_ipip else item.name] for item in of.items])


def pinned_means(of: Instrument, pinned: bool, content: str) -> NDArray[np.float64] | None:
    """Item means stored for a pinned file itself: only the Dark Triad's reference was taken from the whole file."""
    return reference_means(content, of) if pinned and of.name == DARK_TRIAD and content == REAL else None


def lag_correlations(means: NDArray[np.float64], reference: NDArray[np.float64]) -> Mapping[int, float]:
    """Correlation of item means with the reference at lag 0 and at each of `LAGS` that is shorter than the form."""
    lags = (0, *(lag for lag in LAGS if abs(lag) < len(means)))
    if not np.ptp(means) > 0:
        return dict.fromkeys(lags, float("nan"))  # items that nobody tells apart, or nobody answered
    return {lag: float(np.corrcoef(np.roll(means, lag), reference)[0, 1]) for lag in lags}
