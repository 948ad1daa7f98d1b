"""What a respondent is asked, and what it replies: the one interface of models at hand and behind an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignment.questions import Question
from alignment.steering import Steering


@dataclass(frozen=True, eq=False)
class Ask:
    """Questions to be answered under one system text and one steering."""

    system: str
    questions: tuple[Question, ...]
    steering: Steering | None = None


@dataclass(frozen=True, eq=False)
class Reply:
    """Probabilities of the responses 1-5 to each question, (questions, 5), each row summing to 1, and `mass`
    (questions,), the probability of the five letters among all tokens.

    `letters` (5,) counts how often each letter, A first, was the most probable one, in every order of the options;
    `parsed` the replies of a server that told no probabilities, so that its one answer has all, and `unparseable` those
    in which there was no letter.
    """

    probabilities: NDArray[np.float64]
    mass: NDArray[np.float64]
    letters: NDArray[np.int64]
    unparseable: int = 0
    parsed: int = 0


def mean_reply(replies: Sequence[Reply]) -> Reply:
    """The replies to the same questions in several orders of the options as one: averaged by meaning."""
    return Reply(
        np.mean([reply.probabilities for reply in replies], axis=0),
        np.mean([reply.mass for reply in replies], axis=0),
        np.sum([reply.letters for reply in replies], axis=0),
        sum(reply.unparseable for reply in replies),
        sum(reply.parsed for reply in replies),
    )
