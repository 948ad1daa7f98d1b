"""Questions to train on, encoded once, with what the untrained model answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignment.asking import Ask
from alignment.respondent.chat import Encoded
from alignment.respondent.respondent import Respondent
from alignment.respondent.scoring import Prompt
from alignment.training.outcomes import Outcomes, outcomes

AT_ONCE = 64  # questions of a forward without gradient
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Material:
    """Questions under one system text or several, in every order of the options that the respondent is asked in.

    A row is a question; rows are counted through all asks.
    """

    respondent: Respondent
    asks: Sequence[Ask]

    def __len__(self) -> int:
        return sum(len(ask.questions) for ask in self.asks)

    def outcomes(self, rows: Rows) -> Outcomes:
        """The outcomes of some rows, which rise; all of them in the first order of the options, then in the second."""
        prompts = [
            _part(prompt, self._position[rows[self.owner[rows] == owner]])
            for by_order in self._prompts
            for owner, prompt in enumerate(by_order)
            if (self.owner[rows] == owner).any()
        ]
        self.respondent.scorer.tokens += sum(prompt.encoded.count for prompt in prompts)
        return outcomes(self.respondent.model, prompts, self.respondent.scorer.device)

    @property
    def orders(self) -> int:
        """In how many orders of the options everything is asked."""
        return len(self._prompts)

    @cached_property
    def reference(self) -> Tensor:
        """The outcomes of all rows, (orders, rows, 6). To be asked for before a training begins."""
        with torch.no_grad():
            parts = [
                self.outcomes(rows).logarithms.reshape(self.orders, len(rows), -1)
                for rows in np.split(np.arange(len(self)), range(AT_ONCE, len(self), AT_ONCE))
            ]
        return torch.cat(parts, dim=1)

    @cached_property
    def _prompts(self) -> list[list[Prompt]]:
        by_ask = [self.respondent.encoded(ask) for ask in self.asks]
        return [list(prompts) for prompts in zip(*by_ask, strict=True)]

    @cached_property
    def owner(self) -> Rows:
        """The ask of each row."""
        return np.repeat(np.arange(len(self.asks)), [len(ask.questions) for ask in self.asks])

    @cached_property
    def _position(self) -> Rows:
        """The place of each row among the questions of its ask."""
        return np.concatenate([np.arange(len(ask.questions)) for ask in self.asks])


def _part(prompt: Prompt, positions: Rows) -> Prompt:
    """Some questions of a prompt."""
    suffixes = tuple(prompt.encoded.suffixes[position] for position in positions)
    return replace(prompt, encoded=Encoded(prompt.encoded.prefix, suffixes))
