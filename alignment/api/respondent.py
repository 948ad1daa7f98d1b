"""A model behind an HTTP interface as somebody who answers a questionnaire: one letter a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.api.client import AROUND, ApiClient, Completion, Message
from alignment.asking import Ask, Reply, mean_reply
from alignment.prompts import BOTH, LETTERS, ORDERS, Prompts, prompts_for
from alignment.questions import Question
from papi.errors import UsageError
from papi.instruments import MAXIMUM, MINIMUM

REPLY_TOKENS = 8  # enough for "Option (A)"
LETTER = re.compile(rf"(?<![A-Za-z])([{LETTERS}])(?![A-Za-z]|\s+[a-z])")  # "A person" is no answer
THOUGHTS = "<think>"
Letters = tuple[NDArray[np.float64], bool]  # probabilities (5,), zeros where there was no letter; read from the text


@dataclass(eq=False)
class ApiRespondent:
    """As `alignment.respondent.respondent.Respondent`, but its weights are out of reach: it is only told and asked.

    `unparseable` counts replies in which no letter could be found; such a question counts as every option alike, with
    an option mass of 0. `parsed` counts those that came without probabilities, so that the letter in the text has all.
    """

    client: ApiClient
    texts: dict[str, Any]
    option_order: str = "forward"
    seed: int = 0
    unparseable: int = 0
    parsed: int = 0

    def __post_init__(self) -> None:
        self.prompts = tuple(prompts_for(self.texts, order) for order in ORDERS if self.option_order in (order, BOTH))

    @property
    def wording(self) -> Prompts:
        """The texts in the first order of the options."""
        return self.prompts[0]

    @property
    def tokens(self) -> int:
        """How many tokens were sent and written so far, as the server counts them."""
        return self.client.sent + self.client.written

    def ask(self, asks: Sequence[Ask], adapter: None = None) -> list[Reply]:
        """Answer everything, so many questions at once as the settings say."""
        self._refuse_weights(adapter, asks)
        todo = [(ask.system, prompts, q) for ask in asks for prompts in self.prompts for q in ask.questions]
        letters = iter(self.client.each(lambda each: self._letters(*each), todo))
        replies = []
        for ask in asks:
            by_order = [_reply([next(letters) for _ in ask.questions], each) for each in self.prompts]
            replies.append(mean_reply(by_order))
        self.unparseable += sum(reply.unparseable for reply in replies)
        self.parsed += sum(reply.parsed for reply in replies)
        return replies

    def _refuse_weights(self, adapter: None, asks: Sequence[Ask]) -> None:
        if adapter is not None or any(ask.steering is not None for ask in asks):
            raise UsageError("a model behind --api-url can be neither steered nor trained", next_step="use its weights")

    def write(self, request: str, most_tokens: int) -> str:
        """The model's own text to a request."""
        said: list[Message] = [{"role": "user", "content": request}]
        return self.client.complete(said, most_tokens, self.seed, letters=False).text.strip()

    def tell(self, ask: Ask, said: Sequence[str], most_tokens: int, adapter: None = None) -> list[str]:
        """The model's own texts to what the user says, each under the ask's system text."""
        self._refuse_weights(adapter, [ask])
        prompts = [[{"role": "system", "content": ask.system}, {"role": "user", "content": text}] for text in said]
        complete = self.client.complete
        written = self.client.each(lambda each: complete(each, most_tokens, self.seed, letters=False), prompts)
        return [each.text.strip() for each in written]

    def _letters(self, system: str, prompts: Prompts, question: Question) -> Letters:
        said = [
            {"role": "system", "content": system},
            {"role": "user", "content": f"{prompts.question(question)}\n{prompts.letter_only}"},
        ]
        completion = self.client.complete(said, REPLY_TOKENS, self.seed, letters=True)
        return letter_probabilities(completion), completion.alternatives is None


def letter_probabilities(completion: Completion) -> NDArray[np.float64]:
    """From a reply to the probabilities of A to E, (5,), which sum to the option mass.

    Where the server tells the alternatives of the first token, brackets and spaces passed over, tokens that are a
    letter but for these count for it, and a letter that is not among them has 0. Where it tells none, the first letter
    that stands alone in the text has 1.
    """
    found = np.zeros(len(LETTERS))
    if completion.alternatives is not None:
        for token, logarithm in completion.alternatives:
            letter = token.strip(AROUND)
            if len(letter) == 1 and letter in LETTERS:
                found[LETTERS.index(letter)] += np.exp(min(logarithm, 0.0))
        return found
    if completion.text.lstrip().startswith(THOUGHTS):  # cut off before the answer
        return found
    if match := LETTER.search(completion.text):
        found[LETTERS.index(match.group(1))] = 1.0
    return found


def _reply(replies: Sequence[Letters], prompts: Prompts) -> Reply:
    """From the letters' probabilities to those of the responses."""
    letters = np.stack([found for found, _ in replies])
    mass = letters.sum(axis=1)
    shares = np.where(mass[:, None] > 0, letters / np.where(mass > 0, mass, 1)[:, None], 1 / MAXIMUM)
    probabilities = np.empty_like(shares)
    probabilities[:, np.array(prompts.responses) - MINIMUM] = shares
    said = letters[mass > 0].argmax(axis=1)
    parsed = sum(was_parsed and bool(found.any()) for found, was_parsed in replies)
    return Reply(probabilities, mass, np.bincount(said, minlength=MAXIMUM), int((mass == 0).sum()), parsed)
