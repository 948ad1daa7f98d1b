"""The pocket respondent: its vocabulary, its training and the checkpoint beside the code."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import papi
from alignment.pocket import CHECKPOINT
from alignment.prompts import LETTERS, ORDERS, Prompts, prompts_for, read_prompts
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_300, instrument

pytest.importorskip("torch")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alignment.pocket.curriculum import KINDS, Questionnaire, Row, questionnaires
from alignment.pocket.network import new_model
from alignment.pocket.packing import next_token_logits, pack
from alignment.pocket.train import train_pocket
from alignment.pocket.vocabulary import build_tokenizer, simulated_questions, words

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
BOTH = pytest.mark.parametrize(("config", "order"), list(product(INSTRUMENTS, ORDERS)))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(CHECKPOINT)


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32).eval()


def systems(config: str, prompts: Prompts) -> list[str]:
    """Every kind of system text; between them every pair and every level."""
    questions, of = simulated_questions(instrument(config)), instrument(config)
    found = [prompts.system(), prompts.system("average_person"), prompts.system("few_shot", pairs="")]
    for response in range(1, 6):
        found.append(prompts.system("few_shot", pairs=prompts.pairs(questions, [response] * len(questions))))
        found.append(prompts.trait_levels([(domain.title, response - 1) for domain in of.domains]))
        found += [prompts.trait_levels([(domain.title, response - 1)]) for domain in of.domains]
    return found


def tokens(tokenizer: Any, *texts: str) -> list[int]:
    roles = ("system", *(("user", "assistant") * len(texts)))
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    found: list[int] = tokenizer.apply_chat_template(
        messages, tokenize=True, continue_final_message=True, return_dict=False
    )
    return found


def shared_start(first: list[int], second: list[int]) -> int:
    return next(at for at, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)


def test_the_checkpoint_is_small_and_so_is_its_model(model: Any) -> None:
    assert sum(path.stat().st_size for path in CHECKPOINT.iterdir()) < 4 * MEGABYTE
    assert sum(each.numel() for each in model.parameters()) <= 1_800_000


def test_the_tokenizer_of_the_checkpoint_is_the_one_of_the_code(tokenizer: Any) -> None:
    assert tokenizer.get_vocab() == words().ids == build_tokenizer().get_vocab()
    assert tokenizer.backend_tokenizer.to_str() == build_tokenizer().backend_tokenizer.to_str()


@BOTH
def test_every_prompt_of_the_project_is_read_without_loss(tokenizer: Any, config: str, order: Any) -> None:
    prompts = prompts_for(read_prompts(config), order)
    question = simulated_questions(instrument(config))[0]
    for system in systems(config, prompts):
        ids = tokens(tokenizer, system, prompts.question(question), prompts.asked)
        assert tokenizer.unk_token_id not in ids
        expected = f"<|system|>{system}<|user|>{prompts.question(question)}<|assistant|>{prompts.asked}"
        assert tokenizer.decode(ids) == expected


@BOTH
def test_a_question_is_three_tokens_of_its_own_and_a_letter_one_more(tokenizer: Any, config: str, order: Any) -> None:
    prompts = prompts_for(read_prompts(config), order)
    first, *others = [
        tokens(tokenizer, prompts.system(), prompts.question(each), prompts.asked)
        for each in simulated_questions(instrument(config))
    ]
    assert {shared_start(first, other) for other in others} == {len(first) - 3}
    assert tokenizer.unk_token_id not in {token for other in others for token in other}
    question = prompts.question(simulated_questions(instrument(config))[0])
    for letter in LETTERS:
        assert tokens(tokenizer, prompts.system(), question, prompts.asked + letter) == [*first, words().ids[letter]]
    assert prompts.probed == tuple(
        prompts.asked + letter for letter in (("A", "E") if order == "forward" else ("E", "A"))
    )


def test_another_statement_is_unknown_wherever_it_stands(tokenizer: Any) -> None:
    prompts = prompts_for(read_prompts(IPIP_300), "forward")
    known, *_ = simulated_questions(instrument(IPIP_300))
    other = type(known)("i1", "Sing.", "You sing in the shower.", "E", "E6", 1)
    told = prompts.system("few_shot", pairs=prompts.pairs([known, other], [1, 2]))
    assert (
        tokens(tokenizer, prompts.system(), prompts.question(other), prompts.asked).count(tokenizer.unk_token_id) == 1
    )
    assert tokens(tokenizer, told, prompts.question(known), prompts.asked).count(tokenizer.unk_token_id) == 1


def test_the_statements_are_those_of_a_release(release: Path) -> None:
    for config in INSTRUMENTS:
        frame = papi.items(release, config)
        expected = frame[["item", "text", "statement", "domain", "keyed"]].to_numpy().tolist()
        found = [[q.item, q.text, q.statement, q.domain, q.keyed] for q in simulated_questions(instrument(config))]
        assert found == expected


def test_every_process_builds_the_same_tokenizer() -> None:
    code = "from alignment.pocket.vocabulary import *; print(build_tokenizer().backend_tokenizer.to_str())"
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 10_000


def test_training_twice_gives_equal_bytes_and_another_seed_others(tmp_path: Path) -> None:
    losses: list[float] = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        train_pocket(tmp_path / name, steps=3, seed=seed, people=4, progress=lambda _, loss: losses.append(loss))
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in CHECKPOINT.iterdir())
    contents = {name: [(tmp_path / name / file).read_bytes() for file in files] for name in "abc"}
    assert contents["a"] == contents["b"] != contents["c"]
    assert losses[:3] == losses[3:6] != losses[6:]


def rows_of_every_kind(form: Questionnaire, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    rows = []
    for kind in list(KINDS):
        with monkeypatch.context() as patch:
            patch.setattr("alignment.pocket.curriculum.KINDS", {kind: 1.0})
            rows += form.rows(np.random.default_rng(3), 2, (3, 3))
    return rows


@pytest.mark.parametrize("position", [0, 1])
def test_packed_questions_are_answered_as_plain_ones(position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = new_model(1).eval()
    form = questionnaires(build_tokenizer())[position]
    rows = rows_of_every_kind(form, monkeypatch)
    with torch.inference_mode():
        packed = next_token_logits(model, pack(rows, form.start))
        plain = [model(torch.tensor([ids])).logits[0, -1] for row in rows for ids in plain_prompts(row, form.start)]
    assert torch.allclose(packed, torch.stack(plain), atol=1e-4)


def plain_prompts(row: Row, start: int) -> list[list[int]]:
    within = [row.prefix[: at + 1] for at in row.earlier_at]
    return within + [[*row.prefix, int(asked), words().ids["<|assistant|>"], start] for asked in row.asked]


def test_rows_are_probabilities_and_their_prompts_those_of_the_project(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in questionnaires(build_tokenizer()):
        for row in rows_of_every_kind(form, monkeypatch):
            targets = np.concatenate([row.earlier, row.targets])
            assert np.allclose(targets.sum(axis=1), 1, atol=1e-5)
            assert words().ids["<unk>"] not in row.prefix
        prompts = form.prompts[1]
        told = form.few_shot(prompts, [2, 0], [1, 5])
        asked = prompts.question(form.questions[1])
        assert [*form.prefix(prompts, told), form.statement_ids[1]] == tokens(tokenizer, told, asked, "")[:-1]
        turns = form.prefix(prompts, prompts.system(), [(3, "D")])
        earlier = (prompts.question(form.questions[3]), "Option (D)", asked, "")
        assert [*turns, form.statement_ids[1]] == tokens(tokenizer, prompts.system(), *earlier)[:-1]


def test_levels_are_low_for_low_scores_and_high_for_high_ones() -> None:
    form, _ = questionnaires(build_tokenizer())
    keyed = instrument(IPIP_300).keyed
    highest = form.levels(np.where(keyed > 0, 5, 1).astype(np.int8))
    assert highest == [(domain.title, 4) for domain in form.of.domains]
    assert {level for _, level in form.levels(np.where(keyed > 0, 1, 5).astype(np.int8))} == {0}


@BOTH
def test_the_checkpoint_answers_like_the_person_it_is_told_of(
    model: Any, tokenizer: Any, config: str, order: Any
) -> None:
    """Somebody who always answers in one direction of the traits, and somebody who answers in the other."""
    of = instrument(config)
    prompts, questions = prompts_for(read_prompts(config), order), simulated_questions(of)
    told, asked = questions[: len(questions) // 2], questions[len(questions) // 2 :][:12]
    expected = {}
    for direction in (1, -1):
        responses = [3 + 2 * direction * question.keyed for question in told]
        system = prompts.system("few_shot", pairs=prompts.pairs(told, responses))
        ids = [tokens(tokenizer, system, prompts.question(question), prompts.asked) for question in asked]
        with torch.inference_mode():
            letters = model(torch.tensor(ids)).logits[:, -1].softmax(-1)[:, [words().ids[each] for each in LETTERS]]
        assert letters.sum(-1).min() > 0.9
        expected[direction] = (letters @ torch.tensor(prompts.responses, dtype=torch.float32)).numpy()
    difference = (expected[1] - expected[-1]) * np.array([question.keyed for question in asked])
    assert (difference > 0.5).all(), difference


def test_it_knows_the_dark_triad_from_the_ipip() -> None:
    told = words().statements
    assert not set(told[IPIP_300].values()) & set(told[DARK_TRIAD].values())
    assert len(told[IPIP_300]) == 300 * 6
    assert len(told[DARK_TRIAD]) == 27 * 6
