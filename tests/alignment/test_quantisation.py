"""A model that is to be quantised is: its projections hold four bits a weight, and it answers as its plain forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bitsandbytes.nn.modules import Linear4bit
from tiny_models import plain_answers, questions, texts, tiny_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from alignment.asking import Ask
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.settings import ModelSettings
from alignment.runs.sharing import Share

SYSTEMS = ("Answer.", "You fill in a questionnaire.\n" + "You lie awake. Very Accurate\n" * 12 + "Reply.")
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model whose widths divide by 64, the number of weights that share a scale."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tiny_tokenizer()), hidden_size=64, intermediate_size=128, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, pad_token_id=0,
        initializer_range=0.3,
    )  # fmt: skip
    found = tmp_path_factory.mktemp("model")
    LlamaForCausalLM(config).save_pretrained(found)
    tiny_tokenizer().save_pretrained(found)
    return found


def respondent(folder: Path, **how: str | None) -> Respondent:
    return load_respondent(ModelSettings(str(folder), **how), texts(), "forward", Share())


@pytest.mark.parametrize(("dtype", "computed"), [(None, torch.bfloat16), ("float32", torch.float32)])
def test_the_projections_hold_four_bits_a_weight_with_quantised_scales(
    folder: Path, dtype: str | None, computed: torch.dtype
) -> None:
    quantised, plain = respondent(folder, quantize="nf4", dtype=dtype), respondent(folder, dtype="float32")
    for layer, known in zip(quantised.model.model.layers, plain.model.model.layers, strict=True):
        for name in PROJECTIONS:
            found, whole = getattr(layer.self_attn, name), getattr(known.self_attn, name)
            assert type(found) is Linear4bit
            weight: Any = found.weight
            assert weight.quant_type == "nf4"
            assert weight.quant_state.nested
            assert found.compute_dtype == computed
            assert weight.dtype == torch.uint8
            assert 2 * weight.numel() == whole.weight.numel()


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_quantised_model_answers_as_its_plain_forward(folder: Path, attention: str) -> None:
    asked = questions(5)
    someone = respondent(folder, quantize="nf4", dtype="float32", attention=attention)
    unquantised = respondent(folder, dtype="float32", attention=attention)
    replies = someone.ask([Ask(system, asked) for system in SYSTEMS])
    assert (someone.scorer.packed is not None) == (attention == "sdpa")
    for system, reply in zip(SYSTEMS, replies, strict=True):
        probabilities, mass = plain_answers(someone.model, system, asked)
        np.testing.assert_allclose(reply.probabilities, probabilities, atol=1e-4)
        np.testing.assert_allclose(reply.mass, mass, atol=1e-4)
        assert np.abs(plain_answers(unquantised.model, system, asked)[0] - probabilities).max() > 0.05
