"""Several runs in one report: what may be compared, and what their rows are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from run_folders import (
    MODEL,
    RELEASE,
    Line,
    changed,
    run_facts,
    whole_run,
    write_run,
)
from small_runs import METHODS, floors_of, lines, run, seeded

from alignment.report import write_report
from alignment.report.rows import read_rows
from papi.errors import InputRejected, UsageError


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("labels", {"labels": "published"}),
        ("split", {"split": "test_population"}),
        ("release.manifest_sha256", {"release": RELEASE | {"manifest_sha256": "b" * 64}}),
    ],
)
def test_runs_that_differ_are_not_compared(tmp_path: Path, field: str, change: Line) -> None:
    one, other = run(tmp_path / "one"), run(tmp_path / "other", **change)
    with pytest.raises(UsageError) as refused:
        write_report([one, other])
    assert f"{field} differs" in str(refused.value)
    values = {"labels": ("responses", "published"), "split": ("test", "test_population")}
    for value in values.get(field, ("a" * 64, "b" * 64)):
        assert f"{value} (" in str(refused.value)
    assert not (one / "report").exists()


def test_another_config_is_another_comparison(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="config differs"):
        read_rows([run(tmp_path / "one"), whole_run(tmp_path / "other", 3, 2)])


def test_a_method_of_two_models_is_two_rows_and_a_floor_one(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one"), run(tmp_path / "other", model={"name": "big"})
    names = [row.name for row in read_rows([one, other]).rows]
    assert names == [
        *("ridge", "constant-3", "uniform"),
        *("few-shot-18 (pocket)", "few-shot-18 (big)", "pas-published (pocket)", "pas-published (big)"),
    ]
    same = run(tmp_path / "same", model=MODEL | {"quantisation": "nf4"})
    names = [row.name for row in read_rows([one, same]).rows]
    assert "few-shot-18 (pocket, quantisation nf4)" in names
    assert "few-shot-18 (pocket, quantisation None)" in names


def test_a_method_twice_of_one_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both have the method few-shot-18, with the same model"):
        read_rows([run(tmp_path / "one"), run(tmp_path / "other")])


def test_a_floor_that_said_two_things_is_refused(tmp_path: Path) -> None:
    other = run(tmp_path / "other", model={"name": "big"})
    changed(other / "answers.jsonl", lambda found: found[0]["values"].__setitem__(0, 4.9))
    with pytest.raises(UsageError, match="the floor ridge did not say the same"):
        read_rows([run(tmp_path / "one"), other])


def test_a_person_cannot_have_answered_in_two_ways(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    changed(folder / "answers.jsonl", lambda found: found[1]["expected"].__setitem__(0, 2))
    with pytest.raises(InputRejected, match="two different answers") as refused:
        read_rows([folder])
    assert refused.value.places[0].line == 2


def test_a_floor_of_more_people_stands_for_one_of_fewer(tmp_path: Path) -> None:
    few = write_run(tmp_path / "few", run_facts(METHODS), [line for line in lines() if line["subject"] == "sd3-a"])
    many = write_run(tmp_path / "many", run_facts({"ridge": METHODS["ridge"]}), floors_of(lines()))
    rows = read_rows([few, many])
    assert [(row.name, row.n) for row in rows.rows if row.name == "ridge"] == [("ridge", 3)]
    other = [line | {"values": [value + 1 for value in line["values"]]} for line in floors_of(lines())]
    with pytest.raises(UsageError, match="did not say the same of sd3-a"):
        read_rows([few, write_run(tmp_path / "other", run_facts({"ridge": METHODS["ridge"]}), other)])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"option_order": "both"}, ("option_order forward", "option_order both")),
        ({"seed": 3}, ("seed 0", "seed 3")),
        ({"prompts": {"system": "a longer text than would fit"}}, ("prompts {}", "prompts ")),
    ],
)
def test_one_model_under_two_settings_is_two_rows(
    tmp_path: Path, changes: dict[str, Any], told: tuple[str, str]
) -> None:
    one, other = run_facts(METHODS), run_facts(METHODS) | changes
    rows = read_rows([write_run(tmp_path / "one", one, lines()), write_run(tmp_path / "other", other, lines())])
    names = [row.name for row in rows.rows if row.method == "few-shot-18"]
    assert len(names) == 2
    assert all(text in name for text, name in zip(told, names, strict=True))


def test_other_hyperparameters_of_one_method_are_told_apart(tmp_path: Path) -> None:
    folders = []
    for steps in (100, 250):
        folder = seeded(tmp_path / str(steps), [0, 1], [[2], [4]])
        facts = json.loads((folder / "run.json").read_text())
        facts["methods"]["dpo"]["settings"]["hyperparameters"] = {"steps": steps, "beta": 0.1}
        (folder / "run.json").write_text(json.dumps(facts))
        folders.append(folder)
    assert [row.name for row in read_rows(folders).rows] == ["dpo (pocket, steps 100)", "dpo (pocket, steps 250)"]
