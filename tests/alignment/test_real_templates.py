"""The chat templates of the models that people use, as TRL's wheel carries them (`pip install 'palign-papi[trl]'`)."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from tiny_models import questions, texts, tiny_tokenizer

from alignment.export.template import tell
from alignment.prompts import prompts_for
from alignment.respondent.chat import Chat, Turn

trl = pytest.importorskip("trl")
TEMPLATES = ("llama3", "llama3_1", "gemma", "gemma3", "qwen2_5", "qwen3", "qwen3_5_think", "phi3", "phi3_5")


def chat_of(name: str) -> Chat:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()
    return Chat(tokenizer)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_prompt_ends_where_the_letter_is_to_follow(name: str) -> None:
    chat, wording = chat_of(name), prompts_for(texts(), "forward")
    turns = [Turn(wording.question(question), wording.asked) for question in questions(3)]
    said = [chat.text("Answer as yourself.", turn) for turn in turns]
    for text, question in zip(said, questions(3), strict=True):
        assert text.endswith("Option (")
        assert text.count("Answer as yourself.") == 1
        assert question.statement in text
        assert "<think>" not in text or "<think>\n\n</think>" in text  # thoughts are left empty
    encoded = chat.encode("Answer as yourself.", turns)
    assert [encoded.prefix + suffix for suffix in encoded.suffixes] == [chat.tokens(text) for text in said]
    assert len(encoded.prefix) > len("Answer as yourself.")
    assert len(set(chat.letters("Answer as yourself.", turns[0]))) == 5


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_condition_s_text_can_be_told_in_it(name: str) -> None:
    plain, told = chat_of(name), chat_of(name)
    tell(told.tokenizer, "You are calm.")
    said = [{"role": "user", "content": "Well?"}]
    if plain.has_system_role:
        expected = [{"role": "system", "content": "You are calm."}, *said]
    else:
        expected = [{"role": "user", "content": "You are calm.\n\nWell?"}]
    render = {"tokenize": False, "add_generation_prompt": True}
    found = told.tokenizer.apply_chat_template(said, **render)
    assert found == plain.tokenizer.apply_chat_template(expected, **render)
