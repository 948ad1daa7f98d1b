"""What a report cannot read, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from run_folders import (
    changed,
)
from small_runs import ITEMS, PEOPLE, lines, run, seeded

from alignment.report import write_report
from alignment.report.rows import read_rows
from papi.errors import InputRejected, MissingFile


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="nowhere is not there"):
        read_rows([tmp_path / "nowhere"])
    for name in ("run.json", "answers.jsonl"):
        folder = run(tmp_path / name)
        (folder / name).unlink()
        with pytest.raises(MissingFile, match=f"no {name}"):
            read_rows([folder])
    folder = run(tmp_path / "least")
    for name in ("costs.jsonl", "failures.jsonl"):
        (folder / name).unlink()
    assert len(read_rows([folder]).rows) == 5
    with pytest.raises(InputRejected, match="no answers yet"):
        read_rows([run(tmp_path / "begun", [])])


def test_a_last_line_without_its_end_is_left_out_with_a_note(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    path = folder / "answers.jsonl"
    whole = path.read_bytes()
    for cut in (1, 20, 300):
        path.write_bytes(whole[:-cut])
        rows = read_rows([folder])
        assert [row.n for row in rows.rows] == [3, 3, 3, 3, 2]
        assert "the last line has no end" in rows.notes[0]
    where, _ = write_report([folder], figures=False)
    assert "the last line has no end" in (where / "leaderboard.md").read_text()
    path.write_bytes(whole)
    assert read_rows([folder]).notes == []


def test_a_torn_line_elsewhere_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    content = (folder / "answers.jsonl").read_bytes().split(b"\n")
    content[3] = content[3][:50]
    (folder / "answers.jsonl").write_bytes(b"\n".join(content))
    with pytest.raises(InputRejected) as refused:
        read_rows([folder])
    assert [(place.line, place.expected) for place in refused.value.places] == [(4, "a JSON object")]


def at(line: int, key: str, value: Any) -> Any:
    return lambda found: found[line].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "line", "column"),
    [
        (at(0, "method", "unheard"), 1, "method"),
        (at(0, "subject", 7), 1, "subject"),
        (at(1, "items", ["M1", *ITEMS[1:]]), 2, "items"),
        (at(1, "items", [ITEMS[1], *ITEMS[1:]]), 2, "items"),
        (at(1, "items", [[], *ITEMS[1:]]), 2, "items"),
        (at(0, "expected", [6] * 9), 1, "expected"),
        (at(0, "expected", [True] * 9), 1, "expected"),
        (at(0, "expected", [3] * 8), 1, "expected"),
        (at(0, "expected", None), 1, "expected"),
        (at(0, "values", [3.0] * 8), 1, "values"),
        (at(0, "values", [float("nan")] * 9), 1, "values"),
        (at(0, "values", "high"), 1, "values"),
        (at(0, "values", [10**400] * 9), 1, "values"),
        (at(3, "probabilities", [[0.3] * 5] * 9), 4, "probabilities"),
        (at(3, "probabilities", [[1.2, -0.2, 0, 0, 0]] * 9), 4, "probabilities"),
        (at(3, "probabilities", [[0.25] * 4] * 9), 4, "probabilities"),
        (at(3, "mass", None), 4, "mass"),
        (at(3, "mass", 1.5), 4, "mass"),
        (at(3, "fit", [2]), 4, "fit"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(tmp_path: Path, change: Any, line: int, column: str) -> None:
    folder = run(tmp_path / "run")
    changed(folder / "answers.jsonl", change)
    with pytest.raises(InputRejected) as refused:
        read_rows([folder])
    assert [(place.line, place.column) for place in refused.value.places] == [(line, column)]


def test_a_subject_twice_and_values_beside_probabilities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="more than once") as refused:
        read_rows([run(tmp_path / "twice", [*lines(), lines()[0]])])
    assert refused.value.places[0].line == 16
    mixed = lines()
    mixed[5] = mixed[2] | {"method": "ridge", "subject": "sd3-b", "expected": PEOPLE["sd3-b"]}
    with pytest.raises(InputRejected, match="mixes values and probabilities"):
        read_rows([run(tmp_path / "mixed", mixed)])


@pytest.mark.parametrize("name", ["costs", "failures"])
def test_costs_and_failures_are_checked_too(tmp_path: Path, name: str) -> None:
    folder = run(tmp_path / "run")
    (folder / f"{name}.jsonl").write_text('{"method": "ridge", "subject": "sd3-a", "seconds": -1, "reason": null}\n')
    with pytest.raises(InputRejected, match=f"{name}.jsonl is not that of a run"):
        read_rows([folder])


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        ("format", "papi-run-2", "format"),
        ("config", "ipip-neo-120", "config"),
        ("split", "dev", "split"),
        ("labels", [], "labels"),
        ("release", {}, "release.version"),
        ("release", None, "release"),
        ("methods", {}, "methods"),
        ("methods", {"ridge": {"floor": 1, "leaky": False, "sees_dev": None}}, "methods.ridge.floor"),
        ("model", {}, "model.name"),
        ("subjects", True, "subjects"),
        ("min_mass", "half", "min_mass"),
        ("prompts", None, "prompts"),
        ("seed", None, "seed"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_field(tmp_path: Path, key: str, value: Any, column: str) -> None:
    with pytest.raises(InputRejected, match=r"run\.json is not that of a run") as refused:
        read_rows([run(tmp_path / "run", **{key: value})])
    assert refused.value.places[0].column == column


def test_a_configuration_that_is_no_json_object_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    for text in ("{", "[]"):
        (folder / "run.json").write_text(text)
        with pytest.raises(InputRejected, match=r"run\.json is"):
            read_rows([folder])


def test_lines_of_other_seeds_than_the_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="not that of a run") as caught:
        write_report([seeded(tmp_path / "run", [0, 2], [[2], [4]])])
    assert caught.value.places[0].column == "seeds"
    with pytest.raises(InputRejected, match="not that of a run") as caught:
        write_report([seeded(tmp_path / "other", [0, 1], [[2]])])
    assert caught.value.places[0].column == "probabilities"


def test_seeds_of_a_configuration_are_whole_numbers(tmp_path: Path) -> None:
    run_ = seeded(tmp_path / "run", [0, 1], [[2], [4]])
    facts = json.loads((run_ / "run.json").read_text())
    facts["methods"]["dpo"]["settings"]["seeds"] = "two"
    (run_ / "run.json").write_text(json.dumps(facts))
    with pytest.raises(InputRejected, match="not that of a run") as caught:
        write_report([run_])
    assert caught.value.places[0].column == "methods.dpo.settings.seeds"
