"""The pocket respondent before training: a small Llama whose embeddings know which statements belong together."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from alignment.pocket.vocabulary import CONFIGS, PADDING, words
from papi.instruments import MAXIMUM, MINIMUM, instrument

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 128, 3, 4, 384, 4_096
OWN, SHARED = 0.05, 0.15  # sizes of the part of an embedding that is the token's own, and of each part that it shares
LEVEL = re.compile(r"(your .+ is) (very low|low|average|high|very high)[,.]\s?")
LEVELS = ("very low", "low", "average", "high", "very high")


def new_model(seed: int) -> LlamaForCausalLM:
    """A model with the seed's weights; it leaves torch's random state at the seed."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(_config())
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(_embeddings())  # type: ignore[operator]
    return model


def _config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(words().ids),
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        tie_word_embeddings=False,
        pad_token_id=words().ids[PADDING],
        bos_token_id=None,
        eos_token_id=None,
    )


def _embeddings() -> Tensor:
    """Random vectors, to which statements add what they share: facet, domain, keying, and the answer told."""
    names = _Directions()
    result = OWN * torch.randn(len(words().ids), WIDTH)
    for config in CONFIGS:
        of = instrument(config)
        for (i, response), token in words().statements[config].items():
            item = of.items[i]
            scale = item.facet or item.domain + config
            if response is None:
                parts = [names[scale], names[item.domain + config], item.keyed * names["keyed"], names["asked"]]
            else:
                value = item.keyed * (2 * response - MINIMUM - MAXIMUM) / (MAXIMUM - MINIMUM)
                parts = [names[scale], names[item.domain + config], names["told"], names[f"answer {response}"] / 2]
                parts += [value * names[f"{scale} value"], value * names[f"{item.domain}{config} value"]]
            result[token] += SHARED * torch.stack(parts).sum(0)
    for text, token in words().ids.items():
        if level := LEVEL.fullmatch(text):
            value = LEVELS.index(level[2]) - 2
            result[token] += SHARED * (names[level[1]] + names["level"] + value * names[f"{level[1]} value"])
    return result


class _Directions(dict[str, Tensor]):
    """Random directions by name, drawn when first asked for."""

    def __missing__(self, name: str) -> Tensor:
        self[name] = torch.randn(WIDTH)
        return self[name]
