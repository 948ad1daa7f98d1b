"""An item as a model is asked about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """An item with its wordings: `text` as in the inventory ("Lie awake."), `statement` ("You lie awake.")."""

    item: str
    text: str
    statement: str
    domain: str
    facet: str | None
    keyed: int
