"""What a run refuses, by name and before anything is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from run_settings import settings
from tiny_models import tiny_model, tiny_tokenizer

from alignment.model_settings import ModelSettings
from alignment.runs import configuration
from alignment.runs.configuration_file import read_configuration
from alignment.runs.folder import opened
from alignment.runs.settings import UNTRAINED
from alignment.runs.start import run
from alignment.sharing import Share
from papi.errors import Busy, InputRejected, MissingFile, ReleaseRejected, RemoteFailed, UsageError
from papi.instruments import DARK_TRIAD


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seed": 3}, "seed"),
        ({"labels": "published"}, "labels"),
        ({"option_order": "both"}, "option_order"),
        ({"min_mass": 0.1}, "min_mass"),
        ({"split": "test_population"}, "split"),
    ],
)
def test_another_setting_is_refused_by_name(
    whole: Path, release: Path, tiny: Path, change: dict[str, Any], field: str
) -> None:
    before = (whole / "run.json").read_bytes()
    with pytest.raises(UsageError, match=f"another {field}"):
        run(settings(release, tiny, **change), whole, Share())
    assert (whole / "run.json").read_bytes() == before


def test_another_model_prompt_or_release_is_refused_by_name(
    whole: Path, release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "model"
    tiny_model("qwen3").save_pretrained(other)
    tiny_tokenizer().save_pretrained(other)
    with pytest.raises(UsageError, match=r"another model\.name"):
        run(settings(release, other), whole, Share())
    prompts = tmp_path / "prompts.toml"
    prompts.write_text('system = "Another text."')
    with pytest.raises(UsageError, match=r"another prompts\.system"):
        run(settings(release, tiny, prompts=prompts), whole, Share())
    from alignment.methods import probes

    run(settings(release, None, methods=("constant-1",)), tmp_path / "floors", Share())
    frozen = json.loads((tmp_path / "floors" / "run.json").read_text())
    frozen["release"]["manifest_sha256"] = "0" * 64
    (tmp_path / "floors" / "run.json").write_text(json.dumps(frozen))
    with pytest.raises(UsageError, match=r"another release\.manifest_sha256"):
        run(settings(release, None, methods=("constant-1",)), tmp_path / "floors", Share())
    steering = settings(release, tiny, methods=("pas",), subjects=1)
    run(steering, tmp_path / "pas", Share())
    monkeypatch.setattr(probes, "HEADS", 3)
    with pytest.raises(UsageError, match=r"another methods\.pas\.settings\.most_heads"):
        run(steering, tmp_path / "pas", Share())


def test_a_run_that_never_answered_gives_way(release: Path, tiny: Path, tmp_path: Path) -> None:
    """The advice of an error about the prompts can be followed in the same folder."""
    prompts, out = tmp_path / "prompts.json", tmp_path / "run"
    given = settings(release, tiny, methods=("no-change",), prompts=prompts)
    prompts.write_text(json.dumps({"assistant_when_asked": "an Option"}))
    with pytest.raises(UsageError, match="is not one more token"):
        run(given, out, Share())
    prompts.write_text(json.dumps({"assistant_when_asked": "Option ("}))
    assert run(given, out, Share()).done == 6
    assert read_configuration(out)["prompts"]["assistant_when_asked"] == "Option ("


def test_two_runs_at_once_in_one_folder_are_refused(whole: Path, release: Path, tiny: Path) -> None:
    frozen = json.loads((whole / "run.json").read_text())
    with opened(whole, 0, frozen), pytest.raises(Busy, match="another process"):
        run(settings(release, tiny), whole, Share())


def test_a_folder_of_something_else_is_left_alone(release: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        run(settings(release, None, methods=("ridge",)), tmp_path, Share())
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["thesis.txt"]


def test_a_line_that_is_damaged_in_the_middle_is_an_error_with_its_place(release: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(settings(release, None, methods=("constant-1",)), out, Share())
    content = (out / "answers.jsonl").read_text().splitlines(keepends=True)
    (out / "answers.jsonl").write_text("".join([content[0], "oops\n", *content[2:]]))
    with pytest.raises(InputRejected, match="cannot be read") as refused:
        run(settings(release, None, methods=("constant-1",)), out, Share())
    assert "line 2" in str(refused.value)


def test_a_release_that_is_not_what_its_manifest_says_is_refused(release: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "release"
    shutil.copytree(release, copy)
    path = next((copy / "data" / DARK_TRIAD).glob("test-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ReleaseRejected, match="not what its manifest says"):
        run(settings(copy, None, methods=("constant-1",)), tmp_path / "run", Share())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ()}, "no method"),
        ({"methods": ("pas",)}, "needs a model"),
        ({"labels": "stored"}, "--labels"),
        ({"option_order": "random"}, "--option-order"),
        ({"min_mass": 2.0}, "probability"),
        ({"subjects": 0}, "nobody"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    release: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(settings(release, None, **({"methods": ("ridge",)} | change)), tmp_path / "run", Share())
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_not_there_is_an_error(release: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no such folder"):
        run(settings(release, tmp_path / "nowhere"), tmp_path / "run", Share())
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match=r"lacks config\.json, weights and a tokenizer"):
        run(settings(release, tmp_path / "empty"), tmp_path / "run", Share())
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(MissingFile, match="lacks weights and a tokenizer"):
        run(settings(release, tmp_path / "empty"), tmp_path / "run", Share())
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / "empty" / name).write_text("nothing")
    with pytest.raises(UsageError, match="cannot be loaded"):
        run(settings(release, tmp_path / "empty"), tmp_path / "run", Share())


def test_a_model_that_the_hub_cannot_give_is_a_failure_of_the_network(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RemoteFailed, match="HF_HUB_OFFLINE is set"):
        run(settings(release, Path("nobody/nothing")), tmp_path / "run", Share())


def test_a_folder_has_no_revision(release: Path, tiny: Path, tmp_path: Path) -> None:
    given = replace(settings(release, tiny), model=ModelSettings(str(tiny), revision="main"))
    with pytest.raises(UsageError, match="has no revisions"):
        run(given, tmp_path / "run", Share())


@pytest.mark.parametrize(
    ("owner", "name", "value", "method"),
    [
        ("knn", "neighbours", 5, "knn"),
        ("ridge", "penalty", 1.0, "ridge"),
        ("trait-levels", "cuts", [0], "trait-levels"),
        ("trait-vectors", "people", 20, "trait-vectors"),
    ],
)
def test_a_changed_number_of_a_method_is_refused_by_name(
    release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    owner: str, name: str, value: Any, method: str,
) -> None:  # fmt: skip
    given, out = settings(release, tiny, methods=(method,), subjects=1), tmp_path / "run"
    run(given, out, Share())
    monkeypatch.setitem(configuration.OWN, owner, configuration.OWN[owner] | {name: value})
    with pytest.raises(UsageError, match=rf"another methods\.{method}\.(settings\.{name}|sees_dev)"):
        run(given, out, Share())


def test_a_family_of_methods_is_asked_for_by_its_name(release: Path) -> None:
    chosen = settings(release, None, methods=("floor",)).chosen()
    assert {method.family for method in chosen} == {"floor"}
    assert len(chosen) == 10
    everything = settings(release, Path("x"), methods=("all",)).chosen()
    assert {method.family for method in everything} == {"floor", "prompting", "steering", "training"}
    assert not any(method.is_trained for method in settings(release, Path("x"), methods=UNTRAINED).chosen())


def test_few_shot_methods_that_tell_the_same_are_named(release: Path, tiny: Path, tmp_path: Path) -> None:
    said: list[str] = []
    methods = ("few-shot-10", "few-shot-30", "few-shot-120")
    run(settings(release, tiny, methods=methods, subjects=1), tmp_path / "run", Share(), said.append)
    assert any(text.startswith("few-shot-30, few-shot-120 are the same: there are 18") for text in said)
