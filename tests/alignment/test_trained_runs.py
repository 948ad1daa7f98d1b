"""Runs of trained methods: every seed in one line, adapters kept, other settings refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_settings import lines, settings

from alignment.asking import Ask
from alignment.benchmark import read_benchmark
from alignment.prompts import read_prompts
from alignment.respondent.adapters import load_adapter
from alignment.respondent.loading import load_respondent
from alignment.runs.adapters import adapter_folder
from alignment.runs.folder import read_configuration
from alignment.runs.loop import RunReport, run
from alignment.runs.settings import RunSettings
from alignment.runs.sharing import Share
from papi.errors import UsageError
from papi.instruments import DARK_TRIAD


def trained(release: Path, tiny: Path, **changes: Any) -> RunSettings:
    given = {"methods": ("dpo",), "subjects": 2, "seeds": 2, "replaced": ("dpo.steps=3", "dpo.rank=2")} | changes
    return settings(release, tiny, **given)


def test_a_trained_method_answers_once_a_seed_and_keeps_its_adapters(release: Path, tiny: Path, tmp_path: Path) -> None:
    """What is kept gives the answers that were written down."""
    out = tmp_path / "run"
    given = trained(release, tiny, save_adapters=True, seed=4)
    assert run(given, out, Share()) == RunReport(done=2, before=0, failures=[], complete=True)
    frozen = read_configuration(out)["methods"]["dpo"]["settings"]
    assert frozen["seeds"] == [4, 5]
    assert (frozen["hyperparameters"]["steps"], frozen["hyperparameters"]["rank"]) == (3, 2)
    assert given.model is not None
    someone = load_respondent(given.model, read_prompts(DARK_TRIAD), "forward", Share())
    held_out = read_benchmark(release, DARK_TRIAD, "test").held_out
    for line in lines(out):
        assert line["seeds"] == [4, 5]
        assert line["fit"] == {"seeds": [{"steps": 3}, {"steps": 3}]}
        assert line["probabilities"][0] != line["probabilities"][1]
        for seed, said in zip(line["seeds"], line["probabilities"], strict=True):
            adapter = load_adapter(adapter_folder(out, "dpo", line["subject"], seed))
            (reply,) = someone.ask([Ask(someone.wording.system(), held_out)], adapter)
            assert np.allclose(reply.probabilities, said, atol=1e-6)


def test_other_seeds_or_hyperparameters_are_another_run(release: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(trained(release, tiny), out, Share())
    for change, field in (({"seeds": 3}, "seeds"), ({"replaced": ("dpo.steps=4", "dpo.rank=2")}, "steps")):
        with pytest.raises(UsageError, match=rf"another methods.dpo.settings.*{field}"):
            run(trained(release, tiny, **change), out, Share())
    before = (out / "answers.jsonl").read_bytes()
    content = before.splitlines(keepends=True)
    (out / "answers.jsonl").write_bytes(content[0] + content[1][:100])
    assert run(trained(release, tiny), out, Share()).done == 1
    assert (out / "answers.jsonl").read_bytes() == before


def test_a_training_needs_a_seed(release: Path, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a seed"):
        run(trained(release, tiny, seeds=0), tmp_path / "run", Share())
    with pytest.raises(UsageError, match="no hyperparameter"):
        run(trained(release, tiny, replaced=("dpo.step=1",)), tmp_path / "run", Share())
