"""Numbers that the contract states, against the numbers themselves: a changed constant is a changed protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from outcomes import papi as papi_command
from run_folders import held_out, method, model_line, run_facts, write_run
from sklearn.linear_model import LogisticRegression
from tiny_models import tiny_model, tiny_tokenizer

import papi
from alignment.asking import Ask
from alignment.benchmark import read_benchmark
from alignment.methods import pas, probes, published
from alignment.methods.contract import Context
from alignment.methods.registry import methods
from alignment.model_settings import ModelSettings
from alignment.prompts import read_prompts
from alignment.report.results import measure_rows
from alignment.report.rows import read_rows
from alignment.respondent.respondent import Respondent
from alignment.respondent.scoring import Reply
from alignment.runs.progress import Clock
from alignment.runs.settings import RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from papi.instruments import DARK_TRIAD

STRENGTHS = [0, 1, 2, 4, 6, 8]


@pytest.fixture(scope="module")
def someone() -> Respondent:
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), read_prompts(DARK_TRIAD))


# methods


def test_the_published_probes_learn_from_three_fifths_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    fit = LogisticRegression.fit

    def counted(self: Any, x: Any, y: Any) -> Any:
        rows.append(len(x))
        return fit(self, x, y)

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    random = np.random.default_rng(0)
    states = random.normal(size=(50, 2, 3, 4)).astype(np.float32)
    published._accuracies(states, np.tile([True, False], (50, 1)), random)
    assert rows == [60, 60, 60]  # of 100, for each of three heads


def test_the_published_strength_is_one_of_six_under_the_few_shot_text(
    release: Path, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Ask] = []
    ask = Respondent.ask

    def heard(self: Respondent, asks: Sequence[Ask], adapter: Any = None) -> list[Reply]:
        asked.extend(asks)
        return ask(self, asks, adapter)

    monkeypatch.setattr(Respondent, "ask", heard)
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    methods()["pas-published"].fit(benchmark.subjects[0], someone, Context(benchmark, min_mass=0.0))
    assert all(each.questions == benchmark.held_out for each in asked)
    assert all("These are the answers that you have given" in each.system for each in asked)
    unsteered, *steered = [each.steering for each in asked]
    assert unsteered is None
    assert steered[0] is not None
    assert steered[0].heads is not None
    for strength, steering in zip(STRENGTHS[1:], steered, strict=True):
        assert steering is not None
        assert steering.heads is not None
        assert steering.scope == "prompt"
        np.testing.assert_allclose(steering.heads, strength * steered[0].heads, rtol=1e-5)


def test_heads_whose_probe_foretells_nothing_are_not_steered(release: Path, someone: Respondent) -> None:
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    context, shares = Context(benchmark), []
    states = pas.shared_states(someone, context)
    fitted = probes.fit_ridge_probes(states[:, 0] - states[:, 1])
    for subject in benchmark.subjects[:10]:
        steering = pas.probe_steering(subject, someone, context, np.arange(18), "prompt")
        scores = fitted.scores(*probes.graded(subject.given[None]))[0]
        assert steering.heads is not None
        steered = steering.heads.reshape(len(scores), -1).any(axis=1)
        assert np.array_equal(steered, scores > 0)
        shares.append(steered.mean())
    assert any(0 < share < 1 for share in shares)


# runs


def test_so_many_subjects_are_the_first_of_the_split(release: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ["--config", DARK_TRIAD, "--method", "constant-3", "--subjects", "5"]
    assert papi_command("align", "run", release, *asked, "--out", out) == 0
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert [line["subject"] for line in lines] == papi.load(release, DARK_TRIAD, split="test")["subject_id"].tolist()[
        :5
    ]


def test_a_runs_configuration_holds_what_a_steering_method_chooses_from(release: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model", tmp_path / "run"
    tiny_model("llama", attention="sdpa").save_pretrained(model)
    tiny_tokenizer().save_pretrained(model)
    given = RunSettings(str(release), ("caa",), ModelSettings(str(model)), DARK_TRIAD, subjects=1, min_mass=0.0)
    run(given, out, Share())
    frozen = json.loads((out / "run.json").read_text())
    expected = {"strengths": STRENGTHS, "folds": 3, "most_heads": 24, "probe_penalty": 0.3}
    assert frozen["methods"]["caa"]["settings"] == expected


def test_progress_says_who_is_done_who_is_left_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line every five seconds, and one at the end."""
    times = iter([0.0, 4.9, 9.0, 13.9, 60.0])
    monkeypatch.setattr("alignment.runs.progress.time", SimpleNamespace(perf_counter=lambda: next(times)))
    said: list[str] = []
    clock = Clock("pas", 4, said.append)
    for _ in range(4):
        clock.tick()
    assert said == [
        "pas: 2 of 4 subjects, 2 left, about 0.1 min, 4.50 s a subject",
        "pas: 4 of 4 subjects, 15.00 s a subject",
    ]


def test_a_run_says_its_progress(release: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run(RunSettings(str(release), ("ridge",), config=DARK_TRIAD, subjects=3), tmp_path / "run", Share(), said.append)
    assert re.fullmatch(r"ridge: 3 of 3 subjects, \d+\.\d\d s a subject", said[-1])


# reports


@pytest.mark.parametrize(("of_ninety", "locked"), [(80, False), (81, True)])
def test_an_option_is_locked_from_nine_tenths_on(tmp_path: Path, of_ninety: int, locked: bool) -> None:
    items = held_out(DARK_TRIAD)
    options = np.where(np.arange(90) < of_ninety, 4, 2).reshape(10, 9)
    answers = [
        model_line("no-change", f"sd3-{number}", items, [3] * 9, np.eye(5)[row - 1])
        for number, row in enumerate(options)
    ]
    folder = write_run(tmp_path / "run", run_facts({"no-change": method()}, subjects=10), answers)
    found = measure_rows(read_rows([folder])).document["methods"]["no-change"]["option_lock"]
    expected = {"option": 4, "share": pytest.approx(of_ninety / 90, abs=1e-6), "locked": locked}
    assert {name: found[name] for name in expected} == expected
