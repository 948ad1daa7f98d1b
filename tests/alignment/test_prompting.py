"""What the methods that only prompt tell the model, to the letter."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import texts, tiny_model, tiny_tokenizer

from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.methods.contract import Context, Prompted
from alignment.methods.registry import methods
from alignment.prompts import read_prompts
from alignment.respondent.respondent import Respondent
from papi.instruments import DARK_TRIAD, IPIP_300

LINE = "{statement} {label}"


def respondent(config: str) -> Respondent:
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), read_prompts(config))


def fitted(name: str, benchmark: Benchmark, someone: Respondent) -> Prompted:
    found = methods()[name].fit(benchmark.subjects[0], someone, Context(benchmark))
    assert isinstance(found, Prompted)
    return found


def test_few_shot_tells_as_many_answers_as_its_name_says_and_the_fewer_are_among_the_more(release: Path) -> None:
    benchmark, someone = read_benchmark(release, IPIP_300, "test"), respondent(IPIP_300)
    labels, given = someone.wording.labels, np.arange(120) % 5 + 1
    subject = Subject(benchmark.subjects[0].subject_id, given.astype(np.int8))
    benchmark = replace(benchmark, subjects=(subject, *benchmark.subjects[1:]))
    every = {
        LINE.format(statement=question.statement, label=labels[answer - 1])
        for question, answer in zip(benchmark.given, given, strict=True)
    }
    assert len(every) == 120
    fewer: set[str] = set()
    for count in (10, 30, 60, 120):
        _, *told, _ = fitted(f"few-shot-{count}", benchmark, someone).system.splitlines()
        assert len(told) == len(set(told)) == count
        assert fewer < set(told) <= every
        fewer = set(told)


def test_the_average_person_is_told_to_be_one(release: Path) -> None:
    benchmark, someone = read_benchmark(release, DARK_TRIAD, "test"), respondent(DARK_TRIAD)
    assert fitted("average-person", benchmark, someone).system == texts()["average_person"]
    assert fitted("no-change", benchmark, someone).system == texts()["system"]
    assert "an average person" in texts()["average_person"]
    assert "average" not in texts()["system"]


# Sixths of a point that a subject's score lies above the mean of other people, and where that is in their standard
# deviations: just under and just over each cut.
LEVELS = [
    (-8, -1.51, "very low"),
    (-8, -1.49, "low"),
    (-2, -0.51, "low"),
    (-2, -0.49, "average"),
    (2, 0.49, "average"),
    (2, 0.51, "high"),
    (8, 1.49, "high"),
    (8, 1.51, "very high"),
]


@pytest.mark.parametrize(("sixths", "deviations", "word"), LEVELS)
def test_levels_are_cut_at_half_and_one_and_a_half_standard_deviations_of_dev(
    release: Path, monkeypatch: pytest.MonkeyPatch, sixths: int, deviations: float, word: str
) -> None:
    """In dev as many people are at 2 as at 4, in every score, and the rest in the middle."""
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    against = benchmark.against(benchmark.given)
    side = round(500 * (sixths / 6 / deviations) ** 2)
    people = np.repeat([2, 4, 3], [side, side, 1000 - 2 * side]).astype(np.int8)
    monkeypatch.setattr(Benchmark, "dev", (answers_of(people[:, None], against), np.full((1000, 9), 3, np.int8)))
    own = np.empty(18, dtype=np.int8)
    for name in {question.domain for question in benchmark.given}:
        items = [place for place, question in enumerate(benchmark.given) if question.domain == name]
        own[items] = 3 + np.sign(sixths) * (abs(sixths) // 6 + (np.arange(6) < abs(sixths) % 6))
    subject = Subject(benchmark.subjects[0].subject_id, answers_of(own, against))
    asked = replace(benchmark, subjects=(subject, *benchmark.subjects[1:]))
    found = fitted("trait-levels", asked, respondent(DARK_TRIAD)).system
    for domain in benchmark.instrument.domains:
        assert f"your {domain.title} is {word}" in found.replace(".", ",").split(",\n")


def answers_of(scores: np.ndarray, against: np.ndarray) -> np.ndarray:
    return np.where(against, 6 - scores, scores).astype(np.int8)


def test_p2_lets_the_model_write_four_hundred_tokens_at_most(release: Path) -> None:
    """The model never ends by itself: no token means the end to it."""
    benchmark, someone = read_benchmark(release, DARK_TRIAD, "test"), respondent(DARK_TRIAD)
    someone.model = copy.deepcopy(someone.model)
    someone.model.generation_config.eos_token_id = None
    someone.tokenizer = copy.deepcopy(someone.tokenizer)
    someone.tokenizer.eos_token = None
    labels = someone.wording.labels
    told = [
        LINE.format(statement=question.statement, label=labels[answer - 1])
        for question, answer in zip(benchmark.given, benchmark.subjects[0].given, strict=True)
        if answer
    ]
    request = someone.chat.request(someone.texts["describe"].format(pairs="\n".join(told)))
    fitted("p2", benchmark, someone)
    assert someone.tokens == len(request) + 400


def test_what_the_model_writes_is_the_most_probable_token_each_time() -> None:
    someone = respondent(DARK_TRIAD)
    tokens = list(someone.chat.request("Describe somebody."))
    start = len(tokens)
    with torch.inference_mode():
        for _ in range(20):
            tokens.append(int(someone.model(torch.tensor([tokens])).logits[0, -1].argmax()))
    expected = someone.tokenizer.decode(tokens[start:], skip_special_tokens=True).strip()
    assert someone.write("Describe somebody.", 20) == expected
