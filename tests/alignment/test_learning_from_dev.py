"""With 1,000 people in dev, whatever is learnt from people is learnt from them, and from nobody who is asked."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_models import tiny_model, tiny_tokenizer

import papi
from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.hyperparameters import hyperparameters
from alignment.methods import strength
from alignment.methods.contract import Context, Prediction, Prompted
from alignment.methods.registry import methods
from alignment.prompts import read_prompts
from alignment.questions import Question
from alignment.respondent.respondent import Respondent
from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import DARK_TRIAD

FROM_PEOPLE = ("item-median", "knn", "ridge", "trait-levels", "trait-vectors", "prompt-morl", "soups")
SHORT = [
    f"{name}.{key}" for name in ("prompt-morl", "soups") for key in ("steps=2", "rank=2", "people=20", "warm_up=0")
]


@pytest.fixture(scope="module")
def large_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with so many people that over 1,000 are in dev."""
    folder = tmp_path_factory.mktemp("large")
    simulate(folder / "raw", {DARK_TRIAD: 1300}, 7)
    build_release(folder / "raw", folder / "release", BuildOptions(only=(DARK_TRIAD,), figures=False))
    return folder / "release"


@pytest.fixture(scope="module")
def benchmark_(large_release: Path) -> Benchmark:
    return read_benchmark(large_release, DARK_TRIAD, "test")


@pytest.fixture(scope="module")
def someone() -> Respondent:
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), read_prompts(DARK_TRIAD))


def turned(answers: np.ndarray) -> np.ndarray:
    return np.where(answers > 0, 6 - answers, 0).astype(np.int8)


def with_others_turned(benchmark: Benchmark) -> Benchmark:
    """Everybody's held-out answers are other ones, and so are the given answers of all but the first subject."""
    first, *others = benchmark.subjects
    return replace(
        benchmark,
        subjects=(first, *(Subject(each.subject_id, turned(each.given)) for each in others)),
        held_out_answers=turned(benchmark.held_out_answers),
    )


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts under which states are read; in place of 200 long forwards the states are drawn from the text."""
    texts: list[str] = []

    def drawn(self: Respondent, system: str, questions: Sequence[Question]) -> np.ndarray:
        texts.append(system)
        shape = (len(questions), *self.scorer.parts.shape("heads"))
        return np.random.default_rng(zlib.crc32(system.encode())).normal(size=shape).astype(np.float32)

    monkeypatch.setattr(Respondent, "states_before", drawn)
    monkeypatch.setattr(strength, "choose_strength", lambda tried, min_mass: 1.0)
    return texts


def learnt(name: str, benchmark: Benchmark, someone: Respondent) -> tuple[str, np.ndarray]:
    """The text, and the values, the steering or the adapter, for the first subject."""
    context = Context(benchmark, hyperparameters=hyperparameters(SHORT))
    found = methods()[name].fit(benchmark.subjects[0], someone, context)
    if isinstance(found, Prediction):
        assert found.values is not None
        return "", found.values
    assert isinstance(found, Prompted)
    if found.adapter is not None:
        return found.system, np.concatenate([each.ravel() for each in found.adapter.weights.values()])
    heads = None if found.steering is None else found.steering.heads
    return found.system, np.zeros(0) if heads is None else heads


def same(one: tuple[str, np.ndarray], other: tuple[str, np.ndarray]) -> bool:
    return one[0] == other[0] and np.allclose(one[1], other[1], rtol=1e-5, atol=1e-7)


def test_the_people_of_dev_are_the_reference_of_every_subject(benchmark_: Benchmark, large_release: Path) -> None:
    dev = papi.load(large_release, DARK_TRIAD, split="dev")
    given, held_out = (
        dev[[question.item for question in part]].fillna(0).to_numpy(dtype=np.int8)
        for part in (benchmark_.given, benchmark_.held_out)
    )
    for benchmark in (benchmark_, with_others_turned(benchmark_)):
        context = Context(benchmark)
        for subject in (benchmark.subjects[0], benchmark.subjects[-1]):
            found = context.reference(subject)
            assert found.name == "dev"
            assert np.array_equal(found.given, given)
            assert np.array_equal(found.held_out, held_out)


def test_a_run_says_that_dev_was_learnt_from_and_how_many_they_were(benchmark_: Benchmark) -> None:
    assert len(benchmark_.dev[0]) == 1053
    assert Context(benchmark_).learns_from == "dev, 1,053 people"


@pytest.mark.parametrize(
    ("people", "said"), [(1000, "dev, 1,000 people"), (999, "other test subjects, cross-fitted, 117 people")]
)
def test_dev_needs_a_thousand_people(
    benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch, people: int, said: str
) -> None:
    given, held_out = benchmark_.dev
    monkeypatch.setattr(Benchmark, "dev", (given[:people], held_out[:people]))
    context = Context(replace(benchmark_))
    assert context.learns_from == said
    assert (context.reference(benchmark_.subjects[0]).name == "dev") == (people == 1000)


def test_these_methods_learn_from_people() -> None:
    assert tuple(name for name, method in methods().items() if method.sees_dev) == FROM_PEOPLE


@pytest.mark.parametrize("name", FROM_PEOPLE)
def test_what_the_people_who_are_asked_answered_changes_nothing(
    name: str, benchmark_: Benchmark, someone: Respondent, told: list[str]
) -> None:
    others = with_others_turned(benchmark_)
    assert same(learnt(name, benchmark_, someone), learnt(name, others, someone))


@pytest.mark.parametrize("name", FROM_PEOPLE)
def test_what_the_people_of_dev_answered_changes_what_is_learnt(
    name: str, benchmark_: Benchmark, someone: Respondent, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = learnt(name, benchmark_, someone)
    given, held_out = benchmark_.dev
    monkeypatch.setattr(Benchmark, "dev", (turned(given), turned(held_out)))
    assert not same(before, learnt(name, replace(benchmark_), someone))


def test_trait_vectors_are_learnt_from_the_answers_of_two_hundred_people_of_dev(
    benchmark_: Benchmark, someone: Respondent, told: list[str]
) -> None:
    learnt("trait-vectors", benchmark_, someone)
    people = {
        someone.wording.system("few_shot", pairs=pairs(given, benchmark_, someone)) for given in benchmark_.dev[0]
    }
    neutral, *texts = told
    assert neutral == someone.texts["system"]
    assert len(set(texts)) == len(texts) == 200
    assert set(texts) <= people


def pairs(given: np.ndarray, benchmark: Benchmark, someone: Respondent) -> str:
    """The answers of a person as text, each statement with the words of the answer."""
    labels = someone.wording.labels
    told = zip(benchmark.given, given, strict=True)
    return "\n".join(f"{question.statement} {labels[answer - 1]}" for question, answer in told if answer)
