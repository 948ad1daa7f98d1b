"""What the answers of a run are: the responses, or the predecessor's labels. Which of them are turned, said once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from papi.instruments import Instrument

RESPONSES, PUBLISHED = LABELS = ("responses", "published")


def turned_labels(of: Instrument, labels: str) -> NDArray[np.bool_]:
    """Which items have a label that is 6 − response, (items,): published, those that the raw files hold reversed.

    The published answers of the Dark Triad are the responses.
    """
    return of.stored_reversed & (labels == PUBLISHED)


def against_the_trait(of: Instrument, labels: str) -> NDArray[np.bool_]:
    """Which items have a label that is 6 − score, (items,): those keyed −1 whose label is the response."""
    return (of.keyed < 0) & ~turned_labels(of, labels)
