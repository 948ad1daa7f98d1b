"""A run goes on where it ended, shares its subjects, and gives the same bytes however often it was cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_settings import METHODS, lines, settings

from alignment.model_settings import ModelSettings
from alignment.runs.configuration_file import read_configuration
from alignment.runs.loop import RunReport
from alignment.runs.settings import RunSettings
from alignment.runs.start import run
from alignment.sharing import Share, share_of
from papi.errors import UsageError
from papi.instruments import DARK_TRIAD

ROOT = Path(__file__).parents[2]


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
    assert frozen["methods"]["item-median"]["sees_dev"] == "other test subjects, cross-fitted, 36 people"
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


def test_methods_may_be_added_and_a_model_to_a_run_of_floors(release: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(settings(release, None, methods=("ridge",)), out, Share())
    run(settings(release, tiny, methods=("no-change",)), out, Share())
    run(settings(release, None, methods=("constant-3",)), out, Share())
    assert [line["method"] for line in lines(out)] == ["constant-3"] * 6 + ["ridge"] * 6 + ["no-change"] * 6
    frozen = json.loads((out / "run.json").read_text())
    assert list(frozen["methods"]) == ["ridge", "no-change", "constant-3"]
    assert frozen["model"]["name"] == str(tiny)


def test_more_subjects_may_be_added(whole: Path, release: Path, tiny: Path, tmp_path: Path) -> None:
    """The first four, then two more, then fewer: the bytes are those of all six at once."""
    out = tmp_path / "run"
    for subjects, done in ((4, 12), (6, 6), (2, 0)):
        assert run(settings(release, tiny, subjects=subjects), out, Share()).done == done
    assert read_configuration(out)["subjects"] == 6
    assert (out / "answers.jsonl").read_bytes() == (whole / "answers.jsonl").read_bytes()


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
