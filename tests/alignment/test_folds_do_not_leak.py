"""The items of a fold are asked under a text and a steering that know nothing of the subject's answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny_model, tiny_tokenizer

from alignment.asking import Ask
from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.folds import folds_of
from alignment.methods.contract import Context, Prompted
from alignment.methods.registry import methods
from alignment.prompts import read_prompts
from alignment.respondent.respondent import Respondent
from alignment.respondent.scoring import Reply
from alignment.steering import Steering
from papi.instruments import DARK_TRIAD

BY_FOLDS = [name for name, method in methods().items() if method.steers and not method.leaky]
TOLD = ("pas-few-shot", "pas-published-cv")  # under the few-shot text; all others under the neutral one
STRENGTHS = (0, 1, 2, 4, 6, 8)
CHANGED = 1  # the fold whose answers are turned round


@dataclass(frozen=True)
class Fitted:
    """What a method asked while it was fitted, what it was answered, and what came of it."""

    asks: list[Ask]
    replies: list[Reply]
    condition: Prompted

    def of_fold(self, fold: int) -> list[Ask]:
        return self.asks[fold * len(STRENGTHS) : (fold + 1) * len(STRENGTHS)]


@pytest.fixture(scope="module")
def benchmark_(release: Path) -> Benchmark:
    """A few subjects; the first has answered everything."""
    found = read_benchmark(release, DARK_TRIAD, "test_population")
    rows = sorted(range(10), key=lambda row: not found.subjects[row].given.all())
    return replace(
        found, subjects=tuple(found.subjects[row] for row in rows), held_out_answers=found.held_out_answers[rows]
    )


@pytest.fixture(scope="module")
def someone() -> Respondent:
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), read_prompts(DARK_TRIAD))


def fitted(name: str, benchmark: Benchmark, someone: Respondent) -> Fitted:
    asks: list[Ask] = []
    replies: list[Reply] = []
    ask = Respondent.ask

    def heard(self: Respondent, asked: Sequence[Ask], adapter: Any = None) -> list[Reply]:
        asks.extend(asked)
        replies.extend(found := ask(self, asked, adapter))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Respondent, "ask", heard)
        condition = methods()[name].fit(benchmark.subjects[0], someone, Context(benchmark, min_mass=0.0))
    assert isinstance(condition, Prompted)
    assert len(asks) == 3 * len(STRENGTHS)
    fold = {questions: number for number, questions in enumerate(dict.fromkeys(each.questions for each in asks))}
    order = sorted(range(len(asks)), key=lambda place: fold[asks[place].questions])  # each fold's unsteered ones first
    return Fitted([asks[place] for place in order], [replies[place] for place in order], condition)


def turned_in(fold: int, benchmark: Benchmark) -> Benchmark:
    """The first subject has answered the items of a fold on the other side; whoever was in the middle now agrees."""
    given = benchmark.subjects[0].given.copy()
    inside = folds_of(benchmark.given) == fold
    given[inside] = np.where(given[inside] == 3, 5, 6 - given[inside])
    return replace(benchmark, subjects=(Subject(benchmark.subjects[0].subject_id, given), *benchmark.subjects[1:]))


@pytest.fixture(scope="module", params=BY_FOLDS)
def both(request: pytest.FixtureRequest, benchmark_: Benchmark, someone: Respondent) -> tuple[str, Fitted, Fitted]:
    """A method, fitted to the subject's answers, and to those turned round in one fold."""
    one, other = (fitted(request.param, each, someone) for each in (benchmark_, turned_in(CHANGED, benchmark_)))
    return request.param, one, other


def vectors(steering: Steering | None) -> np.ndarray:
    if steering is None:
        return np.zeros(0)
    found = steering.residual if steering.heads is None else steering.heads
    assert found is not None
    return found


def same_steering(one: Ask, other: Ask) -> bool:
    found, expected = vectors(one.steering), vectors(other.steering)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_folds_own_answers_change_neither_the_text_nor_the_steering(both: tuple[str, Fitted, Fitted]) -> None:
    _, one, other = both
    for before, after in zip(one.of_fold(CHANGED), other.of_fold(CHANGED), strict=True):
        assert before.questions == after.questions
        assert before.system == after.system
        assert same_steering(before, after)


def test_answers_outside_a_fold_change_the_steering_and_what_is_told(both: tuple[str, Fitted, Fitted]) -> None:
    """The negation: were nothing learnt from the subject, nothing could leak."""
    name, one, other = both
    for fold in {0, 1, 2} - {CHANGED}:
        for number, (before, after) in enumerate(zip(one.of_fold(fold), other.of_fold(fold), strict=True)):
            assert (before.system == after.system) == (name not in TOLD)
            assert same_steering(before, after) == (number == 0)


def test_only_the_few_shot_rows_are_told_the_answers_of_the_other_folds(
    both: tuple[str, Fitted, Fitted], benchmark_: Benchmark, someone: Respondent
) -> None:
    name, one, _ = both
    labels, neutral = someone.wording.labels, someone.texts["system"]
    answers = zip(benchmark_.given, benchmark_.subjects[0].given, strict=True)
    lines = {question.item: f"{question.statement} {labels[answer - 1]}" for question, answer in answers}
    for asked in one.asks:
        inside = {question.item for question in asked.questions}
        told = [line for item, line in lines.items() if item not in inside]
        assert asked.system == (someone.wording.system("few_shot", pairs="\n".join(told)) if name in TOLD else neutral)
    everything = someone.wording.system("few_shot", pairs="\n".join(lines.values()))
    assert one.condition.system == (everything if name in TOLD else neutral)


def test_every_fold_is_asked_at_nothing_and_at_five_strengths(both: tuple[str, Fitted, Fitted]) -> None:
    _, one, _ = both
    for fold in range(3):
        asks = one.of_fold(fold)
        assert len({asked.questions for asked in asks}) == 1
        assert asks[0].steering is None
        for strength, asked in zip(STRENGTHS[1:], asks[1:], strict=True):
            np.testing.assert_allclose(vectors(asked.steering), strength * vectors(asks[1].steering), rtol=1e-5)


@pytest.mark.parametrize("name", ["pas", "pas-few-shot"])
def test_what_is_the_same_for_all_subjects_is_asked_once(
    name: str, benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the neutral text the unsteered answers are; they are the same as asked again."""
    full = next(subject for subject in benchmark_.subjects[1:] if subject.given.all())
    context, ask, asked = Context(benchmark_, min_mass=0.0), Respondent.ask, []
    methods()[name].fit(benchmark_.subjects[0], someone, context)
    monkeypatch.setattr(
        Respondent, "ask", lambda self, asks, adapter=None: asked.extend(asks) or ask(self, asks, adapter)
    )
    second = methods()[name].fit(full, someone, context)
    assert sum(each.steering is None for each in asked) == (0 if name == "pas" else 3)
    assert len(asked) == (15 if name == "pas" else 18)
    alone = methods()[name].fit(full, someone, Context(benchmark_, min_mass=0.0))
    assert isinstance(second, Prompted)
    assert isinstance(alone, Prompted)
    assert second.fit == alone.fit


def test_only_pas_on_top_of_the_answers_leaves_the_shared_prefix_unsteered(both: tuple[str, Fitted, Fitted]) -> None:
    name, one, _ = both
    every = [*(asked.steering for asked in one.asks), one.condition.steering]
    expected = "suffix" if name == "pas-few-shot" else "prompt"
    assert {steering.scope for steering in every if steering is not None} == {expected}


def test_the_errors_of_the_folds_are_those_of_the_median(
    both: tuple[str, Fitted, Fitted], benchmark_: Benchmark
) -> None:
    """Worked out anew from the replies; the most probable options would give others."""
    _, one, _ = both
    answer = dict(zip((q.item for q in benchmark_.given), benchmark_.subjects[0].given, strict=True))
    medians, modes = {}, {}
    for number, strength in enumerate(STRENGTHS):
        asks, replies = one.asks[number :: len(STRENGTHS)], one.replies[number :: len(STRENGTHS)]
        truth = np.array([answer[question.item] for asked in asks for question in asked.questions])
        shares = np.concatenate([reply.probabilities for reply in replies])
        medians[str(strength)] = np.abs((shares.cumsum(axis=1) < 0.5).sum(axis=1) + 1 - truth).mean()
        modes[str(strength)] = np.abs(shares.argmax(axis=1) + 1 - truth).mean()
    assert one.condition.fit["fold_errors"] == pytest.approx(medians, abs=1e-6)
    assert one.condition.fit["fold_errors"] != pytest.approx(modes, abs=1e-2)
