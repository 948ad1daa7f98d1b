"""The command line as a user meets it: exit codes, streams, JSON, help."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from papi.cli import COMMANDS
from papi.cli.build import release_date
from papi.cli.simulate import parse_people, true_sizes
from papi.errors import UsageError
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300

ROOT = Path(__file__).parents[1]


def papi(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papi", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment, timeout=120, check=False
    )


@pytest.mark.parametrize("command", [c.__name__ for c in COMMANDS])
def test_every_command_explains_itself_with_examples(command: str) -> None:
    done = papi(command, "--help")
    assert done.returncode == 0
    assert "Examples" in done.stdout
    assert f"papi {command}" in done.stdout


def test_the_version_is_shown() -> None:
    from papi import __version__

    assert papi("--version").stdout == f"papi {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["build"], 2, "Missing argument"),
        (["bild"], 2, "No such command"),
        (["build", "{raw}", "{out}", "--version", "one"], 2, "X.Y.Z"),
        (["build", "{raw}", "{out}", "--date", "yesterday"], 2, "YYYY-MM-DD"),
        (["build", "{raw}", "{out}", "--only", "mmpi"], 2, "ipip-neo-300"),
        (["build", "{raw}", "{raw}"], 2, "will not be replaced"),
        (["build", "{out}/nowhere", "{out}"], 3, "is not there"),
        (["build", "{raw}", "{out}", "--require-pinned"], 3, "not a known file"),
        (["info", "{raw}"], 3, "no PAPI release"),
        (["simulate", "{raw}"], 2, "raw"),
        (["simulate", "{out}", "--people", "many"], 2, "--people"),
        (["fetch", "{out}", "--only", "mmpi"], 2, "mmpi"),
        (["validate", "{out}"], 3, "is not there"),
        (["verify", "{raw}"], 3, "no PAPI release"),
        (["diff", "{raw}", "{raw}"], 3, "no PAPI release"),
        (["errata", "{out}"], 3, "is not there"),
        (["export", "{raw}", "spss", "{out}"], 2, "papi-csv"),
        (["export", "{raw}", "papi-csv", "{out}"], 2, "--raw RAW"),
        (["export", "{raw}", "papi-csv", "{out}", "--raw", "{raw}"], 3, "no PAPI release"),
        (["export", "{raw}", "irw", "{out}"], 3, "no PAPI release"),
        (["export", "{raw}", "irw", "{out}", "--raw", "{raw}"], 2, "takes no --raw"),
        (["export", "{raw}", "irw", "{out}", "--with-subject-id"], 2, "takes no --with-subject-id"),
    ],
)
def test_a_mistake_gets_its_exit_code_and_no_traceback(
    arguments: list[str], code: int, words: str, simulated_raw: Path, tmp_path: Path
) -> None:
    done = papi(*(a.format(raw=simulated_raw, out=tmp_path / "out") for a in arguments))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert words in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_build_prints_json_on_stdout_and_progress_on_stderr(simulated_raw: Path, tmp_path: Path) -> None:
    done = papi("build", simulated_raw, tmp_path / "r", "--only", DARK_TRIAD, "--json", SOURCE_DATE_EPOCH="86400")
    result = json.loads(done.stdout)
    assert result["simulated"] is True
    assert result["date"] == "1970-01-02"
    assert result["configs"][DARK_TRIAD]["people"] == 400
    assert f"{DARK_TRIAD}: read" in done.stderr


def test_info_counts_what_is_there(release: Path) -> None:
    as_json = json.loads(papi("info", release, "--json").stdout)
    assert as_json["configs"][IPIP_300]["splits"] == {"dev": 324, "test": 40, "test_population": 36}
    shown = papi("info", release).stdout
    assert "324" in shown
    assert "These people are simulated" in shown
    assert "IPIP300.dat (source" in shown


def test_the_demo_goes_the_whole_way_and_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        done = papi("demo", "--out", tmp_path / "demo", "--people", "60")
        assert done.returncode == 0, done.stderr
        assert "test subject ipip300-" in done.stdout
        assert '"dark-triad"): dev 49, test 6, test_population 5' in done.stdout


def test_a_signal_stops_a_build_and_leaves_nothing(simulated_raw: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "papi", "build", str(simulated_raw), str(tmp_path / "release")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()  # the first step has begun
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "interrupted by SIGTERM" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_third_signal_ends_what_waits_while_it_unwinds() -> None:
    code = """
import signal, time
import papi.cli
signal.signal(signal.SIGTERM, papi.cli._interrupt)
try:
    print("ready", flush=True)
    time.sleep(60)
except papi.cli.Stopped:
    print("unwinding", flush=True)
    time.sleep(60)
    time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for stream, said in ((process.stdout, "ready"), (process.stdout, "unwinding"), (process.stderr, "once more")):
        assert said in stream.readline()
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 130
    process.communicate()


def test_people_are_one_number_or_three() -> None:
    assert parse_people("50") == {IPIP_300: 50, IPIP_120: 50, DARK_TRIAD: 50}
    assert parse_people("307313,619150,18192") == true_sizes()
    for text in ("", "1,2", "x", "-3", "1.5", "1,2,3,4"):
        with pytest.raises(UsageError):
            parse_people(text)


def test_the_date_is_given_or_taken_from_the_environment_or_left_out() -> None:
    assert release_date("2026-01-31", {"SOURCE_DATE_EPOCH": "0"}) == "2026-01-31"
    assert release_date(None, {"SOURCE_DATE_EPOCH": "0"}) == "1970-01-01"
    assert release_date(None, {}) is None
    for date, environment in (("31.1.2026", {}), (None, {"SOURCE_DATE_EPOCH": "x"})):
        with pytest.raises(UsageError):
            release_date(date, environment)


def test_validate_tells_what_was_checked_and_what_failed_where(release: Path, raw_copy: Path) -> None:
    sound = papi("validate", release)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "files: as in the manifest" in sound.stdout
    assert "failed" not in sound.stdout
    content = bytearray((raw_copy / "IPIP120.dat").read_bytes())
    content[40] = ord("9")
    (raw_copy / "IPIP120.dat").write_bytes(content)
    broken = papi("validate", raw_copy)
    assert broken.returncode == 3
    assert "IPIP120.dat, line 1, byte 40, column 41: expected a whole number 0-5, got '9'" in broken.stdout
    as_json = json.loads(papi("validate", raw_copy, "--json").stdout)
    assert [check["subject"] for check in as_json["checks"] if check["verdict"] == "failed"] == ["IPIP120.dat"]
    assert as_json["exit_code"] == 3


def test_validate_of_a_file_appended_to_itself_ends_with_a_gate(simulated_raw: Path, tmp_path: Path) -> None:
    content = (simulated_raw / "IPIP120.dat").read_bytes()
    (tmp_path / "IPIP120.dat").write_bytes(content * 2)
    done = papi("validate", tmp_path / "IPIP120.dat")
    assert done.returncode == 4
    assert "gate duplicates" in done.stdout


def test_verify_and_diff_end_with_their_codes(release: Path, tmp_path: Path) -> None:
    assert papi("verify", release).returncode == 0
    copy = shutil.copytree(release, tmp_path / "copy")
    assert papi("diff", release, copy).stdout == "no difference\n"
    (copy / "README.md").write_text("other")
    assert papi("verify", copy).returncode == 3
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"version": "9.0.0"}))
    done = papi("diff", release, copy)
    assert (done.returncode, "9.0.0" in done.stdout) == (1, True)
    assert json.loads(papi("diff", release, copy, "--json").stdout)["facts"] == {"version": ["0.0.0", "9.0.0"]}


def test_errata_and_export_print_what_they_did(release: Path, simulated_raw: Path, tmp_path: Path) -> None:
    numbers = json.loads(papi("errata", simulated_raw, "--json").stdout)
    assert numbers[IPIP_300]["labels"]["contradicting_items"] == 148
    assert "constant-3" in papi("errata", simulated_raw).stdout
    done = papi("export", release, "papi-csv", tmp_path / "csv", "--raw", simulated_raw, "--with-subject-id")
    assert done.returncode == 0
    assert "IPIP_NEO_300.csv: 400 people" in done.stdout
    assert "do not publish" in done.stderr
    done = papi("export", release, "irw", tmp_path / "irw")
    assert done.returncode == 0
    assert "papi_simulated_ipip_neo_300_n1__items.csv: 10 rows" in done.stdout
    assert f"{DARK_TRIAD}: 400 people" in done.stderr
    assert "do not publish" not in done.stderr
