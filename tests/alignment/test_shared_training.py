"""Adapters trained once for all subjects: on whom, on what, and how a subject's scores weigh them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import questions

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.benchmark import Benchmark
from alignment.hyperparameters import hyperparameters
from alignment.methods.contract import Context, Prompted
from alignment.methods.prompting import domain_scores, trait_levels
from alignment.methods.registry import methods
from alignment.respondent.adapters import adapter_of, fresh_adapter
from alignment.respondent.respondent import Respondent
from alignment.training import shared
from alignment.training.material import Material
from alignment.training.objectives import Batch, cross_entropy, expected_reward, objective_of
from alignment.training.trainer import Lesson, batches

FEW = [f"{name}.{key}" for name in ("prompt-morl", "soups") for key in ("steps=2", "rank=2", "people=4")]


def context_of(benchmark: Benchmark, seed: int = 0, replaced: list[str] | None = None) -> Context:
    return Context(benchmark, seed, min_mass=0.0, hyperparameters=hyperparameters(replaced or FEW))


def lessons_of(monkeypatch: pytest.MonkeyPatch) -> list[Lesson]:
    """The lessons that are taught from here on."""
    taught: list[Lesson] = []
    inner = shared.trained
    monkeypatch.setattr(shared, "trained", lambda lesson: taught.append(lesson) or inner(lesson))
    return taught


def test_morl_learns_from_others_who_are_told_by_their_own_levels(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ask is the trait levels of one of the others, with some of the given answers of that person."""
    context, taught = context_of(benchmark_, replaced=["prompt-morl.items=5", *FEW[:2]]), lessons_of(monkeypatch)
    subject = benchmark_.subjects[0]
    shared.levels_adapter(subject, someone, context)
    (lesson,) = taught
    others = context.reference(subject).given
    told = {tuple(given): trait_levels(replace(subject, given=given), someone, context).system for given in others}
    answers = iter(lesson.answers)
    assert len(lesson.material.asks) == len(others)
    for ask in lesson.material.asks:
        assert len(ask.questions) == 5
        said = {question.item: int(next(answers)) for question in ask.questions}
        places = [benchmark_.given.index(question) for question in ask.questions]
        assert any(
            system == ask.system and [given[place] for place in places] == list(said.values())
            for given, system in told.items()
        )
    assert tuple(subject.given) not in told


def test_morl_is_asked_under_the_subjects_own_levels(benchmark_: Benchmark, someone: Respondent) -> None:
    context = context_of(benchmark_)
    told = set()
    for subject in benchmark_.subjects[:4]:
        found = methods()["prompt-morl"].fit(subject, someone, context)
        assert isinstance(found, Prompted)
        assert found.adapter is shared.levels_adapter(subject, someone, context)
        assert found.system == trait_levels(subject, someone, context).system
        told.add(found.system)
    assert len(told) > 1
    assert someone.wording.system() not in told


def test_each_is_trained_by_its_own_objective(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, taught = context_of(benchmark_), lessons_of(monkeypatch)
    shared.levels_adapter(benchmark_.subjects[0], someone, context)
    shared.poured(benchmark_.subjects[0], someone, context)
    torch.manual_seed(0)
    policy, reference = (torch.randn(4, 6).log_softmax(-1) for _ in range(2))
    batch = Batch(policy, reference, torch.tensor([1, 5, 3, 2]), torch.zeros(4, 1))
    losses = [float(lesson.objective.loss(batch, 0)) for lesson in taught]
    assert losses[0] == pytest.approx(float(cross_entropy(batch)))
    assert losses[1:] == pytest.approx([float(expected_reward(0.2, -6)(batch))] * 6)
    assert losses[0] != pytest.approx(losses[1])


def test_morl_goes_through_the_people_once(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["prompt-morl.people=10", "prompt-morl.batch=16", "prompt-morl.rank=2"]
    context, taught = context_of(benchmark_, replaced=few), lessons_of(monkeypatch)
    shared.levels_adapter(benchmark_.subjects[0], someone, context)
    assert taught[0].chosen["steps"] == 5  # 80 answers


def test_morl_is_trained_once_for_a_seed(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, taught = context_of(benchmark_), lessons_of(monkeypatch)
    one, again = (shared.levels_adapter(benchmark_.subjects[number], someone, context) for number in (0, 10))
    assert one is again  # both are of the same fold
    other = shared.levels_adapter(benchmark_.subjects[0], someone, context.seeded(1))
    assert len(taught) == 2
    assert any(not np.array_equal(one.weights[key], other.weights[key]) for key in one.weights)


def test_the_ends_of_a_domain_are_its_deciles(benchmark_: Benchmark) -> None:
    random = np.random.default_rng(0)
    scores = random.normal(3, 1, (100, 3))
    scores[7, 1] = np.nan
    ends = shared._ends(scores, context_of(benchmark_, replaced=["soups.people=6"]))
    assert [len(end) for end in ends] == [6] * 6
    for column, (high, low) in zip(scores.T, zip(ends[::2], ends[1::2], strict=True), strict=True):
        order = np.argsort(column)
        assert set(high) <= set(order[~np.isnan(column[order])][-10:])
        assert set(low) <= set(order[:10])
    assert 7 not in np.concatenate(ends[2:4])
    everybody = shared._ends(scores, context_of(benchmark_, replaced=["soups.people=200"]))
    assert [len(end) for end in everybody] == [10] * 6
    assert set(everybody[0]) == set(np.argsort(scores[:, 0])[-10:])


def test_soups_are_trained_on_the_people_of_the_ends(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lessons a domain, each of one end's answers to all given items, under the neutral text."""
    context, taught = context_of(benchmark_), lessons_of(monkeypatch)
    shared.poured(benchmark_.subjects[0], someone, context)
    others = context.reference(benchmark_.subjects[0]).given
    ends = shared._ends(domain_scores(others, context), context)
    assert len(taught) == len(ends) == 6
    for lesson, end in zip(taught, ends, strict=True):
        assert [ask.system for ask in lesson.material.asks] == [someone.wording.system()]
        answers = others[end]
        assert list(lesson.answers) == list(answers[answers != 0])
        assert list(lesson.rows) == list(np.nonzero(answers)[1])
    shared.poured(benchmark_.subjects[0], someone, context.seeded(1))
    assert len({lesson.seed for lesson in taught}) == 12  # no training of one seed is one of another's


def test_a_soup_is_weighted_by_the_subjects_scores(benchmark_: Benchmark, someone: Respondent) -> None:
    context, subject = context_of(benchmark_), benchmark_.subjects[0]
    ends = [drawn(someone, seed) for seed in range(6)]
    context.once((shared.SOUPS, context.reference(subject).name, 0), lambda: ends)
    found = shared.poured(subject, someone, context)
    score = domain_scores(subject.given[None], context)[0]
    for key in (key for key in ends[0].weights if "lora_A" in key):
        expected = sum(
            delta(ends[2 * number], key) * (s - 1) / 4 / 3 + delta(ends[2 * number + 1], key) * (1 - (s - 1) / 4) / 3
            for number, s in enumerate(score)
        )
        assert np.allclose(delta(found, key), expected, atol=1e-5)


def test_an_unknown_score_is_the_middle(benchmark_: Benchmark, someone: Respondent) -> None:
    context = context_of(benchmark_)
    nobody = replace(benchmark_.subjects[0], given=np.zeros(18, dtype=np.int8))
    ends = [drawn(someone, seed) for seed in range(6)]
    context.once((shared.SOUPS, context.reference(nobody).name, 0), lambda: ends)
    found = shared.poured(nobody, someone, context)
    key = next(key for key in ends[0].weights if "lora_A" in key)
    assert np.allclose(delta(found, key), sum(delta(end, key) for end in ends) / 6, atol=1e-5)


def drawn(someone: Respondent, seed: int) -> Adapter:
    random = np.random.default_rng(seed)
    with fresh_adapter(someone.scorer, 2, 4, seed) as lora:
        shape = adapter_of(lora).weights
    return Adapter(2, 4, {key: random.normal(0, 0.3, each.shape).astype(np.float32) for key, each in shape.items()})


def delta(adapter: Adapter, key: str) -> Any:
    """What an adapter adds to the weights of a projection."""
    up, down = adapter.weights[key.replace("lora_A", "lora_B")], adapter.weights[key]
    return up @ down * adapter.alpha / adapter.rank


def test_a_step_takes_the_questions_of_one_text_together(someone: Respondent) -> None:
    """Each batch of 8 holds the whole of two asks of 4, in another order each time through."""
    material = Material(someone, [Ask(f"You are number {number}.", questions(4)) for number in range(6)])
    chosen = hyperparameters(["prompt-morl.batch=8"])["prompt-morl"]
    answers = np.ones(24, dtype=np.int8)
    draws = batches(Lesson(material, np.arange(24), answers, objective_of("prompt-morl", chosen), chosen, 0))
    turns = []
    for _ in range(2):
        rows = [next(draws) for _ in range(3)]
        assert sorted(np.concatenate(rows)) == list(range(24))
        assert all(len(set(material.owner[each])) == 2 for each in rows)
        turns.append([tuple(each) for each in rows])
    assert turns[0] != turns[1]
