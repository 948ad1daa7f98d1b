"""Packed ends give what padded ones give, each with its own steering; models with windows are not packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, questions, texts, tiny_model, tiny_tokenizer

from alignment.asking import Ask
from alignment.respondent.batches import Budget
from alignment.respondent.respondent import Respondent
from alignment.steering import Scope, States, Steering

SYSTEMS = ("Answer.", "You fill in a questionnaire.\n" + "You lie awake. Very Accurate\n" * 12 + "Reply.")
ATTENTIONS = [(name, how) for name in ARCHITECTURES for how in ("eager", "sdpa") if (name, how) != ("gemma2", "sdpa")]
PACKED = ("llama", "qwen2", "qwen3")


def respondent(architecture: str = "llama", *, packed: bool = True, attention: str = "sdpa") -> Respondent:
    someone = Respondent(tiny_model(architecture, attention=attention), tiny_tokenizer(), texts())
    if not packed:
        someone.scorer.packed = None
    return someone


def random_steering(someone: Respondent, what: States, scope: Scope, seed: int) -> Steering:
    vectors = np.random.default_rng(seed).normal(0, 0.5, someone.scorer.parts.shape(what)).astype(np.float32)
    return Steering(**{what: vectors}, scope=scope)  # type: ignore[arg-type]


@pytest.mark.parametrize(("architecture", "attention"), ATTENTIONS)
def test_only_models_whose_layers_all_see_everything_are_packed(architecture: str, attention: str) -> None:
    packed = respondent(architecture, attention=attention).scorer.packed is not None
    assert packed == (architecture in PACKED and attention == "sdpa")


@pytest.mark.parametrize("architecture", PACKED)
@pytest.mark.parametrize("what", ["heads", "residual"])
@pytest.mark.parametrize("scope", ["prompt", "suffix"])
def test_packing_changes_no_answer(architecture: str, what: States, scope: Scope) -> None:
    packed, padded = respondent(architecture), respondent(architecture, packed=False)
    steerings = [None, *(random_steering(packed, what, scope, seed) for seed in range(2))]
    asks = [Ask(system, questions(5 + n), each) for system in SYSTEMS for n, each in enumerate(steerings)]
    packed.scorer.packed = Budget(150)  # several forwards, the last one not full
    for found, expected in zip(packed.ask(asks), padded.ask(asks), strict=True):
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=5e-6)
        np.testing.assert_allclose(found.mass, expected.mass, atol=5e-6)
    assert packed.tokens == padded.tokens


@pytest.mark.parametrize("what", ["heads", "residual"])
def test_packing_changes_no_state(what: States) -> None:
    found, expected = (respondent(packed=each).states("Answer.", questions(6), what) for each in (True, False))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-2


def test_a_packed_batch_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, someone = questions(6), respondent()
    (expected,) = respondent().ask([Ask(SYSTEMS[1], asked)])
    forward = type(someone.model).forward

    def small(self: Any, *arguments: Any, **named: Any) -> Any:
        kept = named["logits_to_keep"]
        if isinstance(kept, list) and len(kept) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, *arguments, **named)

    monkeypatch.setattr(type(someone.model), "forward", small)
    (reply,) = someone.ask([Ask(SYSTEMS[1], asked)])
    np.testing.assert_allclose(reply.probabilities, expected.probabilities, atol=2e-6)
    assert someone.scorer.packed
    assert someone.scorer.packed.halvings
