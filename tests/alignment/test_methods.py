"""What every method promises: it fits to the given answers, and to nothing that it must not see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import texts

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.hyperparameters import hyperparameters
from alignment.methods.contract import Condition, Context, Prediction, Prompted
from alignment.methods.prompting import domain_scores, example_order, standing
from alignment.methods.registry import FITS, chosen_methods, methods
from alignment.prompts import LEVEL_CUTS
from alignment.respondent.respondent import Respondent
from papi.errors import SubjectFailed, UsageError
from papi.instruments import IPIP_300

WITH_MODEL = [name for name, method in methods().items() if not method.is_floor]
STEERING = [name for name, method in methods().items() if method.steers]


def fitted(name: str, benchmark: Benchmark, someone: Respondent | None, subject: int = 0) -> Condition:
    few = [f"{name}.steps=3"] if methods()[name].is_trained else []
    context = Context(benchmark, min_mass=0.0, hyperparameters=hyperparameters(few))
    return methods()[name].fit(benchmark.subjects[subject], someone, context)


def same(one: Condition, other: Condition) -> bool:
    if isinstance(one, Prediction) and isinstance(other, Prediction):
        return np.array_equal(one.values, other.values) if one.values is not None else True
    assert isinstance(one, Prompted)
    assert isinstance(other, Prompted)
    steered = _same_steering(one.steering, other.steering) and _same_adapter(one.adapter, other.adapter)
    return one.system == other.system and steered and one.fit == other.fit


def _same_adapter(one: Adapter | None, other: Adapter | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(np.array_equal(one.weights[key], other.weights[key]) for key in one.weights)


def _same_steering(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        (getattr(one, part) is None and getattr(other, part) is None)
        or np.allclose(getattr(one, part), getattr(other, part), atol=1e-5)
        for part in ("heads", "residual")
    )


def with_other_held_out(benchmark: Benchmark, subject: int = 0) -> Benchmark:
    answers = benchmark.held_out_answers.copy()
    answers[subject] = 6 - answers[subject].clip(1)
    return replace(benchmark, held_out_answers=answers)


@pytest.mark.parametrize("name", [name for name in methods() if name != "p2"])
def test_a_subjects_held_out_answers_change_nothing_but_for_the_leaky_method(
    name: str, benchmark_: Benchmark, someone: Respondent
) -> None:
    before, after = (fitted(name, each, someone) for each in (benchmark_, with_other_held_out(benchmark_)))
    if not methods()[name].leaky:
        assert same(before, after)


def test_the_published_choice_of_the_strength_does_look_at_them(benchmark_: Benchmark, someone: Respondent) -> None:
    """The negation: with the answers that one strength gives, that strength is chosen."""
    from alignment.decoding import argmax
    from alignment.methods.published import _accuracies, _steering
    from alignment.methods.strength import STRENGTHS

    context, subject = Context(benchmark_, min_mass=0.0), benchmark_.subjects[0]
    steering = _steering(subject, someone, context, np.arange(len(subject.given)), _accuracies)
    system = fitted("few-shot-120", benchmark_, someone)
    assert isinstance(system, Prompted)
    chosen = set()
    for strength in (0.0, STRENGTHS[-1]):
        (reply,) = someone.ask([Ask(system.system, benchmark_.held_out, steering.times(strength))])
        answers = benchmark_.held_out_answers.copy()
        answers[0] = argmax(reply.probabilities)
        found = fitted("pas-published", replace(benchmark_, held_out_answers=answers), someone)
        assert isinstance(found, Prompted)
        chosen.add(found.fit["alpha"])
    assert len(chosen) == 2


@pytest.mark.parametrize("name", ["trait-levels", "few-shot-120", "few-shot-10", "facet-mean", "ridge", "knn", "dpo"])
def test_other_given_answers_give_another_condition(name: str, benchmark_: Benchmark, someone: Respondent) -> None:
    assert not same(fitted(name, benchmark_, someone, 0), fitted(name, benchmark_, someone, 1))


@pytest.mark.parametrize("name", ["no-change", "average-person"])
def test_the_same_text_for_everybody(name: str, benchmark_: Benchmark, someone: Respondent) -> None:
    assert same(fitted(name, benchmark_, someone, 0), fitted(name, benchmark_, someone, 1))


@pytest.mark.parametrize("name", STEERING)
def test_a_steering_method_points_somewhere_of_its_own_for_each_subject(
    name: str, benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the strength fixed at 1 the conditions of two subjects are steered, and differently."""
    from alignment.methods import published, strength

    monkeypatch.setattr(strength, "choose_strength", lambda tried, min_mass: 1.0)
    monkeypatch.setattr(published, "STRENGTHS", (1.0,))
    first, second = (fitted(name, benchmark_, someone, number) for number in (0, 1))
    assert isinstance(first, Prompted)
    assert isinstance(second, Prompted)
    assert first.steering is not None
    assert not _same_steering(first.steering, second.steering)


def test_cross_validation_never_shows_what_it_asks(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the prompt nor the probes of a fold hold the fold's items."""
    asked: list[Ask] = []
    ask = Respondent.ask
    monkeypatch.setattr(Respondent, "ask", lambda self, asks, *rest: asked.extend(asks) or ask(self, asks, *rest))
    fitted("pas-few-shot", benchmark_, someone)
    assert len(asked) == 3 * 6
    for each in asked:
        assert all(question.statement not in each.system for question in each.questions)
        others = {q.statement for q in benchmark_.given} - {q.statement for q in each.questions}
        assert sum(statement in each.system for statement in others) == 12
    assert {q.item for each in asked for q in each.questions} == {q.item for q in benchmark_.given}


def test_a_folds_own_answers_do_not_move_its_steering(benchmark_: Benchmark, someone: Respondent) -> None:
    from alignment.methods.pas import probe_steering

    context = Context(benchmark_)
    kept = np.flatnonzero(context.folds != 0)
    changed = benchmark_.subjects[0].given.copy()
    changed[context.folds == 0] = 6 - changed[context.folds == 0].clip(1)
    other = replace(
        benchmark_, subjects=(Subject(benchmark_.subjects[0].subject_id, changed), *benchmark_.subjects[1:])
    )
    one, two = (
        probe_steering(each.subjects[0], someone, Context(each), kept, "prompt") for each in (benchmark_, other)
    )
    assert _same_steering(one, two)


def test_examples_are_nested_balanced_and_the_subjects_own(release: Path) -> None:
    benchmark = read_benchmark(release, IPIP_300, "test")
    context = Context(benchmark)
    first, second = (example_order(subject, context) for subject in benchmark.subjects[:2])
    assert sorted(first) == list(np.flatnonzero(benchmark.subjects[0].given))
    assert list(first) != list(second)
    assert list(first) == list(example_order(benchmark.subjects[0], Context(benchmark)))
    assert list(first) != list(example_order(benchmark.subjects[0], Context(benchmark, seed=1)))
    for count in (10, 30, 60):
        cells = [(benchmark.given[item].domain, benchmark.given[item].keyed) for item in first[:count]]
        for cell in set(cells):
            share = sum((q.domain, q.keyed) == cell for q in benchmark.given) / len(benchmark.given)
            assert abs(cells.count(cell) - share * count) <= 1.5


def test_few_shot_tells_the_answers_and_leaves_out_what_is_missing(benchmark_: Benchmark, someone: Respondent) -> None:
    given = benchmark_.subjects[0].given.copy()
    given[3] = 0
    subject = Subject(benchmark_.subjects[0].subject_id, given)
    found = methods()["few-shot-120"].fit(subject, someone, Context(benchmark_))
    assert isinstance(found, Prompted)
    told = found.system.splitlines()[1:-1]
    assert len(told) == 17
    labels = someone.wording.labels
    for question, answer in zip(benchmark_.given, given, strict=True):
        assert (f"{question.statement} {labels[answer - 1]}" in told) == (answer > 0)


def test_levels_are_cut_at_half_and_one_and_a_half(benchmark_: Benchmark, someone: Respondent) -> None:
    context = Context(benchmark_)
    subject = benchmark_.subjects[0]
    level = np.searchsorted(LEVEL_CUTS, standing(subject, context))
    found = methods()["trait-levels"].fit(subject, someone, context)
    assert isinstance(found, Prompted)
    for domain, cut in zip(benchmark_.instrument.domains, level, strict=True):
        assert f"your {domain.title} is {texts()['levels'][cut]}" in found.system


def test_a_score_needs_half_of_the_answers(benchmark_: Benchmark) -> None:
    given = benchmark_.subjects[0].given[None].clip(1).copy()
    given[0, :4] = 0
    scores = domain_scores(given, Context(benchmark_))
    assert np.isnan(scores[0, 0])
    assert not np.isnan(scores[0, 1:]).any()


def test_p2_tells_the_model_what_it_wrote_itself_or_what_a_file_says(
    benchmark_: Benchmark, someone: Respondent
) -> None:
    subject = benchmark_.subjects[0]
    found = methods()["p2"].fit(subject, someone, Context(benchmark_))
    assert isinstance(found, Prompted)
    assert found.fit["description"] in found.system
    given = Context(benchmark_, descriptions={subject.subject_id: "You are kind."})
    told = methods()["p2"].fit(subject, someone, given)
    assert isinstance(told, Prompted)
    assert "You are kind." in told.system
    with pytest.raises(SubjectFailed, match="none of this subject"):
        methods()["p2"].fit(benchmark_.subjects[1], someone, given)


def test_the_table_of_methods_has_a_fit_for_each_and_no_more() -> None:
    assert list(FITS) == list(methods())


def test_methods_are_chosen_by_name() -> None:
    assert [method.name for method in chosen_methods(["ridge", "uniform", "ridge"])] == ["uniform", "ridge"]
    with pytest.raises(UsageError, match="no method is called 'rigde'"):
        chosen_methods(["rigde"])
