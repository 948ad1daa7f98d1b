"""From encoded prompts to the probabilities of the options, in as few and as full forwards as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alignment.asking import Reply
from alignment.respondent.batches import Budget, Rows
from alignment.respondent.chat import Encoded, Tokens
from alignment.respondent.hooks import Architecture, architecture_of, recorded, steered
from alignment.respondent.prefix import (
    Prefixes,
    can_pack,
    encode_prefixes,
    last_logits,
    packed_logits,
    shares_prefixes,
)
from alignment.steering import States, Steering
from papi.errors import SubjectFailed
from papi.instruments import MAXIMUM, MINIMUM

Probabilities = NDArray[np.float64]
CPU_TOKENS, GPU_TOKENS = 16_384, 131_072  # of one forward, to begin with
PACKED_TOKENS = 512  # of the ends in one forward: with more they would spend too much on passing over one another


@dataclass(frozen=True, eq=False)
class Prompt:
    """Questions under one system text, one order of the options and one steering.

    `letters` are the tokens of A to E, `responses` what each stands for. Steering acts from the token `start` on of
    what follows the prefix.
    """

    encoded: Encoded
    letters: Tokens
    responses: tuple[int, ...]
    steering: Steering | None = None
    start: int = 0

    @property
    def whole(self) -> Prompt:
        """The same without a shared prefix."""
        before = 0 if self.leading else len(self.encoded.prefix)
        return replace(self, encoded=self.encoded.whole, start=before)

    @property
    def leading(self) -> Steering | None:
        """The steering of the shared prefix, if it is steered too."""
        return self.steering if self.steering and self.steering.scope == "prompt" else None

    @property
    def key(self) -> tuple[Tokens, int]:
        """Prompts share an encoded prefix if it has the same tokens, and the same steering or none acts on it."""
        return self.encoded.prefix, id(self.leading)


@dataclass(frozen=True, eq=False)
class _Row:
    """One question of a prompt on its way through the model: `place` is its prefix among those encoded together."""

    prompt: int
    question: int
    place: int


@dataclass(eq=False)
class Scorer:
    """A model with the places where it is steered and the budget of its forwards; `tokens` counts what went through.

    `shares` says whether prompts share their beginning; else each goes through the model whole.

    `packed` is the budget of packed ends, without their prefix; None where the model cannot have them packed.
    """

    model: Any
    parts: Architecture = field(init=False)
    budget: Budget = field(init=False)
    packed: Budget | None = field(init=False)
    shares: bool = field(init=False)
    tokens: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.shares = shares_prefixes(self.model)
        self.look_up_parts()
        self.device: torch.device = self.model.get_input_embeddings().weight.device
        self.budget = Budget(CPU_TOKENS if self.device.type == "cpu" else GPU_TOKENS)
        self.packed = Budget(PACKED_TOKENS) if can_pack(self.model) else None

    def look_up_parts(self) -> None:
        """Find the places where the model is steered; to be done again where its layers are wrapped or unwrapped."""
        self.parts = architecture_of(self.model)

    def score(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """The answers to all prompts, in their order."""
        self.refuse_too_long(max(len(p.encoded.prefix) + max(map(len, p.encoded.suffixes)) for p in prompts))
        if not self.shares:
            prompts = [prompt.whole for prompt in prompts]
        keys = list(dict.fromkeys(prompt.key for prompt in prompts))
        self.tokens += sum(len(tokens) for tokens, _ in keys) + sum(
            p.encoded.count - len(p.encoded.prefix) for p in prompts
        )
        scores = [np.empty((len(prompt.encoded.suffixes), MAXIMUM + 1)) for prompt in prompts]
        with torch.inference_mode():
            self.budget.run(
                [len(tokens) for tokens, _ in keys],
                lambda batch: self._follow([keys[i] for i in batch], prompts, scores),
            )
        return [_reply(found, prompt) for found, prompt in zip(scores, prompts, strict=True)]

    def refuse_too_long(self, longest: int) -> None:
        """Raise `SubjectFailed` for a prompt beyond the places that the model was made for."""
        places = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if places and longest > places:
            raise SubjectFailed(f"a prompt has {longest:,} tokens, and the model has places for {places:,}")

    def states(self, encoded: Encoded, what: States) -> NDArray[np.float32]:
        """What every head or layer gives on at the last token of each prompt.

        Shape (prompts, layers, heads, head width), zeros for a layer without `self_attn.o_proj`; of the layers
        (prompts, layers, hidden width).
        """
        if not self.shares:
            encoded = encoded.whole
        self.tokens += encoded.count
        shape = self.parts.shape(what)
        found = np.zeros((len(encoded.suffixes), *shape), dtype=np.float32)
        with torch.inference_mode():
            prefixes = encode_prefixes(self.model, [encoded.prefix], self.device)

            def record(batch: Rows) -> None:
                ends = [encoded.suffixes[row] for row in batch]
                with recorded(self.parts, what) as kept:
                    self._logits(prefixes, [0] * len(ends), ends)
                for layer, (values,) in kept.items():
                    last = torch.tensor([len(end) - 1 for end in ends], device=values.device)
                    if self.packed:
                        chosen = values[0, (last + 1).cumsum(0) - 1]
                    else:
                        chosen = values[torch.arange(len(ends), device=values.device), last]
                    found[list(batch), layer] = chosen.float().cpu().numpy().reshape(len(ends), *shape[1:])

            if self.packed:
                self.packed.run([len(end) for end in encoded.suffixes], record)
            else:
                self.budget.run([len(encoded.prefix) + len(end) for end in encoded.suffixes], record)
        return found

    def _follow(
        self, keys: Sequence[tuple[Tokens, int]], prompts: Sequence[Prompt], scores: list[NDArray[np.float64]]
    ) -> None:
        """Encode some prefixes together, then score all questions that follow one of them."""
        place = {key: row for row, key in enumerate(keys)}
        rows = [
            _Row(number, question, place[prompt.key])
            for number, prompt in enumerate(prompts)
            if prompt.key in place
            for question in range(len(prompt.encoded.suffixes))
        ]
        leading = {prompt.key: prompt.leading for prompt in prompts}
        with steered(self.parts, [leading[key] for key in keys]):
            prefixes = encode_prefixes(self.model, [tokens for tokens, _ in keys], self.device)
        if self.packed:  # the ends of one prefix at a time
            for number in place.values():
                self._score(self.packed, 0, prefixes, prompts, [row for row in rows if row.place == number], scores)
        else:
            self._score(self.budget, max(len(tokens) for tokens, _ in keys), prefixes, prompts, rows, scores)

    def _score(
        self,
        budget: Budget,
        before: int,
        prefixes: Prefixes | None,
        prompts: Sequence[Prompt],
        rows: Sequence[_Row],
        scores: list[NDArray[np.float64]],
    ) -> None:
        """Fill in the scores of some questions; each counts in the budget with `before` tokens more than its own."""
        lengths = [before + len(prompts[row.prompt].encoded.suffixes[row.question]) for row in rows]
        for batch, found in budget.run(
            lengths, lambda batch: self._letters(prefixes, prompts, [rows[i] for i in batch])
        ):
            for i, values in zip(batch, found, strict=True):
                scores[rows[i].prompt][rows[i].question] = values

    def _letters(
        self, prefixes: Prefixes | None, prompts: Sequence[Prompt], rows: Sequence[_Row]
    ) -> NDArray[np.float64]:
        """The logits of the five letters and the logarithm of everything's sum, (rows, 6)."""
        ends = [prompts[row.prompt].encoded.suffixes[row.question] for row in rows]
        lengths = [len(end) for end in ends] if self.packed else None
        starts = [prompts[row.prompt].start for row in rows]
        with steered(self.parts, [prompts[row.prompt].steering for row in rows], lengths, starts):
            logits = self._logits(prefixes, [row.place for row in rows], ends).float()
        letters = torch.tensor([prompts[row.prompt].letters for row in rows], device=logits.device)
        found = torch.cat([logits.gather(1, letters), logits.logsumexp(1, keepdim=True)], dim=1)
        result: NDArray[np.float64] = found.double().cpu().numpy()
        return result

    def _logits(self, prefixes: Prefixes | None, places: Sequence[int], ends: Sequence[Tokens]) -> torch.Tensor:
        """The logits after the last token of each end; packed, all ends have the same prefix."""
        if self.packed:
            return packed_logits(self.model, prefixes, places[0], ends, self.device)
        return last_logits(self.model, prefixes, places, ends, self.device)


def _reply(scores: NDArray[np.float64], prompt: Prompt) -> Reply:
    """From the scores of the letters, and of everything, to probabilities of the responses 1-5."""
    letters = np.exp(scores[:, :MAXIMUM] - scores[:, MAXIMUM:])
    mass = letters.sum(axis=1)
    probabilities = np.empty_like(letters)
    probabilities[:, np.array(prompt.responses) - MINIMUM] = letters / mass[:, None]
    return Reply(probabilities, mass, np.bincount(letters.argmax(axis=1), minlength=MAXIMUM))
