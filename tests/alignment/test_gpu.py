"""On an accelerator: the same answers as on the CPU, trainings that repeat themselves, memory of each method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from run_settings import lines, settings
from tiny_models import questions, texts

from alignment.asking import Ask
from alignment.model_settings import ModelSettings
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.start import run
from alignment.sharing import Share
from alignment.steering import Steering

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no accelerator")]
SMALL = tuple(f"{name}.{key}" for name in ("dpo", "ppo") for key in ("steps=3", "rank=2"))


def respondent(tiny: Path, **how: str) -> Respondent:
    return load_respondent(ModelSettings(str(tiny), **how), texts(), "forward", Share())


def test_answers_are_those_of_the_cpu(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = respondent(tiny, dtype="float32")
    assert there.scorer.device.type == "cuda"
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        here = respondent(tiny, dtype="float32")
    assert here.scorer.device.type == "cpu"
    heads = np.random.default_rng(0).normal(0, 0.3, here.scorer.parts.shape("heads")).astype(np.float32)
    asks = [Ask("You.", questions(4)), Ask("You.", questions(4), Steering(heads=heads))]
    for one, other in zip(here.ask(asks), there.ask(asks), strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-3)


@pytest.mark.parametrize("quantize", [None, "nf4"])
def test_a_training_repeats_itself_and_its_memory_is_its_own(
    release: Path, tiny: Path, tmp_path: Path, quantize: str | None
) -> None:
    model = ModelSettings(str(tiny), quantize=quantize)
    given = settings(release, tiny, methods=("no-change", "dpo", "ppo"), subjects=1, seeds=1, replaced=SMALL)
    given = replace(given, model=model)
    for name in ("one", "two"):
        run(given, tmp_path / name, Share())
    assert [line["probabilities"] for line in lines(tmp_path / "one")] == [
        line["probabilities"] for line in lines(tmp_path / "two")
    ]
    memory = {line["method"]: line["memory"] for line in lines(tmp_path / "one", "costs")}
    assert 0 < memory["no-change"] < memory["dpo"]
