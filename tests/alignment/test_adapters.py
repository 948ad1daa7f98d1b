"""Adapters: they change nothing when new, leave no trace, come back from the disk, and add up exactly."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, questions, texts, tiny_model, tiny_tokenizer

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.respondent.adapters import (
    adapted,
    adapter_of,
    fresh_adapter,
    load_adapter,
    merged,
    save_adapter,
)
from alignment.respondent.hooks import steered
from alignment.respondent.respondent import Respondent
from alignment.steering import Steering
from papi.errors import InputRejected, MissingFile, UsageError

ASK = Ask("You are somebody.", questions(4))


def someone(architecture: str = "llama") -> Respondent:
    return Respondent(tiny_model(architecture, attention="eager"), tiny_tokenizer(), texts())


def some_adapter(respondent: Respondent, seed: int = 1, rank: int = 4) -> Adapter:
    """One that does change something: both factors are drawn."""
    random = np.random.default_rng(seed)
    with fresh_adapter(respondent.scorer, rank, 8, seed) as lora:
        found = adapter_of(lora)
    weights = {key: random.normal(0, 0.3, value.shape).astype(np.float32) for key, value in found.weights.items()}
    return Adapter(rank, 8, weights)


def test_an_adapter_is_on_all_projections_of_attention_in_float32() -> None:
    """Whatever the model's type: small steps of training would be lost in bfloat16."""
    model = copy.deepcopy(tiny_model("llama", attention="eager")).to(torch.bfloat16)
    respondent = Respondent(model, tiny_tokenizer(), texts())
    with fresh_adapter(respondent.scorer, 2, 8, 0):
        found = {name: weight.dtype for name, weight in respondent.model.named_parameters() if "lora_" in name}
        projections = {name.split(".")[-4] for name in found}
        assert projections == {"q_proj", "k_proj", "v_proj", "o_proj"}
        assert len(found) == 3 * 4 * 2
        assert set(found.values()) == {torch.float32}


@contextmanager
def changed(model: Any, adapter: Adapter) -> Iterator[None]:
    """The model with the adapter added to its weights."""
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    for key, down in adapter.weights.items():
        if "lora_A" in key:
            up = adapter.weights[key.replace("lora_A", "lora_B")]
            weight = model.get_parameter(key.replace("lora_A.weight", "weight"))
            weight.data += torch.from_numpy(up @ down) * adapter.alpha / adapter.rank
    yield
    model.load_state_dict(before)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_a_new_adapter_changes_nothing_and_a_trained_one_leaves_no_trace(architecture: str) -> None:
    respondent = someone(architecture)
    model = respondent.model
    names, asked = list(model.state_dict()), [weight.requires_grad for weight in model.parameters()]
    (before,) = respondent.ask([ASK])
    with fresh_adapter(respondent.scorer, 4, 8, 0):
        assert any("lora_" in name for name in model.state_dict())
        (new,) = respondent.ask([ASK])
    (worn,) = respondent.ask([ASK], some_adapter(respondent))
    (after,) = respondent.ask([ASK])
    assert np.array_equal(before.probabilities, new.probabilities)
    assert np.abs(before.probabilities - worn.probabilities).max() > 1e-3
    assert np.array_equal(before.probabilities, after.probabilities)
    assert list(model.state_dict()) == names
    assert [weight.requires_grad for weight in model.parameters()] == asked


def test_an_adapter_is_taken_off_after_an_error() -> None:
    respondent = someone()
    names = list(respondent.model.state_dict())
    with pytest.raises(RuntimeError, match="halfway"), adapted(respondent.scorer, some_adapter(respondent)):
        raise RuntimeError("halfway")
    assert list(respondent.model.state_dict()) == names


def test_the_same_seed_draws_the_same_adapter_whatever_was_drawn_before() -> None:
    respondent, found = someone(), []
    for seed in (1, 1, 2):
        torch.rand(3)
        with fresh_adapter(respondent.scorer, 4, 8, seed) as lora:
            found.append(adapter_of(lora).weights)
    first = next(key for key in found[0] if "lora_A" in key)
    assert all(np.array_equal(found[0][key], found[1][key]) for key in found[0])
    assert not np.array_equal(found[0][first], found[2][first])


def test_drawing_an_adapter_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    with fresh_adapter(someone().scorer, 4, 8, 5):
        pass
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_steering_on_an_adapter_is_steering_of_the_adapted_weights(architecture: str) -> None:
    """The vectors go through W + (alpha / rank) B A, as they would through a model whose weights were changed."""
    respondent = someone(architecture)
    adapter = some_adapter(respondent)
    shape = respondent.scorer.parts.shape("heads")
    steering = Steering(heads=np.random.default_rng(0).normal(0, 0.5, shape).astype(np.float32))
    ids = torch.arange(10, 30)[None]
    with torch.inference_mode(), adapted(respondent.scorer, adapter), steered(respondent.scorer.parts, [steering]):
        found = respondent.model(ids).logits
    with torch.inference_mode(), changed(respondent.model, adapter), steered(respondent.scorer.parts, [steering]):
        expected = respondent.model(ids).logits
    assert torch.allclose(found, expected, atol=1e-4)


def test_an_adapter_comes_back_from_the_disk_and_peft_reads_it(tmp_path: Path) -> None:
    respondent = someone()
    adapter = some_adapter(respondent)
    save_adapter(adapter, tmp_path / "a", "tiny")
    again = load_adapter(tmp_path / "a")
    assert (again.rank, again.alpha) == (adapter.rank, adapter.alpha)
    assert all(np.array_equal(again.weights[key], value) for key, value in adapter.weights.items())
    from peft import PeftModel

    ids = torch.arange(10, 30)[None]
    with torch.inference_mode(), adapted(respondent.scorer, adapter):
        expected = respondent.model(ids).logits
    with warnings.catch_warnings():  # peft 0.21.2 reads an attribute of transformers 5.23 that is deprecated
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        peft: Any = PeftModel.from_pretrained(copy.deepcopy(respondent.model), str(tmp_path / "a"))
    with torch.inference_mode():
        found = peft(ids).logits
    peft.unload()
    assert torch.allclose(found, expected, atol=1e-6)


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(MissingFile):
        load_adapter(tmp_path / "nothing")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputRejected, match="no adapter"):
        load_adapter(tmp_path)


def test_an_adapter_of_another_model_is_refused() -> None:
    adapter = some_adapter(someone("qwen3"))
    with pytest.raises(UsageError, match="another model"):
        someone("llama").ask([ASK], adapter)


def test_a_merged_adapter_is_the_weighted_sum_and_linear_merging_is_not() -> None:
    respondent = someone()
    parts, weights = [some_adapter(respondent, seed) for seed in (1, 2, 3)], [0.5, 0.25, 0.0]
    whole = merged(parts, weights)
    assert whole.rank == sum(part.rank for part in parts)
    wrong = 0.0
    for key in parts[0].weights:
        if "lora_A" not in key:
            continue
        other = key.replace("lora_A", "lora_B")
        deltas = [p.weights[other] @ p.weights[key] * p.alpha / p.rank for p in parts]
        expected = sum(weight * delta for weight, delta in zip(weights, deltas, strict=True))
        found = whole.weights[other] @ whole.weights[key] * whole.alpha / whole.rank
        assert np.allclose(found, expected, atol=1e-5)
        factors = [
            sum(np.sqrt(w) * p.weights[name] for w, p in zip(weights, parts, strict=True)) for name in (other, key)
        ]
        wrong = max(wrong, float(np.abs(factors[0] @ factors[1] * 8 / 4 - expected).max()))
    assert wrong > 0.01
