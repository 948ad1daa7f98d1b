"""Categorical columns from codes, −1 = not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def categorical(codes: NDArray[Any], names: Sequence[str]) -> pd.Categorical[Any]:
    """A categorical with the given names in their order; `codes` (people,) index them, −1 becomes null."""
    dtype: pd.CategoricalDtype[Any] = pd.CategoricalDtype(list(names))
    result: pd.Categorical[Any] = pd.Categorical.from_codes(codes.astype(np.int32), dtype=dtype)
    return result
