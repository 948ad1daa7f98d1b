"""What a model answers, with a gradient: six outcomes a question, the responses 1 to 5 and anything else.

One token is the whole answer, so that one forward gives the probability of every option; nothing is generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from alignment.respondent.chat import Encoded, Tokens
from alignment.respondent.prefix import can_pack, left_padded, shared_logits, shares_prefixes
from alignment.respondent.scoring import Prompt
from papi.instruments import MAXIMUM, MINIMUM

OUTCOMES = MAXIMUM + 1
ELSE = MAXIMUM  # the place of "anything else" among the outcomes
LEAST = 1e-6  # of the probability of anything else, whose logarithm is taken


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Log-probabilities of the outcomes (questions, 6) and the states that they come from (questions, width)."""

    logarithms: Tensor
    hidden: Tensor


def outcomes(model: Any, prompts: Sequence[Prompt], device: torch.device) -> Outcomes:
    """The outcomes of all questions of some prompts, one after the other, float32, with gradient, on `device`."""
    states: list[Tensor] = []
    keeping = model.get_output_embeddings().register_forward_pre_hook(lambda _, given: states.append(given[0]))
    try:
        found = [_outcomes(_logits(model, prompt.encoded, device), prompt) for prompt in prompts]
    finally:
        keeping.remove()
    hidden = torch.cat([each.reshape(-1, each.shape[-1]).to(device) for each in states])
    return Outcomes(torch.cat(found).to(device), hidden)


def _logits(model: Any, encoded: Encoded, device: torch.device) -> Tensor:
    """The logits after each question, (questions, vocabulary)."""
    if can_pack(model):
        return shared_logits(model, encoded.prefix, encoded.suffixes, device)
    whole = encoded.whole.suffixes
    if shares_prefixes(model):
        return _padded_logits(model, whole, device)
    return torch.cat([_padded_logits(model, [prompt], device) for prompt in whole])  # padding would be in their state


def _padded_logits(model: Any, prompts: Sequence[Tokens], device: torch.device) -> Tensor:
    """Whole prompts in one batch, (questions, vocabulary)."""
    ids, mask, places = left_padded(prompts, device)
    output = model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False, logits_to_keep=1)
    logits: Tensor = output.logits[:, 0]
    return logits


def _outcomes(logits: Tensor, prompt: Prompt) -> Tensor:
    """From logits of tokens to log-probabilities of outcomes."""
    logarithms = logits.float().log_softmax(dim=-1)
    by_response = [0] * MAXIMUM
    for letter, response in zip(prompt.letters, prompt.responses, strict=True):
        by_response[response - MINIMUM] = letter
    letters = logarithms[:, by_response]
    rest = (1 - letters.exp().sum(dim=-1, keepdim=True)).clamp(min=LEAST)
    return torch.cat([letters, rest.log()], dim=-1)
