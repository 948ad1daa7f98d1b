"""Steering adds what it says, where it says, to the rows it says, and leaves nothing behind."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, plain_answers, questions, texts, tiny_model, tiny_tokenizer
from torch import nn

from alignment.asking import Ask
from alignment.respondent.hooks import architecture_of, steered
from alignment.respondent.respondent import Respondent
from alignment.steering import Steering
from papi.errors import UsageError

SYSTEM = "You fill in a questionnaire.\nReply."


def respondent(architecture: str = "llama") -> Respondent:
    return Respondent(tiny_model(architecture), tiny_tokenizer(), texts())


def random_steering(someone: Respondent, seed: int = 0, **more: str) -> Steering:
    shape = someone.scorer.parts.shape("heads")
    return Steering(heads=np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_steering_the_whole_prompt_equals_a_bias_on_the_projection(architecture: str) -> None:
    someone, asked = respondent(architecture), questions(4)
    steering = random_steering(someone)
    biased = copy.deepcopy(tiny_model(architecture))
    assert steering.heads is not None
    for layer, vectors in zip(biased.model.layers, steering.heads, strict=True):
        projection = layer.self_attn.o_proj
        projection.bias = nn.Parameter(projection.weight.detach() @ torch.from_numpy(vectors.ravel()))
    expected, _ = plain_answers(biased, SYSTEM, asked)
    unsteered, steered_reply = someone.ask([Ask(SYSTEM, asked), Ask(SYSTEM, asked, steering)])
    np.testing.assert_allclose(steered_reply.probabilities, expected, atol=5e-6)
    assert np.abs(unsteered.probabilities - expected).max() > 1e-3


def test_every_row_has_its_own_steering() -> None:
    someone, asked = respondent(), questions(3)
    steerings = [random_steering(someone, seed) for seed in range(3)]
    together = someone.ask([Ask(SYSTEM, asked, each) for each in steerings])
    for steering, reply in zip(steerings, together, strict=True):
        (alone,) = someone.ask([Ask(SYSTEM, asked, steering)])
        np.testing.assert_allclose(reply.probabilities, alone.probabilities, atol=5e-6)


def test_steering_the_question_only_leaves_the_prefix_as_it_is() -> None:
    """It equals the plain forward with the vectors added from the first token of the suffix on."""
    someone, asked = respondent(), questions(2)
    steering = random_steering(someone, scope="suffix")
    (reply,) = someone.ask([Ask(SYSTEM, asked, steering)])
    encoded = someone.encoded(Ask(SYSTEM, asked))[0].encoded
    assert steering.heads is not None
    for row, suffix in enumerate(encoded.suffixes):
        handles = []
        for layer, vectors in zip(someone.model.model.layers, steering.heads, strict=True):
            added = torch.zeros(len(encoded.prefix) + len(suffix), vectors.size)
            added[len(encoded.prefix) :] = torch.from_numpy(vectors.ravel())
            hook = layer.self_attn.o_proj.register_forward_pre_hook(
                lambda module, given, added=added: (given[0] + added,)
            )
            handles.append(hook)
        expected, _ = plain_answers(someone.model, SYSTEM, asked[row : row + 1])
        for handle in handles:
            handle.remove()
        np.testing.assert_allclose(reply.probabilities[row], expected[0], atol=5e-6)
    (whole,) = someone.ask([Ask(SYSTEM, asked, random_steering(someone))])
    assert np.abs(whole.probabilities - reply.probabilities).max() > 1e-4


def test_the_residual_of_a_layer_can_be_steered() -> None:
    someone, asked = respondent(), questions(2)
    vectors = np.zeros(someone.scorer.parts.shape("residual"), dtype=np.float32)
    vectors[1] = np.random.default_rng(0).normal(size=32)
    (reply,) = someone.ask([Ask(SYSTEM, asked, Steering(residual=vectors))])
    layer, added = someone.model.model.layers[1], torch.from_numpy(vectors[1])
    handle = layer.register_forward_hook(lambda module, given, output: output + added)
    expected, _ = plain_answers(someone.model, SYSTEM, asked)
    handle.remove()
    np.testing.assert_allclose(reply.probabilities, expected, atol=5e-6)


def test_a_strength_of_nothing_is_no_steering() -> None:
    assert random_steering(respondent()).times(0) is None
    doubled = random_steering(respondent()).times(2)
    assert doubled is not None
    np.testing.assert_allclose(doubled.heads, 2 * random_steering(respondent()).heads)  # type: ignore[operator]


def test_the_hooks_go_even_after_an_error() -> None:
    someone = respondent()
    projection = someone.model.model.layers[0].self_attn.o_proj
    seen = []

    def broken() -> None:
        with steered(someone.scorer.parts, [random_steering(someone)]):
            seen.append(len(projection._forward_pre_hooks))
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert seen == [1]
    assert len(projection._forward_pre_hooks) == 0


def test_steering_of_another_model_is_refused() -> None:
    steering = random_steering(respondent("qwen3"))
    with pytest.raises(UsageError, match="another model"):
        respondent().ask([Ask(SYSTEM, questions(1), steering)])


def test_layers_without_the_projection_are_skipped_and_a_model_with_none_is_refused() -> None:
    model = copy.deepcopy(tiny_model("llama"))
    del model.model.layers[0].self_attn.o_proj
    assert architecture_of(model).skipped == (0,)
    for layer in model.model.layers[1:]:
        del layer.self_attn.o_proj
    with pytest.raises(UsageError, match="cannot be steered"):
        architecture_of(model)


@pytest.mark.parametrize(("architecture", "width"), [("qwen2", 8), ("qwen3", 16), ("gemma3", 16)])
def test_the_width_of_a_head_comes_from_the_projection(architecture: str, width: int) -> None:
    assert architecture_of(tiny_model(architecture)).head_width == width
