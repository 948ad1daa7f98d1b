"""The figures of a report: readable with few and many methods, and what they show is what was measured."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from drawn import assert_well_set
from PIL import Image
from run_folders import MODELS, chosen_methods, floor_line, held_out, method, run_facts, whole_run, write_run

from alignment.measures import Resamples
from alignment.report.figures.methods import called
from alignment.report.figures.strengths import strengths_of
from alignment.report.pictures import DRAW, draw_figures
from alignment.report.results import Results, measure_rows
from alignment.report.rows import read_rows
from papi.sheet import WIDTH, Heading, Picture, house_style
from papi.tables import read_toml

LONG = ("some-laboratory/A-Model-With-A-Long-Name-3.1-70B-Instruct", "some-laboratory/A-Model-3.1-8B-Instruct")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """Runs of 1, 3, 12 and 30 methods, and one method list of two models with long names on the Dark Triad."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {str(count): [whole_run(folder / str(count), count, 6)] for count in (1, 3, 12, 30)}
    runs["two"] = [whole_run(folder / name[-12:], 12, 6, "dark-triad", model={"name": name}) for name in LONG]
    rows = {name: read_rows(folders) for name, folders in runs.items()}
    return {name: measure_rows(each, Resamples(len(each.subjects), count=200)) for name, each in rows.items()}


def pictures(results: Results) -> dict[str, Picture | str]:
    texts = read_toml("alignment", "report.toml")["figure"]
    readings = {name: each["reading"] + each.get("reading_of_ridge", "") for name, each in texts.items()}
    with house_style():
        return {n: draw(results, Heading(f"{n} – simulated people", readings[n])) for n, draw in DRAW.items()}


@pytest.mark.parametrize("name", ["1", "3", "12", "30", "two"])
def test_words_stay_apart_and_on_the_sheet(measured: dict[str, Results], name: str) -> None:
    with house_style():
        for picture in pictures(measured[name]).values():
            if isinstance(picture, Picture):
                assert_well_set(picture.sheet)


def test_a_line_of_ridge_is_spoken_of_where_there_is_one(tmp_path: Path) -> None:
    said = {}
    for ridge in (True, False):
        methods = {"constant-3": method(floor=True)} | ({"ridge": method(floor=True)} if ridge else {})
        people = {"sd3-a": [1, 2, 3, 4, 5, 1, 2, 3, 4], "sd3-b": [3] * 9}
        answers = [
            floor_line(m, who, held_out("dark-triad"), known, 3) for m in methods for who, known in people.items()
        ]
        folder = write_run(tmp_path / str(ridge), run_facts(methods, subjects=2), answers)
        said[ridge] = " ".join(each.caption for each in draw_figures(measure_rows(read_rows([folder]))))
    assert "ridge" in said[True]
    assert "ridge" not in said[False]


def test_what_cannot_be_drawn_is_said(measured: dict[str, Results]) -> None:
    drawn = {each.name: each for each in draw_figures(measured["3"])}
    assert drawn["strengths"].path is None
    assert "no method of these runs chose a strength" in drawn["strengths"].alt
    for name, each in drawn.items():
        if name != "strengths":
            image = Image.open(BytesIO(each.content))
            assert (image.format, image.width, image.info) == ("PNG", WIDTH, {})
            assert each.title.endswith("simulated people")


def test_every_figure_has_its_texts() -> None:
    assert list(read_toml("alignment", "report.toml")["figure"]) == list(DRAW)


def test_alt_texts_say_what_was_measured(measured: dict[str, Results]) -> None:
    said = {name: picture.alt for name, picture in pictures(measured["30"]).items() if isinstance(picture, Picture)}
    facts = measured["30"].document["methods"]
    assert "no-change gives 5 to 100 %" in said["answers"]
    assert "constant-3 gives 3 to 100 %" in said["answers"]
    assert "uniform gives" not in said["answers"]
    assert f"ridge with {facts['ridge']['decodes']['value']['sum']:.2f}" in said["leaderboard"]
    assert f"to {facts['constant-5']['decodes']['value']['sum']:.2f}".split()[1] in said["leaderboard"]


def test_strengths_are_compared_with_no_steering_subject_by_subject(measured: dict[str, Results]) -> None:
    pas = measured["12"].methods["pas"]
    found = strengths_of(pas)
    assert found is not None
    fits = list(pas.row.fits.values())
    apart = np.array([[fit["fold_errors"][f"{a:g}"] - fit["fold_errors"]["0"] for a in found.alphas] for fit in fits])
    assert found.errors.tolist() == pytest.approx(apart.mean(axis=0).tolist())
    assert found.deviations.tolist() == pytest.approx((apart.std(axis=0, ddof=1) / np.sqrt(len(fits))).tolist())
    assert found.given.sum() == pytest.approx(1)
    assert strengths_of(measured["12"].methods["ridge"]) is None


def test_names_are_shortened_where_they_say_least() -> None:
    name = "few-shot-120 (owner/Model-70B-Instruct)"
    assert called(name, 99) == "few-shot-120 (Model-70B-Instruct)"
    assert called(name, 21) == "few-shot-1…-Instruct)"
    assert len(called(name, 20)) == 20


def test_the_made_up_runs_are_what_they_are_called(tmp_path: Path) -> None:
    assert [len(chosen_methods(count)) for count in (1, 3, 12, 30)] == [1, 3, 12, 30]
    assert set(chosen_methods(30)) >= set(MODELS)
