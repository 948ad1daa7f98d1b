"""Runs of trained methods: every seed in one line, adapters kept, other settings refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_settings import lines, settings

from alignment.asking import Ask
from alignment.benchmark import read_benchmark
from alignment.methods.contract import Context
from alignment.prompts import read_prompts
from alignment.respondent.adapters import load_adapter
from alignment.respondent.loading import load_respondent
from alignment.runs.adapters import AdapterShelf
from alignment.runs.answering import Answering
from alignment.runs.configuration_file import read_configuration
from alignment.runs.folder import opened
from alignment.runs.loop import RunReport
from alignment.runs.settings import RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
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
    context = Context(read_benchmark(release, DARK_TRIAD, "test"))
    held_out, shelf = context.benchmark.held_out, AdapterShelf(out, context, str(tiny))
    for line in lines(out):
        subject = context.benchmark.subjects[context.positions[line["subject"]]]
        assert line["seeds"] == [4, 5]
        assert line["fit"] == {"seeds": [{"steps": 3}, {"steps": 3}]}
        assert line["probabilities"][0] != line["probabilities"][1]
        for seed, said in zip(line["seeds"], line["probabilities"], strict=True):
            adapter = load_adapter(shelf.folder("dpo", subject, seed))
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
    with pytest.raises(UsageError, match="--set is for ppo"):
        run(trained(release, tiny, replaced=("ppo.kl=0.2",)), tmp_path / "run", Share())
    with pytest.raises(UsageError, match="is for methods that are trained"):
        run(settings(release, tiny, save_adapters=True), tmp_path / "run", Share())
    with pytest.raises(UsageError, match=r"(?s)--set is for ppo, which is not run.*got +ppo.kl=9.*add --method ppo"):
        run(trained(release, tiny, replaced=("dpo.rank=2", "ppo.kl=9")), tmp_path / "run", Share())
    assert not (tmp_path / "run").exists()


def test_adapters_of_a_run_without_them_are_said_to_be_gone(release: Path, tiny: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "run", list[str]()
    run(trained(release, tiny), out, Share())
    again = run(trained(release, tiny, save_adapters=True), out, Share(), said.append)
    assert (again.done, again.before) == (0, 2)
    assert any("dpo: 2 subjects were done before and have no adapter kept" in each for each in said)
    said.clear()
    run(trained(release, tiny, save_adapters=True, subjects=3), tmp_path / "kept", Share())
    run(trained(release, tiny, save_adapters=True, subjects=3), tmp_path / "kept", Share(), said.append)
    assert not any("no adapter kept" in each for each in said)


def test_adapters_of_a_run_that_led_to_nothing_are_not_those_of_the_next(
    release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is killed before its first line; in its folder one of another rank begins."""
    out = tmp_path / "run"
    few: dict[str, Any] = {"methods": ("prompt-morl",), "save_adapters": True, "subjects": 1, "seeds": 1}
    with monkeypatch.context() as patch:
        patch.setattr(Answering, "line", kept_then_killed(Answering.line))
        with pytest.raises(KeyboardInterrupt):
            run(trained(release, tiny, replaced=("prompt-morl.steps=1", "prompt-morl.rank=2"), **few), out, Share())
    assert [load_adapter(path.parent).rank for path in out.glob("adapters/**/adapter_config.json")] == [2]
    run(trained(release, tiny, replaced=("prompt-morl.steps=1", "prompt-morl.rank=4"), **few), out, Share())
    assert [load_adapter(path.parent).rank for path in out.glob("adapters/**/adapter_config.json")] == [4]
    assert not list(out.glob("adapters/**/.*"))


def test_another_process_of_the_same_run_leaves_the_adapters_that_are_there(
    release: Path, tiny: Path, tmp_path: Path
) -> None:
    """One that starts later, when the first has kept an adapter and written no line yet."""
    out = tmp_path / "run"
    given = trained(release, tiny, save_adapters=True, subjects=1, seeds=1)
    run(given, out, Share())
    (kept,) = out.glob("adapters/**/adapter_config.json")
    for name in ("answers", "costs", "failures"):
        (out / f"{name}.jsonl").unlink()
    with opened(out, 1, read_configuration(out)):
        assert kept.exists()


def kept_then_killed(line: Any) -> Any:
    def killed(*given: Any) -> Any:
        line(*given)
        raise KeyboardInterrupt

    return killed


def test_what_all_subjects_share_is_kept_once(release: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    small = ("prompt-morl.steps=1", "prompt-morl.rank=2")
    given = trained(release, tiny, methods=("prompt-morl",), replaced=small, save_adapters=True, subjects=12, seeds=1)
    assert run(given, out, Share()).done == 12
    context = Context(read_benchmark(release, DARK_TRIAD, "test"))
    groups = {context.reference(subject).name for subject in context.benchmark.subjects[:12]}
    kept = {path.parent.relative_to(out / "adapters").as_posix() for path in out.glob("adapters/**/*.json")}
    assert kept == {f"prompt-morl/{group.replace(' ', '-')}/0" for group in groups}
    assert len(kept) < 12
