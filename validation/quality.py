"""What a release says of the quality of its answers: reliability, missing answers, flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.answer_evidence import AnswerEvidence

DECIMALS = 4


def quality(evidence: AnswerEvidence, flags: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """The numbers for the manifest.

    `alphas` by scale over everybody (null where undefined); `missing_share` of all answers; `complete` people, who
    answered everything; `flags`, people by flag, and `flagged`, people with any; all of them counts but the first two.
    """
    n_missing = evidence.indices.n_missing
    cells = evidence.people * len(evidence.instrument.items)
    return {
        "alphas": {name: None if np.isnan(a) else round(a, DECIMALS) for name, a in evidence.alphas.items()},
        "missing_share": round(int(n_missing.sum()) / cells, 2 * DECIMALS),
        "complete": int((n_missing == 0).sum()),
        "flags": {name: int(flag.sum()) for name, flag in flags.items()},
        "flagged": int(np.logical_or.reduce(list(flags.values())).sum()),
    }
