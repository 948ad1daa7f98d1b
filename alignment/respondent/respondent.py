"""The respondent: a model that answers the questions of an instrument, in one forward each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GenerationConfig

from alignment.adapter import Adapter
from alignment.asking import Ask, Reply, mean_reply
from alignment.prompts import BOTH, ORDERS, Order, Prompts, prompts_for
from alignment.questions import Question
from alignment.respondent.adapters import adapted
from alignment.respondent.batches import Rows
from alignment.respondent.chat import MARK, Chat, Encoded, Tokens, Turn, shared_length
from alignment.respondent.hooks import steered
from alignment.respondent.prefix import left_padded
from alignment.respondent.scoring import Prompt, Scorer
from alignment.steering import States

KEPT = 64  # encoded texts; what is the same for all subjects is encoded once


@dataclass(eq=False)
class Respondent:
    """A causal language model with its tokenizer, the texts of an instrument, and an order of the options or `both`."""

    model: Any
    tokenizer: Any
    texts: dict[str, Any]
    option_order: str = "forward"

    def __post_init__(self) -> None:
        self.model.eval()
        self.chat = Chat(self.tokenizer)
        self.scorer = Scorer(self.model)
        self._letters: dict[Order, Tokens] = {}
        self._encoded = lru_cache(KEPT)(self._encode)
        self.prompts = tuple(prompts_for(self.texts, order) for order in ORDERS if self.option_order in (order, BOTH))

    @property
    def tokens(self) -> int:
        """How many tokens went through the model so far, padding left out."""
        return self.scorer.tokens

    def ask(self, asks: Sequence[Ask], adapter: Adapter | None = None) -> list[Reply]:
        """Answer everything in as few forwards as fit; prompts that begin alike share that beginning."""
        prompts = [self._prompt(ask, order) for ask in asks for order in self.prompts]
        with adapted(self.scorer, adapter):
            replies = self.scorer.score(prompts)
        count = len(self.prompts)
        return [mean_reply(replies[start : start + count]) for start in range(0, len(replies), count)]

    def encoded(self, ask: Ask) -> list[Prompt]:
        """The prompts of some questions, in every order of the options that they are asked in."""
        return [self._prompt(ask, order) for order in self.prompts]

    def states(self, system: str, questions: Sequence[Question], what: States = "heads") -> NDArray[np.float32]:
        """The states at the end of "wholly accurate" and "not at all", in the first order of the options.

        Shape (questions, 2, layers, heads, head width), zeros for a layer without `self_attn.o_proj`; for `residual`
        (questions, 2, layers, hidden width).
        """
        turns = [Turn(self.wording.question(q), answer) for q in questions for answer in self.wording.probed]
        found = self.scorer.states(self.chat.encode(system, turns), what)
        return found.reshape(len(questions), 2, *found.shape[1:])

    def states_before(self, system: str, questions: Sequence[Question]) -> NDArray[np.float32]:
        """The heads' states where the letter is to follow, (questions, layers, heads, head width)."""
        turns = [Turn(self.wording.question(question), self.wording.asked) for question in questions]
        return self.scorer.states(self.chat.encode(system, turns), "heads")

    def write(self, request: str, most_tokens: int) -> str:
        """The model's own text to a request, greedy."""
        tokens = self.chat.request(request)
        self.chat.refuse_unknown(tokens, request)
        ids = torch.tensor([tokens], device=self.scorer.device)
        with torch.inference_mode(), self._greedy(most_tokens):
            written = self.model.generate(ids, attention_mask=torch.ones_like(ids))[0, len(tokens) :]
        self.scorer.tokens += len(tokens) + len(written)
        return str(self.tokenizer.decode(written, skip_special_tokens=True)).strip()

    def tell(self, ask: Ask, said: Sequence[str], most_tokens: int, adapter: Adapter | None = None) -> list[str]:
        """The model's own texts to what the user says, each under the ask's system text and steering; greedy."""
        prompts = [self.chat.opening(ask.system, text) for text in said]
        for prompt, text in zip(prompts, said, strict=True):
            self.chat.refuse_unknown(prompt, text)
        self.scorer.refuse_too_long(max(map(len, prompts)) + most_tokens)
        suffix = ask.steering is not None and ask.steering.scope == "suffix"
        other = self.chat.opening(ask.system, MARK)  # what all questions under this text begin with
        starts = [shared_length([prompt, other]) if suffix else 0 for prompt in prompts]
        texts = [""] * len(said)

        def write(rows: Rows) -> None:
            found = self._told([prompts[row] for row in rows], [starts[row] for row in rows], ask, most_tokens)
            for row, text in zip(rows, found, strict=True):
                texts[row] = text

        with torch.inference_mode(), self._greedy(most_tokens), adapted(self.scorer, adapter):
            if self.scorer.shares:
                self.scorer.budget.run([len(prompt) + most_tokens for prompt in prompts], write)
            else:
                for row in range(len(prompts)):  # padding would be in the state of linear attention
                    write([row])
        return texts

    def _told(self, prompts: Sequence[Tokens], begins: Sequence[int], ask: Ask, most_tokens: int) -> list[str]:
        ids, mask, _ = left_padded(prompts, self.scorer.device)
        longest = ids.shape[1]
        starts = [begin and begin + longest - len(prompt) for begin, prompt in zip(begins, prompts, strict=True)]
        with steered(self.scorer.parts, [ask.steering] * len(prompts), None, starts):
            written = self.model.generate(ids, attention_mask=mask)[:, longest:]
        self.scorer.tokens += sum(map(len, prompts)) + sum(map(self._length, written.tolist()))
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def _length(self, written: list[int]) -> int:
        """How many tokens were written up to the one that ends a text; what follows is padding."""
        ends = np.atleast_1d(self.model.generation_config.eos_token_id or -1)
        found = np.flatnonzero(np.isin(written, ends))
        return int(found[0]) + 1 if len(found) else len(written)

    @property
    def wording(self) -> Prompts:
        """The texts in the first order of the options."""
        return self.prompts[0]

    @property
    def steerable(self) -> NDArray[np.bool_]:
        """Which layers have heads that can be steered, (layers,)."""
        return np.array([number in self.scorer.parts.projections for number in range(len(self.scorer.parts.layers))])

    @contextmanager
    def _greedy(self, most_tokens: int) -> Iterator[None]:
        """Within the block the most probable token is taken each time, whatever the model's own settings penalise."""
        own = self.model.generation_config
        self.model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            max_new_tokens=most_tokens,
            pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0,
            eos_token_id=own.eos_token_id or self.tokenizer.eos_token_id,
        )
        try:
            yield
        finally:
            self.model.generation_config = own

    def _prompt(self, ask: Ask, prompts: Prompts) -> Prompt:
        encoded = self._encoded(prompts.order, ask.system, ask.questions)
        return Prompt(encoded, self._letters[prompts.order], prompts.responses, ask.steering)

    def _encode(self, order: Order, system: str, questions: tuple[Question, ...]) -> Encoded:
        """Questions under a text; the letters of an order are looked up at its first question."""
        prompts = next(each for each in self.prompts if each.order == order)
        turns = [Turn(prompts.question(question), prompts.asked) for question in questions]
        if prompts.order not in self._letters:
            self._letters[prompts.order] = self.chat.letters(prompts.system(), turns[0])
        return self.chat.encode(system, turns)
