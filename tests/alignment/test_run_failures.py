"""Subjects and methods without a result: recorded, left out, tried again, never lost."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from run_settings import lines, settings
from tiny_models import tiny_model, tiny_tokenizer

from alignment.benchmark import read_benchmark
from alignment.respondent.respondent import Respondent
from alignment.runs.folder import FAILURES
from alignment.runs.start import run
from alignment.sharing import Share
from papi.instruments import DARK_TRIAD


def test_a_subject_that_fails_is_recorded_left_out_and_tried_again_on_demand(
    whole: Path, release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    out, said = tmp_path / "run", []
    ask, count = Respondent.ask, []

    def failing(self: Respondent, asks: Any, adapter: Any = None) -> Any:
        count.append(1)
        if len(count) == 2:
            raise RuntimeError("the second one is too much")
        return ask(self, asks, adapter)

    monkeypatch.setattr(Respondent, "ask", failing)
    report = run(settings(release, tiny), out, Share(), said.append)
    assert [line["reason"] for line in report.failures] == ["RuntimeError: the second one is too much"]
    assert any("failed and is left out" in text for text in said)
    assert len(lines(out)) == 17
    again = run(settings(release, tiny), out, Share())
    assert (again.done, len(again.failures)) == (0, 1)
    others = run(settings(release, tiny, retry_failed=True, methods=("item-median",)), out, Share())
    assert (others.done, len(lines(out, FAILURES))) == (0, 1)  # the method that failed was not asked for
    retried = run(settings(release, tiny, retry_failed=True), out, Share())
    assert (retried.done, retried.failures) == (1, [])
    assert (out / "answers.jsonl").read_bytes() == (whole / "answers.jsonl").read_bytes()
    assert lines(out, FAILURES) == []


def test_too_little_mass_on_the_letters_is_no_result(release: Path, tiny: Path, tmp_path: Path) -> None:
    """The method is given up after three subjects, the others go on, and a re-run spends nothing on it."""
    given, out = settings(release, tiny, methods=("no-change", "item-median"), min_mass=0.5), tmp_path / "run"
    first = run(given, out, Share())
    assert list(first.hopeless) == ["no-change"]
    assert "of the probability is on the five letters" in first.hopeless["no-change"]
    assert (first.done, first.complete, len(lines(out, FAILURES))) == (6, False, 3)
    assert {line["method"] for line in lines(out)} == {"item-median"}
    again = run(given, out, Share())
    assert (again.done, list(again.hopeless), len(lines(out, FAILURES))) == (0, ["no-change"], 3)


def test_trying_again_loses_no_failure(release: Path, tiny: Path, tmp_path: Path) -> None:
    """What failed once more, and what was not come to, stays recorded; so it does where a method has other answers."""
    out, texts = tmp_path / "run", tmp_path / "texts.json"
    subjects = read_benchmark(release, DARK_TRIAD, "test").subjects[:6]
    texts.write_text(json.dumps({subjects[4].subject_id: "You are calm."}))
    given = {"methods": ("p2", "no-change"), "descriptions": texts}
    first = run(settings(release, tiny, **given), out, Share())
    assert (first.done, len(first.failures), first.hopeless) == (7, 5, {})
    again = run(settings(release, tiny, retry_failed=True, **given), out, Share())
    assert (again.done, len(again.failures), again.complete) == (0, 5, True)
    assert len(lines(out, FAILURES)) == 5


def test_a_hopeless_method_keeps_its_failures_when_tried_again(release: Path, tiny: Path, tmp_path: Path) -> None:
    given, out = {"methods": ("no-change",), "min_mass": 0.5}, tmp_path / "run"
    run(settings(release, tiny, **given), out, Share())
    reasons = [line["subject"] for line in lines(out, FAILURES)]
    again = run(settings(release, tiny, retry_failed=True, subjects=2, **given), out, Share())
    assert list(again.hopeless) == ["no-change"]
    assert [line["subject"] for line in lines(out, FAILURES)] == reasons


def test_a_prompt_beyond_the_models_places_is_no_result(release: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    model = copy.deepcopy(tiny_model("llama", attention="sdpa"))
    model.config.max_position_embeddings = 400
    model.save_pretrained(small)
    tiny_tokenizer().save_pretrained(small)
    report = run(settings(release, small, methods=("few-shot-120", "no-change")), tmp_path / "run", Share())
    assert (report.done, list(report.hopeless)) == (6, ["few-shot-120"])
    assert "the model has places for 400" in report.hopeless["few-shot-120"]
