"""Reading a release as a researcher does, compared with the raw files through a path that shares no code."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlrd

import papi
from papi.errors import InputRejected, MissingFile, ReleaseRejected, UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, SPLITS, instrument

FILES = {IPIP_300: ("IPIP300.dat", 33, 333), IPIP_120: ("IPIP120.dat", 31, 151)}
DARK_REVERSED = {"N2", "N6", "N8", "P2", "P7"}
Person = tuple[int, ...]


def raw_key(raw: Path) -> list[dict[str, Any]]:
    """The rows of the item key, straight from the sheet."""
    sheet = xlrd.open_workbook(raw / "IPIP-NEO-ItemKey.xls").sheet_by_index(0)
    names = sheet.row_values(0)
    return [dict(zip(names, sheet.row_values(i), strict=True)) for i in range(1, sheet.nrows)]


def columns_of_key(raw: Path, name: str) -> list[dict[str, Any]]:
    """The key's rows in the order of the columns of a form's raw file."""
    number = "Full#" if name == IPIP_300 else "Short#"
    return sorted((row for row in raw_key(raw) if row[number] != ""), key=lambda row: row[number])


def raw_people(raw: Path, name: str) -> list[Person]:
    """Responses to the statements, 0 = missing, byte by byte from the raw file."""
    if name == DARK_TRIAD:
        text = zipfile.ZipFile(raw / "SD3.zip").read("SD3/data.csv").decode()
        rows = csv.DictReader(io.StringIO(text), delimiter="\t")
        return [tuple(int(row[item]) for item in instrument(name).item_names) for row in rows]
    file, start, stop = FILES[name]
    stored = [[int(digit) for digit in line[start:stop]] for line in (raw / file).read_text().splitlines()]
    minus = [row["Sign"].startswith("-") for row in columns_of_key(raw, name)]
    return [tuple(6 - x if turn and x else x for x, turn in zip(row, minus, strict=True)) for row in stored]


def published_people(release: Path, name: str) -> list[Person]:
    frames = papi.load(release, name).values()
    items = list(instrument(name).item_names)
    return [tuple(row) for frame in frames for row in frame[items].fillna(0).astype(int).to_numpy().tolist()]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_splits_together_hold_everybodys_responses_and_nobody_elses(
    release: Path, simulated_raw: Path, name: str
) -> None:
    assert Counter(published_people(release, name)) == Counter(raw_people(simulated_raw, name))


@pytest.mark.parametrize("name", [IPIP_300, DARK_TRIAD])
def test_a_subjects_statements_stand_beside_the_persons_own_responses(
    release: Path, simulated_raw: Path, name: str
) -> None:
    table = papi.items(release, name)
    texts = dict(zip(table["statement"], table["text"], strict=True))
    if name == IPIP_300:
        columns = [row["Item"] for row in columns_of_key(simulated_raw, name)]
    else:
        codebook = zipfile.ZipFile(simulated_raw / "SD3.zip").read("SD3/codebook.txt").decode("cp1252")
        columns = [line.split("\t")[1] for line in codebook.splitlines() if line[:1] in "MNP" and line[2:3] == "\t"]
    people = set(raw_people(simulated_raw, name))
    for subject in papi.subjects(release, "test", name):
        answered = {texts[item.statement]: item.response or 0 for item in subject.given + subject.held_out}
        assert tuple(answered[text] for text in columns) in people


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_each_item_has_the_words_facet_and_sign_of_its_column(release: Path, simulated_raw: Path, name: str) -> None:
    table = papi.items(release, name)
    key = columns_of_key(simulated_raw, name)
    assert table["item"].tolist() == [f"i{number}" for number in range(1, len(key) + 1)]
    assert table["text"].tolist() == [row["Item"] for row in key]
    assert table["facet"].tolist() == [row["Key"] for row in key]
    assert table["facet_name"].str.lower().tolist() == [row["Facet"].lower() for row in key]
    assert table["keyed"].tolist() == [-1 if row["Sign"].startswith("-") else 1 for row in key]
    if name == IPIP_120:
        assert table["ipip_neo_300_item"].tolist() == [f"i{row['Full#']:.0f}" for row in key]


def test_types_are_nullable_and_classes_have_all_their_names(release: Path) -> None:
    people = papi.load(release, split="dev")
    assert {str(people[item].dtype) for item in instrument(IPIP_300).item_names} == {"Int8"}
    assert people["score_N"].dtype == pd.Float32Dtype()
    assert people["flag_missing"].dtype == pd.BooleanDtype()
    assert people["n_missing"].dtype == pd.Int16Dtype()
    assert people["sex"].cat.categories.tolist() == ["male", "female"]
    assert people["age_band"].cat.categories.tolist()[::6] == ["<18", "65+"]
    assert people["country"].dtype == pd.StringDtype()
    assert people["subject_id"].str.fullmatch(r"ipip300-[0-9a-f]{16}").all()


def test_a_gap_is_na_and_never_zero(release: Path) -> None:
    answers = papi.load(release, split="dev")[list(instrument(IPIP_300).item_names)]
    assert answers.isna().sum().sum() > 0
    assert answers.min().min() == 1
    assert (answers.isna().sum(axis=1) == papi.load(release, split="dev")["n_missing"]).all()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_scores_turn_exactly_the_items_keyed_minus(release: Path, name: str) -> None:
    responses = papi.load(release, name, split="dev")
    turned = papi.load(release, name, split="dev", values="scores")
    minus = {item.name for item in instrument(name).items if item.keyed < 0}
    assert name != DARK_TRIAD or minus == DARK_REVERSED
    for item in instrument(name).item_names:
        expected = 6 - responses[item] if item in minus else responses[item]
        pd.testing.assert_series_equal(turned[item], expected.astype("Int8"))
    others = responses.columns.difference(instrument(name).item_names)
    pd.testing.assert_frame_equal(turned[others], responses[others])


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_published_scores_are_the_means_of_the_turned_items(release: Path, name: str) -> None:
    turned = papi.load(release, name, split="dev", values="scores")
    published = papi.scores(release, name, split="dev")
    assert published.index.tolist() == turned["subject_id"].tolist()
    for scale in instrument(name).domains:
        items = turned[[instrument(name).item_names[j] for j in scale.positions]].astype("Float64")
        enough = 2 * items.notna().sum(axis=1) >= items.shape[1]
        expected = items.mean(axis=1).where(enough).to_numpy(dtype=np.float32, na_value=np.nan)
        found = published[f"score_{scale.name}"].to_numpy(dtype=np.float32, na_value=np.nan)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_without_a_split_one_gets_all_of_them(release: Path, name: str) -> None:
    frames = papi.load(release, name)
    assert list(frames) == list(SPLITS)
    ids = [subject for frame in frames.values() for subject in frame["subject_id"]]
    assert len(set(ids)) == len(ids) == 400
    for split, frame in frames.items():
        pd.testing.assert_frame_equal(frame, papi.load(release, name, split=split))
        assert frame["subject_id"].is_monotonic_increasing


def test_the_long_form_is_the_default_and_a_path_may_be_text(release: Path) -> None:
    pd.testing.assert_frame_equal(
        papi.load(str(release), split="test"), papi.load(release, IPIP_300, split="test", values="responses")
    )
    assert len(papi.items(release)) == 447


@pytest.mark.parametrize(("name", "given", "held_out"), [(IPIP_300, 120, 180), (DARK_TRIAD, 18, 9)])
def test_a_subject_has_given_and_held_out_items(release: Path, name: str, given: int, held_out: int) -> None:
    people = papi.subjects(release, "test_population", name)
    assert {(len(one.given), len(one.held_out)) for one in people} == {(given, held_out)}
    ids = papi.load(release, name, split="test_population")["subject_id"]
    assert [one.subject_id for one in people] == ids.tolist()


def test_an_items_score_is_six_less_the_response_where_it_is_keyed_minus(release: Path) -> None:
    answered = [item for one in papi.subjects(release) for item in one.given + one.held_out]
    assert {item.keyed for item in answered} == {-1, 1}
    for item in answered:
        expected = item.response if item.keyed > 0 or item.response is None else 6 - item.response
        assert item.score == expected


Call = Callable[[Path], Any]
MISTAKES: dict[str, tuple[Call, str]] = {
    "config": (lambda r: papi.load(r, "ipip"), "expected ipip-neo-300, ipip-neo-120, dark-triad, items"),
    "split": (lambda r: papi.load(r, split="train"), "expected dev, test, test_population"),
    "split of items": (lambda r: papi.load(r, "items", split="dev"), "expected items"),
    "values": (lambda r: papi.load(r, split="dev", values="stored"), "expected responses or scores"),  # type: ignore[call-overload]
    "revision": (lambda r: papi.load(r, split="dev", revision="v1"), "a folder has no revisions"),
    "short form": (lambda r: papi.subjects(r, config=IPIP_120), "has no held-out items"),
    "scores of items": (lambda r: papi.scores(r, "items", split="items"), "no instrument is called 'items'"),
    "subjects of items": (lambda r: papi.subjects(r, config="items"), "no instrument is called 'items'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_call_that_means_nothing_is_a_usage_error(release: Path, mistake: str) -> None:
    call, words = MISTAKES[mistake]
    with pytest.raises(UsageError) as caught:
        call(release)
    assert words in str(caught.value)


def test_a_folder_without_a_manifest_is_no_release(tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "is no PAPI release"), (tmp_path / "absent", "is not there")):
        with pytest.raises(MissingFile, match=words):
            papi.load(folder, split="dev")


@pytest.fixture
def damaged(release: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], Any]], Path]:
    """Give a copy of the release whose manifest was changed."""

    def damage(change: Callable[[dict[str, Any]], Any]) -> Path:
        copy = Path(shutil.copytree(release, tmp_path / "copy"))
        manifest = json.loads((copy / "manifest.json").read_text())
        change(manifest)
        (copy / "manifest.json").write_text(json.dumps(manifest))
        return copy

    return damage


@pytest.mark.parametrize("text", ['{"format": "papi-', "[]", "null", '{"format": "papi-release"}'])
def test_a_manifest_that_is_none_is_rejected(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ReleaseRejected, match=r"manifest\.json is"):
        papi.load(tmp_path, split="dev")


@pytest.mark.parametrize(
    "change", [{"format": "other"}, {"format_version": 2}, {"files": {}}], ids=["format", "version", "files"]
)
def test_a_manifest_of_something_else_is_rejected(damaged: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ReleaseRejected):
        papi.load(damaged(lambda manifest: manifest.update(change)), split="dev")


@pytest.mark.parametrize("change", [{"configs": {IPIP_300: {}}}, {"configs": None}, {"files": None}], ids=str)
def test_a_manifest_with_holes_further_down_is_rejected(damaged: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ReleaseRejected):
        papi.load(damaged(lambda manifest: manifest.update(change)), split="dev")


def test_a_config_or_a_file_that_was_taken_away_is_named(damaged: Any) -> None:
    copy = damaged(lambda manifest: manifest["configs"].pop(DARK_TRIAD))
    with pytest.raises(UsageError, match="this release has no config 'dark-triad'"):
        papi.load(copy, DARK_TRIAD)
    shard = next((copy / "data" / IPIP_300).glob("dev-*"))
    shard.unlink()
    with pytest.raises(InputRejected, match=shard.name):
        papi.load(copy, split="dev")


def test_only_unflagged_people_are_loaded_on_request(release: Path) -> None:
    everybody = papi.load(release, IPIP_120, split="dev")
    clean = papi.load(release, IPIP_120, split="dev", unflagged=True)
    flags = [name for name in everybody if name.startswith("flag_")]
    assert len(flags) == 5
    assert not clean[flags].to_numpy(dtype=bool).any()
    kept = everybody[~everybody[flags].to_numpy(dtype=bool).any(axis=1)]
    assert clean["subject_id"].tolist() == kept["subject_id"].tolist()
    assert 0 < len(clean) < len(everybody)


def test_items_have_no_flags_and_all_stay(release: Path) -> None:
    assert len(papi.load(release, "items", split="items", unflagged=True)) == len(papi.items(release))
