"""The benchmark, its folds, its prompts and its floors."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import papi
from alignment.benchmark import Benchmark, read_benchmark
from alignment.folds import folds_of
from alignment.methods.contract import Context, Prediction
from alignment.methods.registry import methods
from alignment.prompts import prompts_for, read_prompts
from alignment.questions import Question
from papi.errors import InputRejected, PapiError, UsageError
from papi.floors import as_matrix, rounded, summed_error
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300

SIZES = {IPIP_300: (120, 180), DARK_TRIAD: (18, 9)}


@pytest.fixture(scope="module", params=SIZES)
def benchmark_of(request: pytest.FixtureRequest, release: Path) -> Benchmark:
    return read_benchmark(release, request.param, "test")


def test_given_and_held_out_are_those_of_the_release(benchmark_of: Benchmark, release: Path) -> None:
    b = benchmark_of
    assert (len(b.given), len(b.held_out)) == SIZES[b.config]
    for subject, row, known in zip(
        b.subjects, b.held_out_answers, papi.subjects(release, "test", b.config), strict=True
    ):
        assert subject.subject_id == known.subject_id
        assert subject.given.tolist() == [item.response or 0 for item in known.given]
        assert row.tolist() == [item.response or 0 for item in known.held_out]
    assert not {question.item for question in b.given} & {question.item for question in b.held_out}


def test_published_labels_turn_what_is_keyed_minus_and_answered(release: Path) -> None:
    plain, published = (read_benchmark(release, IPIP_300, "test", labels) for labels in ("responses", "published"))
    keyed = np.array([question.keyed for question in plain.held_out])
    answers = plain.held_out_answers
    turned = np.where((keyed < 0) & (answers > 0), 6 - answers, answers)
    assert (published.held_out_answers == turned).all()
    assert (published.held_out_answers != answers).any()


def test_people_who_are_learnt_from_are_nobody_who_is_asked(benchmark_of: Benchmark, release: Path) -> None:
    given, held_out = benchmark_of.dev
    dev = papi.load(release, benchmark_of.config, split="dev")
    assert len(given) == len(held_out) == len(dev)
    assert not set(dev["subject_id"]) & {subject.subject_id for subject in benchmark_of.subjects}


@pytest.mark.parametrize(
    ("config", "split", "labels", "said"),
    [
        (IPIP_120, "test", "responses", "no held-out items"),
        (IPIP_300, "dev", "responses", "learn from"),
        (IPIP_300, "test", "stored", "labels"),
        (IPIP_300, "validation", "responses", "no split"),
    ],
)
def test_what_is_no_benchmark_is_refused(release: Path, config: str, split: str, labels: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_benchmark(release, config, split, labels)


def test_three_folds_are_balanced_by_domain_and_key(benchmark_of: Benchmark) -> None:
    folds = folds_of(benchmark_of.given)
    cells = Counter((q.domain, q.keyed, int(fold)) for q, fold in zip(benchmark_of.given, folds, strict=True))
    for domain in {q.domain for q in benchmark_of.given}:
        sizes = [sum(cells[domain, keyed, fold] for keyed in (1, -1)) for fold in range(3)]
        assert max(sizes) - min(sizes) == 0
        for keyed in (1, -1):
            parts = [cells[domain, keyed, fold] for fold in range(3)]
            assert max(parts) - min(parts) <= 1


QUESTION = Question("i1", "Lie awake.", "You lie awake.", "N", "N1", 1)


def test_the_letters_stand_for_the_responses_in_the_order_of_the_options() -> None:
    texts = read_prompts(IPIP_300)
    forward, backward = prompts_for(texts, "forward"), prompts_for(texts, "reversed")
    assert "(A) Very Accurate\n(B) Moderately Accurate" in forward.question(QUESTION)
    assert "(A) Very Inaccurate\n(B) Moderately Inaccurate" in backward.question(QUESTION)
    assert (forward.responses, backward.responses) == ((5, 4, 3, 2, 1), (1, 2, 3, 4, 5))
    assert (forward.probed, backward.probed) == (("Option (A", "Option (E"), ("Option (E", "Option (A"))
    assert forward.pairs([QUESTION, QUESTION], [1, 5]).splitlines() == [
        "You lie awake. Very Inaccurate",
        "You lie awake. Very Accurate",
    ]


def test_each_instrument_has_its_own_options() -> None:
    assert "Agree strongly" in prompts_for(read_prompts(DARK_TRIAD), "forward").question(QUESTION)


def test_levels_are_told_by_trait() -> None:
    told = prompts_for(read_prompts(IPIP_300), "forward").trait_levels([("Neuroticism", 0), ("Openness", 4)])
    assert "your Neuroticism is very low" in told
    assert "your Openness is very high" in told


def test_a_file_replaces_texts_and_leaves_the_others(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    lines = ['system = "Hello."', 'item_when_asked = "lower case"', 'question = "{item}? {options}"', "[dark-triad]"]
    own.write_text("\n".join([*lines, 'system = "Hi."']))
    texts = read_prompts(IPIP_300, own)
    assert prompts_for(texts, "forward").question(QUESTION).startswith("lie awake.?")
    assert texts["system"] == "Hello."
    assert read_prompts(DARK_TRIAD, own)["system"] == "Hi."
    assert texts["few_shot"] == read_prompts(IPIP_300)["few_shot"]


def test_the_published_prompts_can_be_used(real_data: Path) -> None:
    texts = read_prompts(IPIP_300, real_data / "published" / "paper_prompts.json")
    asked = prompts_for(texts, "forward").question(QUESTION)
    assert asked.startswith('Given a statement of you: "You lie awake..')
    with pytest.raises(InputRejected, match="turned round"):
        prompts_for(texts, "reversed")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"sistem": "x"}, "one of system"),
        ({"system": 3}, "a text"),
        ({"question": "{options}"}, "{statement} or {item} in the text"),
        ({"few_shot": "{pears}"}, "only {pairs}"),
        ({"labels": ["a", "b"]}, "a list of 5 texts"),
        ({"few_shot": "{pairs"}, "closed"),
        ({"dark-triad": {"pair": "{label}"}}, "dark-triad.pair"),
    ],
)
def test_a_faulty_file_of_prompts_is_refused_with_its_places(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputRejected) as refused:
        read_prompts(IPIP_300, path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", ["{", "[1, 2]", "system = "])
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / ("p.toml" if "=" in content else "p.json")
    path.write_text(content)
    with pytest.raises(PapiError, match="cannot be read"):
        read_prompts(IPIP_300, path)


def floor_error(name: str, benchmark: Benchmark, *, whole: bool = False) -> float:
    context, truth = Context(benchmark), as_matrix(benchmark.held_out_answers)
    found = [methods()[name].fit(subject, None, context) for subject in benchmark.subjects]
    values = np.stack([each.values for each in found if isinstance(each, Prediction) and each.values is not None])
    return summed_error(rounded(values) if whole else values, truth, [q.domain for q in benchmark.held_out])


# Sums over the five domains, measured apart from this project's code (value, rounded); None: not stated.
PUBLISHED_FLOORS = {
    ("constant-5", "published"): (8.28, 8.28),
    ("constant-5", "responses"): (9.54, 9.54),
    ("constant-4", "published"): (4.01, 4.01),
    ("constant-4", "responses"): (5.00, 5.00),
    ("constant-3", "published"): (3.84, 3.84),
    ("constant-3", "responses"): (3.84, 3.84),
    ("item-median", "published"): (2.87, None),
    ("item-median", "responses"): (2.87, None),
    ("facet-mean", "published"): (2.88, 2.71),
    ("facet-mean", "responses"): (2.88, 2.71),
    ("ridge", "published"): (2.33, 1.99),
    ("ridge", "responses"): (2.33, 1.99),
}


@pytest.mark.parametrize(("name", "labels"), PUBLISHED_FLOORS)
def test_the_floors_of_the_published_people_are_reached(published_release: Path, name: str, labels: Any) -> None:
    benchmark = read_benchmark(published_release, IPIP_300, "test", labels)
    assert len(benchmark.subjects) == 200
    assert len(benchmark.dev[0]) == 0
    within = 0.01 if name.startswith("constant") else 0.03
    for expected, whole in zip(PUBLISHED_FLOORS[name, labels], (False, True), strict=True):
        if expected is not None:
            assert floor_error(name, benchmark, whole=whole) == pytest.approx(expected, abs=within)


def test_the_uniform_floor_knows_nothing(release: Path) -> None:
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    found = methods()["uniform"].fit(benchmark.subjects[0], None, Context(benchmark))
    assert isinstance(found, Prediction)
    assert found.probabilities is not None
    assert (found.probabilities == 0.2).all()


@pytest.mark.parametrize("name", ["item-median", "knn", "ridge", "facet-mean"])
def test_floors_learn_something(release: Path, name: str) -> None:
    benchmark = read_benchmark(release, DARK_TRIAD, "test_population")
    assert floor_error(name, benchmark) < floor_error("constant-3", benchmark)


def test_a_users_options_do_not_replace_those_of_one_instrument(tmp_path: Path) -> None:
    """The paper's file asks how accurate a statement is: with its labels the Dark Triad would tell two forms apart."""
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"labels": list("vwxyz"), "system": "Answer."}))
    assert read_prompts(IPIP_300, path)["labels"] == list("vwxyz")
    found = read_prompts(DARK_TRIAD, path)
    assert (found["system"], found["labels"]) == ("Answer.", read_prompts(DARK_TRIAD)["labels"])
    path.write_text(json.dumps({DARK_TRIAD: {"labels": list("vwxyz")}}))
    assert read_prompts(DARK_TRIAD, path)["labels"] == list("vwxyz")
