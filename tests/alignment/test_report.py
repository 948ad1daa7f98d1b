"""Reports of runs: what is measured, and that the files say it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from run_folders import (
    RELEASE,
    Line,
    method,
    model_line,
    run_facts,
    whole_run,
    write_run,
)
from small_runs import ITEMS, METHODS, PEOPLE, lines, results_of, run, seeded

from alignment.report import write_report
from alignment.report.leaderboard import ranked
from papi.tables import read_toml
from papi.words import number

# measures


def test_small_runs_worked_out_by_hand(tmp_path: Path) -> None:
    found = results_of(run(tmp_path / "run")).document["methods"]
    constant = found["constant-3"]["decodes"]["value"]
    # M: (2+1+0)/3, 2, 0; N: (1+2+2)/3, (2+2)/2, 0; P: (1+0+1)/3, 0, 0
    assert [constant["domains"][x]["mae"] for x in "MNP"] == pytest.approx([1, 11 / 9, 2 / 9], abs=1e-6)
    assert constant["sum"] == pytest.approx(22 / 9, abs=1e-6)
    assert constant["mean"] == pytest.approx(22 / 27, abs=1e-6)
    assert constant["accuracy"] == pytest.approx((2 / 9 + 3 / 8 + 1) / 3, abs=1e-6)
    assert constant["within_one"] == pytest.approx((6 / 9 + 3 / 8 + 1) / 3, abs=1e-6)
    assert [constant["domains"][x]["r"] for x in "MNP"] == [None] * 3
    ridge = found["ridge"]["decodes"]
    assert (ridge["value"]["sum"], ridge["rounded"]["sum"]) == pytest.approx((0.75, 0))
    assert [ridge["rounded"]["domains"][x]["r"] for x in "MNP"] == pytest.approx([1, 1, 1])
    model = found["few-shot-18"]["decodes"]["median"]
    assert model["sum"] == pytest.approx((1 / 3 + 0 + 1 / 3) / 3, abs=1e-6)  # nobody can answer 6
    assert model["difference_to_ridge"]["mean"] == pytest.approx(2 / 9, abs=1e-6)  # ridge rounded is right everywhere
    assert found["uniform"]["decodes"].keys() == {"value"}
    assert found["uniform"]["decodes"]["value"]["accuracy"] == pytest.approx(0.2)
    always = found["pas-published"]
    assert always["option_lock"] == {"option": 5, "share": 1.0, "letter": None, "letter_share": None, "locked": True}
    assert always["leaky"] is True
    assert found["few-shot-18"]["option_lock"]["locked"] is False
    assert (always["option_mass"], found["ridge"]["option_mass"], found["ridge"]["option_lock"]) == (1.0, None, None)


def test_differences_are_of_the_people_whom_both_have(tmp_path: Path) -> None:
    answers = [line for line in lines() if not (line["method"] == "ridge" and line["subject"] == "sd3-b")]
    found = results_of(run(tmp_path / "run", answers)).document["methods"]
    assert found["ridge"]["n"] == 2
    apart = found["pas-published"]["decodes"]["median"]["difference_to_ridge"]
    whole = found["pas-published"]["decodes"]["median"]["sum"]
    assert apart["mean"] == pytest.approx((3 + 5 / 3 + 2 + (2 + 2 + 2)) / 2, abs=1e-6)  # sd3-a and sd3-c alone
    assert apart["mean"] != pytest.approx(whole, abs=1e-3)
    assert apart["low"] <= apart["mean"] <= apart["high"]


def test_without_ridge_there_is_no_difference_and_the_text_says_so(tmp_path: Path) -> None:
    answers = [line for line in lines() if line["method"] != "ridge"]
    facts = {name: each for name, each in METHODS.items() if name != "ridge"}
    where, results = write_report([run(tmp_path / "run", answers, methods=facts)], figures=False)
    assert results.document["reference"] is None
    decodes = [d for each in results.document["methods"].values() for d in each["decodes"].values()]
    assert all(each["difference_to_ridge"] is None for each in decodes)
    assert "no ridge row" in (where / "leaderboard.md").read_text()


def test_a_model_that_does_not_answer_is_refused_and_named(tmp_path: Path) -> None:
    answers = [line | {"mass": 0.49} if line["method"] == "few-shot-18" else line for line in lines()]
    where, results = write_report([run(tmp_path / "run", answers)], figures=False)
    found = results.document["methods"]["few-shot-18"]
    assert found["decodes"] == {}
    assert "0.490, under 0.5" in found["refused"]
    assert "`few-shot-18`: the mean probability" in (where / "leaderboard.md").read_text()
    assert "few-shot-18" not in [each.row.name for each in ranked(results)]
    assert results_of(run(tmp_path / "just", lines(), min_mass=0.8)).document["methods"]["few-shot-18"]["decodes"]


def test_the_failed_are_counted_and_named_unless_they_succeeded_later(tmp_path: Path) -> None:
    failures = [
        {"method": "ridge", "subject": "sd3-a", "reason": "stopped"},
        {"method": "ridge", "subject": "sd3-x", "reason": "no | memory"},
    ]
    folder = write_run(tmp_path / "run", run_facts(METHODS, subjects=5), lines(), failures)
    where, results = write_report([folder], figures=False)
    found = results.document["methods"]
    assert found["ridge"]["excluded"] == {"sd3-x": "no | memory"}
    assert (found["ridge"]["n"], found["ridge"]["pending"], found["uniform"]["pending"]) == (3, 1, 2)
    text = (where / "leaderboard.md").read_text()
    assert "`ridge`: 1 excluded – `sd3-x` (no | memory)" in text
    assert "`ridge`: 1 not asked yet" in text


def test_costs_are_means_a_subject_with_repeated_attempts(tmp_path: Path) -> None:
    costs = [
        {"method": "ridge", "subject": "sd3-a", "seconds": 1.0, "tokens": None, "memory": 1},
        {"method": "ridge", "subject": "sd3-a", "seconds": 2.0, "tokens": None, "memory": 1},
        {"method": "ridge", "subject": "sd3-b", "seconds": 0.5, "tokens": None, "memory": 1},
    ]
    found = results_of(write_run(tmp_path / "run", run_facts(METHODS), lines(), (), costs)).document["methods"]
    assert (found["ridge"]["seconds"], found["ridge"]["tokens"], found["uniform"]["seconds"]) == (1.75, None, None)


# the files


NUMBER, NULL = (int, float), type(None)
METHOD: dict[str, Any] = {
    "method": str, "model": (str, NULL), "sees_dev": (str, NULL), "leaky": bool, "floor": bool, "n": int,
    "seeds": int, "unparseable": int, "parsed": int, "pending": int, "excluded": dict,
    "option_mass": (*NUMBER, NULL), "option_lock": (dict, NULL),
    "seconds": (*NUMBER, NULL), "tokens": (*NUMBER, NULL), "refused": (str, NULL), "decodes": dict,
}  # fmt: skip
DECODE: dict[str, Any] = {
    **dict.fromkeys(("sum", "sum_low", "sum_high", "mean", "accuracy", "within_one"), (*NUMBER, NULL)),
    "by_seed": (list, NULL), "domains": dict, "facets": dict, "difference_to_ridge": (dict, NULL),
}  # fmt: skip
TOP = ("format", "release", "config", "split", "labels", "subjects", "reference", "intervals", "runs", "methods")


def assert_shape(part: Line, shape: Line) -> None:
    assert part.keys() == shape.keys()
    assert [name for name, kind in shape.items() if not isinstance(part[name], kind)] == []


@pytest.mark.parametrize("config", ["ipip-neo-300", "dark-triad"])
def test_results_follow_their_schema(tmp_path: Path, config: str) -> None:
    where, _ = write_report([whole_run(tmp_path / "run", 8, 5, config)], figures=False)
    document = json.loads((where / "results.json").read_text())
    assert tuple(document) == TOP
    assert document["format"] == "papi-results-1"
    schema = str(__import__("alignment.report.results", fromlist=["x"]).__doc__)
    assert all(f"`{name}" in schema for name in (*TOP, *METHOD, *DECODE) if name != "methods")
    for each in document["methods"].values():
        assert_shape(each, METHOD)
        assert set(each["decodes"]) <= {"argmax", "median", "expected", "value", "rounded"}
        for decode in each["decodes"].values():
            assert_shape(decode, DECODE)
            assert len(decode["facets"]) == (30 if config == "ipip-neo-300" else 0)
            for scale in (*decode["domains"].values(), *decode["facets"].values()):
                assert_shape(scale, dict.fromkeys(("mae", "low", "high", "r"), (*NUMBER, NULL)))
                assert scale["low"] <= scale["mae"] <= scale["high"]
            assert_shape(decode["difference_to_ridge"], dict.fromkeys(("mean", "low", "high"), NUMBER))
            assert decode["sum"] == pytest.approx(sum(x["mae"] for x in decode["domains"].values()), abs=1e-5)


def test_the_same_runs_give_the_same_bytes_and_an_older_report_is_replaced(tmp_path: Path) -> None:
    folder = whole_run(tmp_path / "run", 6, 8, "dark-triad")
    first, _ = write_report([folder])
    assert first == folder / "report"
    content = {path.name: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert set(content) == {
        *("results.json", "leaderboard.md", "leaderboard.csv", "by_scale.csv"),
        *("leaderboard.png", "domains.png", "answers.png", "strengths.png", "subjects.png"),
    }
    again, _ = write_report([folder], tmp_path / "again")
    assert {path.name: path.read_bytes() for path in again.rglob("*") if path.is_file()} == content
    write_report([folder], tmp_path / "again", figures=False)
    assert [path.name for path in again.rglob("*.png")] == []


def test_the_leaderboard_is_sorted_and_its_csv_says_the_same(tmp_path: Path) -> None:
    where, results = write_report([whole_run(tmp_path / "run", 9, 5)], figures=False)
    order = [each.row.name for each in ranked(results)]
    text = (where / "leaderboard.md").read_text().splitlines()
    rows = [line.split("`")[1] for line in text if line.startswith("| `")]
    assert rows == [*order, *order]  # the leaderboard, and the table by domain
    with (where / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    main = [row for row in rows if row["decode"] in ("median", "value")]
    assert [row["method"] for row in main] == order
    assert [float(row["sum"]) for row in main] == sorted(float(row["sum"]) for row in main)
    facts = results.document["methods"]["ridge"]["decodes"]["rounded"]
    ridge = next(row for row in rows if (row["method"], row["decode"]) == ("ridge", "rounded"))
    assert (float(ridge["sum"]), float(ridge["N"])) == (facts["sum"], facts["domains"]["N"]["mae"])


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({}, ["SIMULATED people", "This run's labels are responses: the paper's column is not comparable"], []),
        ({"labels": "published"}, ["This run is of simulated people: the paper's column is not"], []),
        (
            {"labels": "published", "release": RELEASE | {"simulated": False}},
            ["the argmax of models is comparable"],
            ["SIMULATED", "simulated people", "not comparable"],
        ),
        (
            {"labels": "published", "release": RELEASE | {"simulated": False}, "split": "test_population"},
            ["This run is of the split test_population: the paper's column is not"],
            ["SIMULATED"],
        ),
    ],
    ids=["responses", "simulated", "as published", "population"],
)
def test_published_numbers_stand_beside_with_what_is_to_be_known(
    tmp_path: Path, changes: Line, said: list[str], unsaid: list[str]
) -> None:
    where, _ = write_report([whole_run(tmp_path / "run", 3, 3, **changes)], figures=False)
    text = (where / "leaderboard.md").read_text()
    table = read_toml("alignment", "published.toml")
    for words in (*said, *table["caveats"], "| PAS, Llama-3-8B-Instruct | 0.94 | 0.91 | 0.86 | 0.98 | 0.72 | 4.41 |"):
        assert words in text
    assert not [words for words in unsaid if words in text]


def test_published_numbers_add_up_and_are_for_the_ipip_neo_only(tmp_path: Path) -> None:
    rows = read_toml("alignment", "published.toml")["row"]
    assert sum(rows[0]["domains"].values()) == pytest.approx(rows[0]["published"])
    assert [row["published"] for row in rows] == [4.41, 5.96, 7.45, 7.62, 4.74, 5.21, 4.42]
    where, _ = write_report([run(tmp_path / "run")], figures=False)
    assert "Published numbers" not in (where / "leaderboard.md").read_text()


def test_people_who_answered_nothing_leave_everything_undefined_and_the_report_whole(tmp_path: Path) -> None:
    nobody = dict.fromkeys(PEOPLE, [None] * 9)
    release = {name: RELEASE[name] for name in ("path", "version", "simulated", "manifest_sha256")}
    _, results = write_report([run(tmp_path / "run", lines(nobody), release=release)])
    for each in results.document["methods"].values():
        for decode in each["decodes"].values():
            assert decode["sum"] is decode["sum_low"] is decode["accuracy"] is decode["difference_to_ridge"] is None
    assert results.document["release"]["commit"] is None


def test_one_domain_that_nobody_answered_leaves_the_sum_undefined(tmp_path: Path) -> None:
    part = {who: [*answers[:6], None, None, None] for who, answers in PEOPLE.items()}
    _, results = write_report([run(tmp_path / "run", lines(part))])
    found = results.document["methods"]["few-shot-18"]["decodes"]["median"]
    assert found["sum"] is found["domains"]["P"]["mae"] is found["difference_to_ridge"]["mean"] is None
    assert found["domains"]["M"]["mae"] == pytest.approx((1 / 3 + 0 + 1 / 3) / 3, abs=1e-6)


# the command


def test_the_command_writes_shows_and_explains_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from papi.cli.align_report import report

    folder = run(tmp_path / "run")
    (folder / "answers.jsonl").write_bytes((folder / "answers.jsonl").read_bytes()[:-1])
    report([folder], tmp_path / "out", no_figures=True)
    told = capsys.readouterr()
    assert f"written to {tmp_path / 'out'}" in told.out
    assert "simulated people" in told.out
    assert "few-shot-18" in told.out
    assert "the last line has no end" in told.err
    report([folder], tmp_path / "out", no_figures=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out" / "results.json").read_text())
    assert "Examples" in str(report.__doc__)


def test_an_unwritable_place_is_the_machines_no(tmp_path: Path) -> None:
    from papi.errors import EnvironmentProblem

    (tmp_path / "out").write_text("a file")
    with pytest.raises(EnvironmentProblem):
        write_report([run(tmp_path / "run")], tmp_path / "out", figures=False)


def test_the_error_of_several_seeds_is_the_mean_of_theirs(tmp_path: Path) -> None:
    """Not the error of their mean answer, which would be 0 here."""
    where, _ = write_report([seeded(tmp_path / "run", [0, 1], [[2], [4]])], figures=False)
    found = json.loads((where / "results.json").read_text())["methods"]["dpo"]
    assert found["seeds"] == 2
    assert found["decodes"]["median"]["by_seed"] == [3, 3]
    assert found["decodes"]["median"]["sum"] == 3
    assert found["decodes"]["median"]["accuracy"] == 0
    assert found["option_lock"] == {"option": 2, "share": 0.5, "letter": None, "letter_share": None, "locked": False}
    assert "1 × 2 seeds" in (where / "leaderboard.md").read_text()


def test_domains_and_facets_stand_in_a_table_and_a_file(tmp_path: Path) -> None:
    where, results = write_report([whole_run(tmp_path / "run", 4, 6)], figures=False)
    measured = results.document["methods"]["ridge"]["decodes"]
    with (where / "by_scale.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "ridge"]
    assert len(rows) == 2 * (5 + 30)
    for row in rows:
        found = measured[row["decode"]][f"{row['kind']}s"][row["scale"]]
        assert [row[name] for name in ("mae", "low", "high", "r")] == [
            "" if found[name] is None else str(found[name]) for name in ("mae", "low", "high", "r")
        ]
    table = (where / "leaderboard.md").read_text().partition("## By domain")[2]
    line = next(line for line in table.splitlines() if line.startswith("| `ridge`"))
    worst = measured["value"]["domains"]["N"]
    assert f"{number(worst['mae'])} ({number(worst['low'])} to {number(worst['high'])})" in line
    assert line.endswith(f" {number(measured['value']['mean'])} |")


def test_a_letter_that_is_always_said_is_seen_in_both_orders(tmp_path: Path) -> None:
    """By meaning the two orders average out to no lock at all."""
    half = [[0.5, 0, 0, 0, 0.5]] * len(ITEMS)
    said = [
        model_line("few-shot-18", who, ITEMS, answers, half, 1.0, letters=[2 * len(ITEMS), 0, 0, 0, 0])
        for who, answers in PEOPLE.items()
    ]
    facts = run_facts({"few-shot-18": method()}, option_order="both")
    where, _ = write_report([write_run(tmp_path / "run", facts, said)], figures=False)
    lock = json.loads((where / "results.json").read_text())["methods"]["few-shot-18"]["option_lock"]
    assert (lock["letter"], lock["letter_share"], lock["locked"]) == ("A", 1, True)
    assert "the letter A to 100 %" in (where / "leaderboard.md").read_text()
