"""The engine gives what the plain forward gives, whatever it shares, batches or pads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import (
    ARCHITECTURES,
    NO_SYSTEM,
    plain_answers,
    plain_probabilities,
    questions,
    texts,
    tiny_model,
    tiny_tokenizer,
)

from alignment.asking import Ask
from alignment.decoding import argmax
from alignment.prompts import prompts_for
from alignment.respondent.chat import Chat, Turn
from alignment.respondent.respondent import Respondent
from papi.errors import EnvironmentProblem, UsageError

SYSTEMS = ("Answer.", "You fill in a questionnaire.\n" + "You lie awake. Very Accurate\n" * 12 + "Reply.")
ATTENTIONS = [(name, how) for name in ARCHITECTURES for how in ("eager", "sdpa") if (name, how) != ("gemma2", "sdpa")]


def respondent(architecture: str = "llama", order: str = "forward", **more: Any) -> Respondent:
    return Respondent(tiny_model(architecture, **more), tiny_tokenizer(), texts(), order)


@pytest.mark.parametrize(("architecture", "attention"), ATTENTIONS)
def test_shared_prefixes_padding_and_batches_change_nothing(architecture: str, attention: str) -> None:
    asked, someone = questions(7), respondent(architecture, attention=attention)
    someone.scorer.budget.tokens = 1500  # several batches
    replies = someone.ask([Ask(system, asked) for system in SYSTEMS])
    for system, reply in zip(SYSTEMS, replies, strict=True):
        probabilities, mass = plain_answers(tiny_model(architecture, attention=attention), system, asked)
        np.testing.assert_allclose(reply.probabilities, probabilities, atol=2e-6)
        np.testing.assert_allclose(reply.mass, mass, atol=2e-6)
    assert np.abs(replies[0].probabilities - replies[1].probabilities).max() > 1e-4


def test_in_bfloat16_the_answers_are_nearly_the_same() -> None:
    asked = questions(5)
    (exact,) = respondent().ask([Ask(SYSTEMS[0], asked)])
    (near,) = respondent(dtype=torch.bfloat16).ask([Ask(SYSTEMS[0], asked)])
    np.testing.assert_allclose(near.probabilities, exact.probabilities, atol=0.05)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_in_bfloat16_packed_questions_are_answered_as_by_the_plain_forward(architecture: str) -> None:
    asked = questions(7)
    someone = respondent(architecture, attention="sdpa", dtype=torch.bfloat16)
    assert someone.scorer.packed is not None
    for system, reply in zip(SYSTEMS, someone.ask([Ask(system, asked) for system in SYSTEMS]), strict=True):
        probabilities, mass = plain_answers(someone.model, system, asked)
        np.testing.assert_allclose(reply.probabilities, probabilities, atol=0.03)
        np.testing.assert_allclose(reply.mass, mass, atol=0.03)


def test_the_letters_mean_the_same_in_either_order_and_both_are_averaged() -> None:
    asked = questions(3)
    forward, backward, both = (
        respondent(order=order).ask([Ask("Answer.", asked)])[0] for order in ("forward", "reversed", "both")
    )
    mean = (forward.probabilities + backward.probabilities) / 2
    np.testing.assert_allclose(both.probabilities, mean, atol=1e-6)
    assert np.abs(forward.probabilities - backward.probabilities).max() > 1e-3
    np.testing.assert_allclose(forward.probabilities.sum(1), 1)


def test_a_question_alone_is_answered_as_among_others() -> None:
    asked = questions(4)
    (together,) = respondent().ask([Ask(SYSTEMS[1], asked)])
    (alone,) = respondent().ask([Ask(SYSTEMS[1], asked[2:3])])
    np.testing.assert_allclose(alone.probabilities[0], together.probabilities[2], atol=2e-6)


def test_every_token_is_counted_once() -> None:
    someone, asked = respondent(), questions(4)
    encoded = someone.chat.encode("Answer.", [Turn(someone.wording.question(q), "Option (") for q in asked])
    someone.ask([Ask("Answer.", asked)])
    assert someone.tokens == len(encoded.prefix) + sum(map(len, encoded.suffixes))


@pytest.mark.parametrize("template", ["with a system role", "without one", "none"])
def test_an_encoded_prompt_has_the_tokens_of_the_whole_text(template: str) -> None:
    given = {"with a system role": None, "without one": NO_SYSTEM, "none": ""}[template]
    tokenizer = tiny_tokenizer() if given is None else tiny_tokenizer(given)
    chat, asked = Chat(tokenizer), prompts_for(texts(), "forward")
    turns = [Turn(asked.question(question), asked.asked) for question in questions(5)]
    for system in SYSTEMS:
        encoded = chat.encode(system, turns)
        for turn, suffix in zip(turns, encoded.suffixes, strict=True):
            text = chat.text(system, turn)
            assert encoded.prefix + suffix == tuple(tokenizer(text)["input_ids"])
            assert system in text
            assert text.endswith("Option (")
        assert len(encoded.prefix) > 2 * max(map(len, encoded.suffixes)) or system == SYSTEMS[0]


def test_where_the_parts_have_other_tokens_than_the_whole_the_whole_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tokenizer that marks every text's beginning, as those with a prefix space do."""
    chat = Chat(tiny_tokenizer())
    plain = chat.tokens
    monkeypatch.setattr(Chat, "tokens", lambda self, text: (1, *plain(text)))
    turns = [Turn(f"one\nquestion {n}?", "Option (") for n in range(3)]
    encoded = chat.encode("Answer.", turns)
    whole = [(1, *plain(chat.text("Answer.", turn))) for turn in turns]
    assert [encoded.prefix + suffix for suffix in encoded.suffixes] == whole


def test_a_letter_that_is_not_one_more_token_is_refused() -> None:
    chat = Chat(tiny_tokenizer())
    assert len(set(chat.letters("Answer.", Turn("?", "Option (")))) == 5
    with pytest.raises(UsageError, match="not one more token") as refused:
        chat.letters("Answer.", Turn("?", "an Option"))  # "OptionA" is one word
    assert "Option (" in str(refused.value)


def test_a_batch_that_does_not_fit_is_halved_and_the_answers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, someone = questions(6), respondent()
    (expected,) = respondent().ask([Ask("Answer.", asked)])
    forward, sizes = type(someone.model).forward, []

    def small(self: Any, *arguments: Any, **named: Any) -> Any:
        sizes.append(len(named["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, *arguments, **named)

    monkeypatch.setattr(type(someone.model), "forward", small)
    (reply,) = someone.ask([Ask("Answer.", asked)])
    np.testing.assert_allclose(reply.probabilities, expected.probabilities, atol=2e-6)
    assert max(sizes) == 6
    assert someone.scorer.budget.halvings == 2
    (again,) = someone.ask([Ask("Answer.", asked)])
    assert np.array_equal(again.probabilities, reply.probabilities)
    assert someone.scorer.budget.halvings == 2  # what was learnt stays


def test_where_kept_prefixes_take_the_memory_fewer_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, someone = questions(3), respondent()
    asks = [Ask(system, asked) for system in ("Answer.\nBriefly.", "Reply.\nAt length.", "Say.\nAll.")]
    expected = respondent().ask(asks)
    forward = type(someone.model).forward

    def full(self: Any, *arguments: Any, **named: Any) -> Any:
        layers = getattr(named["past_key_values"], "layers", [])
        if layers and len(getattr(layers[0], "prefix_keys", ())) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, *arguments, **named)

    monkeypatch.setattr(type(someone.model), "forward", full)
    for reply, other in zip(someone.ask(asks), expected, strict=True):
        np.testing.assert_allclose(reply.probabilities, other.probabilities, atol=2e-6)


def test_a_prompt_that_alone_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    someone = respondent()

    def full(self: Any, *arguments: Any, **named: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(someone.model), "forward", full)
    with pytest.raises(EnvironmentProblem, match="a single prompt"):
        someone.ask([Ask("Answer.", questions(2))])


def test_another_error_of_the_model_is_not_taken_for_one_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    someone = respondent()
    monkeypatch.setattr(type(someone.model), "forward", lambda *arguments, **named: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError):
        someone.ask([Ask("Answer.", questions(2))])


def test_the_model_writes_its_own_text_greedily() -> None:
    first, second = respondent(), respondent()
    assert first.write("Describe somebody.", 12) == second.write("Describe somebody.", 12)
    assert first.tokens > 12


def test_states_are_those_of_the_plain_forward() -> None:
    someone, asked = respondent(), questions(3)
    states = someone.states("Answer.", asked)
    assert states.shape == (3, 2, 3, 4, 8)
    for number, question in enumerate(asked):
        for side, answer in enumerate(("Option (A", "Option (E")):
            kept: list[torch.Tensor] = []
            projection = someone.model.model.layers[1].self_attn.o_proj
            handle = projection.register_forward_pre_hook(lambda module, given, kept=kept: kept.append(given[0][0, -1]))
            plain_probabilities(someone.model, "Answer.", question, answer)
            handle.remove()
            np.testing.assert_allclose(states[number, side, 1].ravel(), kept[0].detach().numpy(), atol=1e-5)


def test_residual_states_are_the_layers_outputs() -> None:
    someone, asked = respondent(), questions(2)
    states = someone.states("Answer.", asked, "residual")
    assert states.shape == (2, 2, 3, 32)
    kept: list[torch.Tensor] = []
    handle = someone.model.model.layers[2].register_forward_hook(
        lambda module, given, output: kept.append(output[0, -1])
    )
    plain_probabilities(someone.model, "Answer.", asked[1], "Option (E")
    handle.remove()
    np.testing.assert_allclose(states[1, 1, 2], kept[0].detach().numpy(), atol=1e-5)


def test_the_letters_of_both_orders_are_counted() -> None:
    """A model that always says A says every response in one order or the other; the letters show it."""
    model = tiny_model("llama", attention="sdpa")
    asked = questions(6)
    forward, backward, both = (
        Respondent(model, tiny_tokenizer(), texts(), option_order=order).ask([Ask("Answer.", asked)])[0]
        for order in ("forward", "reversed", "both")
    )
    counts = np.bincount(5 - argmax(forward.probabilities).astype(int), minlength=5)
    assert list(forward.letters) == list(counts)
    assert list(both.letters) == list(forward.letters + backward.letters)
    assert both.letters.sum() == 12


def test_a_text_is_greedy_whatever_the_model_penalises() -> None:
    """A penalty on repetition in the model's own settings is not asked, and stays where it was."""
    model = tiny_model("llama", attention="sdpa")
    someone = Respondent(model, tiny_tokenizer(), texts())
    expected = someone.write("You lie awake.", 12)
    own = model.generation_config.repetition_penalty
    model.generation_config.repetition_penalty = 50.0
    try:
        assert someone.write("You lie awake.", 12) == expected
        assert model.generation_config.repetition_penalty == 50.0
    finally:
        model.generation_config.repetition_penalty = own
