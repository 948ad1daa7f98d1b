"""Releases of the real files against what is known of them; skipped where the files are absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import papi
from builders.options import BuildOptions
from builders.release import build_release
from papi.errors import GateFailed, InputRejected
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument
from papi.manifest import read_manifest

FIRST_PERSON = r"\b(?:I|I'm|I've|I'll|me|my|myself|mine|am)\b"


@pytest.fixture(scope="module")
def by_recipe(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real") / "release"
    build_release(real_data / "raw", out, BuildOptions(figures=False))
    return out


@pytest.fixture(scope="module")
def by_lists(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real") / "release"
    build_release(real_data / "raw", out, BuildOptions(published=real_data / "published"))
    return out


def people(release: Path, config: str) -> pd.DataFrame:
    return pd.concat(papi.load(release, config).values(), ignore_index=True)


def answers(frame: pd.DataFrame, config: str) -> np.ndarray:
    return frame[list(instrument(config).item_names)].astype("float").to_numpy()


def gate(release: Path, config: str, statistic: str) -> float:
    findings = read_manifest(release)["gates"]
    (value,) = [f["value"] for f in findings if f["instrument"] == config and f["statistic"] == statistic]
    return float(value)


def test_rows_in_are_rows_out(by_recipe: Path, by_lists: Path) -> None:
    for release in (by_recipe, by_lists):
        assert {c: len(people(release, c)) for c in INSTRUMENTS} == {IPIP_300: 200, IPIP_120: 200, DARK_TRIAD: 18_192}
        manifest = read_manifest(release)
        assert manifest["simulated"] is False
        assert manifest["cases_in_both_ipip_forms"] == 200
        assert {f["verdict"] for f in manifest["gates"]} == {"passed", "not assessed"}


def test_facet_alphas_are_the_known_ones(by_recipe: Path) -> None:
    assert gate(by_recipe, IPIP_300, "mean alpha of the scales") == pytest.approx(0.885, abs=0.0005)
    assert gate(by_recipe, DARK_TRIAD, "smallest alpha of a scale") == pytest.approx(0.798, abs=0.0005)


def test_the_dark_triad_has_its_known_counts(by_recipe: Path) -> None:
    frame = people(by_recipe, DARK_TRIAD)
    assert int(frame["n_missing"].sum()) == 748
    assert int((frame["n_missing"] > 0).sum()) == 452
    assert int((frame["n_missing"] == 27).sum()) == 6
    assert int(frame["flag_duplicate"].sum()) == 59
    constant = (frame["n_missing"] == 0) & (frame["irv"].fillna(1) == 0)
    assert int(constant.sum()) + 6 == 31  # with the six empty ones


def test_the_published_subjects_are_the_test_split(by_lists: Path, real_data: Path) -> None:
    for config, name in ((IPIP_300, "Test-set.json"), (DARK_TRIAD, "dark_triad_Test_set.json")):
        of = instrument(config)
        listed = json.loads((real_data / "published" / name).read_text())
        stored = np.array([[person[item] for item in of.item_names] for person in listed])
        test = papi.load(by_lists, config, split="test", values="scores" if of.is_ipip else "responses")
        assert sorted(map(tuple, np.nan_to_num(answers(test, config)).astype(int))) == sorted(map(tuple, stored))


def test_published_answers_are_turned_on_the_148_negative_items_only(by_lists: Path, real_data: Path) -> None:
    of = instrument(IPIP_300)
    listed = json.loads((real_data / "published" / "Test-set.json").read_text())
    stored = np.array([[person[item] for item in of.item_names] for person in listed], dtype=float)
    responses = answers(papi.load(by_lists, IPIP_300, split="test"), IPIP_300)
    answered = np.where(stored > 0, np.where(of.keyed < 0, 6 - stored, stored), 0)
    wrong = (stored != answered)[stored > 0].mean()
    assert int((of.keyed < 0).sum()) == 148
    assert wrong == pytest.approx(0.331, abs=0.0015)  # of the 200; .327 of the 300
    assert sorted(map(tuple, np.nan_to_num(responses))) == sorted(map(tuple, answered))


def test_of_the_200_nobody_is_left_for_the_other_splits_and_this_is_said(by_lists: Path) -> None:
    manifest = read_manifest(by_lists)
    assert manifest["configs"][IPIP_300]["splits"] == {"test": 200}
    assert manifest["configs"][DARK_TRIAD]["splits"] == {"dev": 17_592, "test": 300, "test_population": 300}
    assert manifest["configs"][DARK_TRIAD]["split_definition"]["test"] == {
        "protocol": "published list",
        "listed": 300,
        "found": 300,
    }


def test_the_population_sample_looks_like_the_population(by_recipe: Path, by_lists: Path) -> None:
    for release in (by_recipe, by_lists):
        sample: dict[str, Any] = read_manifest(release)["configs"][DARK_TRIAD]["likeness"]["test_population"]
        assert all(abs(sample[name] - 1) <= 0.05 for name in ("variance_ratio", "extremes_ratio", "alpha_ratio"))
        assert max(sample["trait_distances"].values()) <= 0.05


def test_the_published_test_subjects_are_measured_beside_everybody(by_lists: Path) -> None:
    likeness: dict[str, Any] = read_manifest(by_lists)["configs"][DARK_TRIAD]["likeness"]
    assert likeness["all_unflagged"]["extremes"] == pytest.approx(0.337, abs=0.01)
    assert likeness["test"]["variance_ratio"] == pytest.approx(0.732, abs=0.01)
    assert likeness["test"]["extremes"] == pytest.approx(0.207, abs=0.001)
    assert likeness["test"]["alpha"] == pytest.approx(0.90, abs=0.01)


def test_the_recipe_gives_the_kind_of_people_it_is_known_for(by_recipe: Path, by_lists: Path) -> None:
    for release in (by_recipe, by_lists):
        everybody = answers(people(release, DARK_TRIAD), DARK_TRIAD)
        test = answers(papi.load(release, DARK_TRIAD, split="test"), DARK_TRIAD)
        ratio = np.nanvar(test, axis=0).mean() / np.nanvar(everybody, axis=0).mean()
        assert ratio == pytest.approx(0.732, abs=0.04)
        assert np.isin(test, (1, 5)).mean() == pytest.approx(0.207, abs=0.02)


def test_both_ways_publish_the_same_people(by_recipe: Path, by_lists: Path) -> None:
    for config in INSTRUMENTS:
        a, b = (
            people(release, config).sort_values("subject_id", ignore_index=True) for release in (by_recipe, by_lists)
        )
        pd.testing.assert_frame_equal(a, b)


def test_statements_are_in_the_second_person(by_recipe: Path) -> None:
    items = papi.items(by_recipe)
    assert len(items) == 300 + 120 + 27
    statements = items["statement"]
    assert not statements.str.contains(FIRST_PERSON).any()
    assert (statements.str.count(r"\.") == 1).all()
    ipip = items[items["instrument"] == IPIP_300].set_index("item")["statement"]
    assert ipip["i99"] == "You use others for your own ends."
    assert ipip["i55"] != ipip["i145"]
    short = papi.items(by_recipe, IPIP_120)
    assert (short["statement"].to_numpy() == ipip[short["ipip_neo_300_item"]].to_numpy()).all()


def test_an_empty_country_and_namibia_stay_apart(real_data: Path, tmp_path: Path) -> None:
    options = BuildOptions(only=(DARK_TRIAD,), min_country=1, figures=False)
    build_release(real_data / "raw", tmp_path / "release", options)
    country = people(tmp_path / "release", DARK_TRIAD)["country"]
    assert int((country == "NA").sum()) == 1
    assert int(country.isna().sum()) == 1
    assert not country.isin(["A1", "A2", "AP", "EU"]).any()


def test_real_and_simulated_files_do_not_mix(real_data: Path, raw_copy: Path, tmp_path: Path) -> None:
    (raw_copy / "SD3.zip").write_bytes((real_data / "raw" / "SD3.zip").read_bytes())
    with pytest.raises(InputRejected, match="mix real and simulated"):
        build_release(raw_copy, tmp_path / "release", BuildOptions())


def test_real_answers_do_not_fit_the_simulated_key(real_data: Path, raw_copy: Path, tmp_path: Path) -> None:
    (raw_copy / "IPIP300.dat").write_bytes((real_data / "raw" / "ipip" / "IPIP300.dat").read_bytes())
    with pytest.raises(GateFailed, match="fingerprint"):
        build_release(raw_copy, tmp_path / "release", BuildOptions(only=(IPIP_300,)))
