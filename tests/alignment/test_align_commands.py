"""`papi align` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outcomes import papi
from tiny_models import tiny_model, tiny_tokenizer

from papi.instruments import DARK_TRIAD


def test_floors_run_and_are_reported(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert papi("align", "run", release, "--method", "ridge", "--method", "constant-3", "--out", out) == 0
    assert papi("align", "report", out, "--out", tmp_path / "report") == 0
    assert "ridge" in capsys.readouterr().out
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert (
        results["methods"]["ridge"]["decodes"]["value"]["sum"]
        < results["methods"]["constant-3"]["decodes"]["value"]["sum"]
    )
    assert list((tmp_path / "report" / "figures").glob("*.png"))


def test_the_pocket_respondent_knows_more_of_a_person_with_every_answer(release: Path, tmp_path: Path) -> None:
    """The whole way: with the answers of a person it errs less than without, and ridge is reached."""
    out = tmp_path / "run"
    named = [part for name in ("ridge", "no-change", "few-shot-120", "p2") for part in ("--method", name)]
    asked = ["--model", "pocket", "--split", "test_population", "--subjects", "10", *named]
    assert papi("align", "run", release, *asked, "--out", out) == 0
    assert papi("align", "report", out, "--no-figures") == 0
    methods = json.loads((out / "report" / "results.json").read_text())["methods"]
    medians = {name: methods[name]["decodes"]["median"]["mean"] for name in ("no-change", "few-shot-120")}
    assert medians["few-shot-120"] < medians["no-change"] - 0.1
    assert methods["few-shot-120"]["option_mass"] > 0.9
    assert "`p2`: n/a with the pocket respondent" in (out / "report" / "leaderboard.md").read_text()


def test_p2_is_not_for_the_pocket_respondent(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert papi("align", "run", release, "--model", "pocket", "--method", "p2", "--out", out) == 2
    assert "n/a with the pocket respondent" in capsys.readouterr().err
    assert not out.exists()


def test_other_prompts_are_not_for_the_pocket_respondent(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = tmp_path / "prompts.toml"
    prompts.write_text('system = "Answer as yourself."')
    asked = ["--model", "pocket", "--method", "no-change", "--prompts", prompts, "--out", tmp_path / "run"]
    assert papi("align", "run", release, *asked) == 2
    assert "no words for this text" in capsys.readouterr().err


def test_p2_writes_with_a_model_that_can(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alignment.methods import prompting

    monkeypatch.setattr(prompting, "LONGEST_DESCRIPTION", 8)
    model, out = tmp_path / "model", tmp_path / "run"
    tiny_model("llama", attention="sdpa").save_pretrained(model)
    tiny_tokenizer().save_pretrained(model)
    asked = ["--model", model, "--config", DARK_TRIAD, "--method", "p2", "--subjects", "2", "--min-mass", "0"]
    assert papi("align", "run", release, *asked, "--out", out) == 0
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert [sorted(line["fit"]) for line in lines] == [["description"]] * 2


def test_methods_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert papi("align", "methods", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {method["name"] for method in listed if method["leaky"]} == {
        "pas-published",
        "pas-published-neutral",
    }
    assert {method["name"] for method in listed if method["sees_dev"]} >= {"ridge", "trait-levels"}


def test_a_published_description_file_is_matched_by_the_answers(real_data: Path, published_release: Path) -> None:
    from alignment.benchmark import read_benchmark
    from alignment.runs.descriptions import read_descriptions
    from papi.errors import UsageError
    from papi.instruments import IPIP_300

    path = real_data / "published" / "personality_prompt.json"
    found = read_descriptions(path, read_benchmark(published_release, IPIP_300, "test", "published"))
    assert len(found) == 200
    assert all(text.startswith("You") or "You" in text for text in found.values())
    assert not any("\\n" in text or text.startswith("[") for text in found.values())
    with pytest.raises(UsageError, match="published labels"):
        read_descriptions(path, read_benchmark(published_release, IPIP_300, "test"))


@pytest.mark.slow
def test_the_demo_runs_offline(tmp_path: Path) -> None:
    assert papi("align", "demo", "--out", tmp_path / "demo", "--subjects", "2") == 0
    assert (tmp_path / "demo" / "report" / "leaderboard.md").exists()


def test_pocket_train_writes_a_model(tmp_path: Path) -> None:
    assert papi("align", "pocket-train", tmp_path / "mine", "--steps", "2") == 0
    assert (tmp_path / "mine" / "model.safetensors").exists()
