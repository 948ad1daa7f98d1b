"""A run goes on where it ended, refuses what is not its own, and gives the same bytes however often it was cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny_model, tiny_tokenizer

from alignment.benchmark import read_benchmark
from alignment.prompts import read_prompts
from alignment.respondent.adapters import load_adapter
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Ask, Respondent
from alignment.runs.adapters import adapter_folder
from alignment.runs.folder import ANSWERS, FAILURES, opened, read_configuration
from alignment.runs.loop import RunReport, run
from alignment.runs.settings import ModelSettings, RunSettings
from alignment.runs.sharing import Share, share_of
from papi.errors import Busy, GateFailed, InputRejected, MissingFile, ReleaseRejected, UsageError
from papi.instruments import DARK_TRIAD

ROOT = Path(__file__).parents[2]
METHODS = ("item-median", "no-change", "few-shot-120")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random model."""
    folder = tmp_path_factory.mktemp("model")
    tiny_model("llama", attention="sdpa").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def settings(release: Path, model: Path | None, **changes: Any) -> RunSettings:
    named = ModelSettings(str(model)) if model else None
    given: dict[str, Any] = {"config": DARK_TRIAD, "subjects": 6, "min_mass": 0.0, "methods": METHODS} | changes
    return RunSettings(str(release), model=named, **given)


def lines(out: Path, kind: str = ANSWERS) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / f"{kind}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(release: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert run(settings(release, tiny), out, Share()) == RunReport(done=18, before=0, failures=[], complete=True)
    return out


def test_a_line_holds_what_a_subject_was_asked_and_said(whole: Path) -> None:
    found = lines(whole)
    assert [line["method"] for line in found] == [name for name in METHODS for _ in range(6)]
    for line in found:
        assert len(line["items"]) == len(line["expected"]) == 9
        if line["method"] == "item-median":
            assert {2 * value for value in line["values"]} <= set(range(2, 11))  # medians may lie halfway
        else:
            assert all(abs(sum(row) - 1) < 1e-5 for row in line["probabilities"])
            assert 0 < line["mass"] < 1
    assert {(line["method"], line["subject"]) for line in lines(whole, "costs")} == {
        (line["method"], line["subject"]) for line in found
    }


def test_the_configuration_says_exactly_what_was_run(whole: Path, tiny: Path) -> None:
    frozen = json.loads((whole / "run.json").read_text())
    assert frozen["format"] == "papi-run-1"
    assert len(frozen["release"]["manifest_sha256"]) == 64
    assert set(frozen["model"]["files"]) >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert frozen["model"]["dtype"] == "float32"
    assert frozen["model"]["packages"]["torch"].startswith("2.")
    assert frozen["methods"]["item-median"]["sees_dev"] == "other test subjects, cross-fitted"
    others = {key: value for key, value in frozen.items() if key not in ("release", "model")}
    assert str(tiny.parent) not in json.dumps(others)


def test_a_finished_run_has_nothing_left_to_do(whole: Path, release: Path, tiny: Path) -> None:
    before = (whole / "answers.jsonl").read_bytes()
    assert run(settings(release, tiny), whole, Share()) == RunReport(done=0, before=18, failures=[], complete=True)
    assert (whole / "answers.jsonl").read_bytes() == before


@pytest.mark.parametrize("cut", [1, 40, 5_000, 9_000])
def test_a_torn_end_is_redone_and_the_bytes_are_those_of_the_whole(
    whole: Path, release: Path, tiny: Path, tmp_path: Path, cut: int
) -> None:
    out = tmp_path / "run"
    run(settings(release, tiny), out, Share())
    content = (out / "answers.jsonl").read_bytes()
    (out / "answers.jsonl").write_bytes(content[:-cut])
    report = run(settings(release, tiny), out, Share())
    assert report.done == content[-cut:].count(b"\n")
    assert (out / "answers.jsonl").read_bytes() == (whole / "answers.jsonl").read_bytes()


ALONE = os.environ | {"OMP_NUM_THREADS": "1"}  # the same threads for every process: other ones round differently


def command(release: Path, tiny: Path, out: Path) -> list[str]:
    named = [part for name in METHODS for part in ("--method", name)]
    asked = ["--config", DARK_TRIAD, "--subjects", "6", "--min-mass", "0", *named]
    return ["-m", "papi", "align", "run", str(release), "--model", str(tiny), "--out", str(out), *asked]


@pytest.fixture(scope="module")
def alone(release: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The answers of an uninterrupted run by a single process of its own."""
    out = tmp_path_factory.mktemp("alone") / "run"
    subprocess.run([sys.executable, *command(release, tiny, out)], cwd=ROOT, env=ALONE, check=True, capture_output=True)
    return (out / "answers.jsonl").read_bytes()


def test_after_a_kill_the_run_goes_on_and_ends_as_if_nothing_had_been(
    alone: bytes, release: Path, tiny: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    again = [sys.executable, *command(release, tiny, out)]
    process = subprocess.Popen(again, cwd=ROOT, env=ALONE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    answers, deadline = out / "answers.jsonl", time.monotonic() + 120
    while not (answers.exists() and answers.read_bytes().count(b"\n") > 7) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert answers.read_bytes() != alone
    subprocess.run(again, cwd=ROOT, env=ALONE, check=True, capture_output=True)
    assert answers.read_bytes() == alone


@pytest.mark.parametrize("later", [1, 3])
def test_processes_share_the_subjects_and_another_number_can_go_on(
    whole: Path, release: Path, tiny: Path, tmp_path: Path, later: int
) -> None:
    out = tmp_path / "run"
    first = run(settings(release, tiny), out, Share(1, 2))
    assert (first.done, first.complete) == (9, False)
    assert not (out / "answers.jsonl").exists()
    reports = [run(settings(release, tiny), out, Share(rank, later)) for rank in range(later)]
    assert sum(report.done for report in reports) == 9
    assert reports[-1].complete
    assert (out / "answers.jsonl").read_bytes() == (whole / "answers.jsonl").read_bytes()
    assert not list(out.glob("*.1.jsonl"))


def test_torchrun_starts_two_processes_that_share(alone: bytes, release: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    shared = [*launcher, *command(release, tiny, out), "--processes", "2"]
    done = subprocess.run(shared, cwd=ROOT, env=ALONE, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (out / "answers.jsonl").read_bytes() == alone


def test_fewer_processes_than_asked_for_are_refused() -> None:
    assert share_of({}) == Share(0, 1, 0)
    assert share_of({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}, 2) == Share(1, 2, 1)
    with pytest.raises(UsageError, match="not as many processes"):
        share_of({}, 2)
    with pytest.raises(UsageError, match="does not say how many"):
        share_of({"ACCELERATE_MIXED_PRECISION": "no"})
    assert share_of({"ACCELERATE_MIXED_PRECISION": "no"}, 1) == Share(0, 1, 0)


def test_accelerate_on_a_cpu_starts_one_process_and_that_is_noticed(release: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "-m", "papi"]
    command += ["align", "run", str(release), "--method", "constant-3", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode != 0
    assert "does not say how many" in done.stderr


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seed": 3}, "seed"),
        ({"subjects": 5}, "subjects"),
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


def test_methods_may_be_added_and_a_model_to_a_run_of_floors(release: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(settings(release, None, methods=("ridge",)), out, Share())
    run(settings(release, tiny, methods=("no-change",)), out, Share())
    run(settings(release, None, methods=("constant-3",)), out, Share())
    assert [line["method"] for line in lines(out)] == ["constant-3"] * 6 + ["ridge"] * 6 + ["no-change"] * 6
    frozen = json.loads((out / "run.json").read_text())
    assert list(frozen["methods"]) == ["ridge", "no-change", "constant-3"]
    assert frozen["model"]["name"] == str(tiny)


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
    with pytest.raises(GateFailed, match="first 3 subjects have no result"):
        run(settings(release, tiny, methods=("no-change",), min_mass=0.5), tmp_path / "run", Share())
    assert len(lines(tmp_path / "run", FAILURES)) == 3
    assert not (tmp_path / "run" / "answers.jsonl").exists()


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
    with pytest.raises(UsageError, match="cannot be loaded"):
        run(settings(release, tmp_path / "empty"), tmp_path / "run", Share())


def test_the_model_may_be_quantised(release: Path, tiny: Path, tmp_path: Path) -> None:
    model = ModelSettings(str(tiny), quantize="nf4")
    given = RunSettings(str(release), ("few-shot-10", "pas"), model, DARK_TRIAD, subjects=1, min_mass=0.0)
    assert run(given, tmp_path / "run", Share()) == RunReport(done=2, before=0, failures=[], complete=True)
    frozen = json.loads((tmp_path / "run" / "run.json").read_text())
    assert frozen["model"]["quantize"] == "nf4"


def test_a_model_over_several_devices_is_not_shared(release: Path, tiny: Path, tmp_path: Path) -> None:
    model = ModelSettings(str(tiny), device_map="auto")
    given = RunSettings(str(release), ("no-change",), model, DARK_TRIAD, subjects=1, min_mass=0.0)
    assert run(given, tmp_path / "run", Share()) == RunReport(done=1, before=0, failures=[], complete=True)
    with pytest.raises(UsageError, match="cannot be shared"):
        run(given, tmp_path / "other", Share(0, 2))


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
