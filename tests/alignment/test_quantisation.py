"""A model that is to be quantised is: its projections hold four bits a weight, and it answers as its plain forward."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bitsandbytes.nn.modules import Linear4bit
from tiny_models import plain_answers, questions, texts, tiny_tokenizer
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from alignment.asking import Ask
from alignment.hyperparameters import hyperparameters
from alignment.model_settings import ModelSettings
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.configuration_file import read_configuration
from alignment.runs.loop import RunReport
from alignment.runs.settings import RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from alignment.steering import Steering
from alignment.training.fitting import trained
from alignment.training.material import Material
from alignment.training.objectives import objective_of
from alignment.training.trainer import Lesson
from papi.instruments import DARK_TRIAD

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


def test_a_quantised_model_over_devices_is_told_steered_and_trained_and_stays_as_it_is(
    folder: Path, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a 70B model, on a tiny one: nf4, device_map, every kind of method, and no weight kept unquantised."""
    given_to, load = list[dict[str, Any]](), AutoModelForCausalLM.from_pretrained
    monkeypatch.setattr(
        AutoModelForCausalLM, "from_pretrained", lambda name, **how: given_to.append(how) or load(name, **how)
    )
    model = ModelSettings(str(folder), quantize="nf4", device_map="auto")
    trained = ("sft", "dpo", "ppo", "epg", "prompt-morl", "soups")
    methods = ("no-change", "few-shot-120", "p2", "pas", "pas-few-shot", "caa", *trained)
    few = tuple(f"{name}.{key}" for name in trained for key in ("steps=2", "rank=2"))
    given = RunSettings(str(release), methods, model, DARK_TRIAD, subjects=1, min_mass=0.0, seeds=1, replaced=few)
    assert run(given, tmp_path / "run", Share()) == RunReport(done=12, before=0, failures=[], complete=True)
    frozen = read_configuration(tmp_path / "run")["model"]
    assert (frozen["quantize"], frozen["device_map"], frozen["dtype"]) == ("nf4", "auto", "bfloat16")
    (how,) = given_to
    assert how["device_map"] == "auto"
    quantisation = how["quantization_config"]
    assert (quantisation.bnb_4bit_quant_type, quantisation.bnb_4bit_use_double_quant) == ("nf4", True)
    assert quantisation.bnb_4bit_compute_dtype == torch.bfloat16


def unquantised() -> list[torch.Tensor]:
    """All living tensors of floats that have as many places as a projection, wherever they are kept."""
    gc.collect()
    tensors = [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)]
    return [each for each in tensors if each.is_floating_point() and each.numel() >= 32 * 64]


def test_a_kept_copy_would_be_seen(folder: Path) -> None:
    someone = respondent(folder, quantize="nf4")
    known = set(map(id, unquantised()))
    someone.kept = torch.zeros(64, 64)  # type: ignore[attr-defined]
    assert [tensor.shape for tensor in unquantised() if id(tensor) not in known] == [(64, 64)]


def test_steering_and_training_keep_no_unquantised_copy(folder: Path) -> None:
    someone = respondent(folder, quantize="nf4")
    before = {name: value.clone() for name, value in someone.model.state_dict().items()}
    known = set(map(id, unquantised()))
    heads = np.ones(someone.scorer.parts.shape("heads"), dtype=np.float32)
    someone.ask([Ask(SYSTEMS[0], questions(2), Steering(heads=heads))])
    material = Material(someone, [Ask(SYSTEMS[0], questions(4))])
    chosen = hyperparameters(["dpo.steps=2", "dpo.rank=2"])["dpo"]
    answers = np.array([1, 5, 2, 4], dtype=np.int8)
    trained(Lesson(material, np.arange(4), answers, objective_of("dpo", chosen), chosen, 0))
    assert [tensor.shape for tensor in unquantised() if id(tensor) not in known] == []
    after = someone.model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    floats = {n for n, w in someone.model.named_parameters() if w.is_floating_point() and w.ndim == 2}
    assert floats == {"model.embed_tokens.weight", "lm_head.weight"}
