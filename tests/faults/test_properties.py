"""Whatever the answers are: raw files round-trip, zero is nobody's answer, every table is built or refused aloud."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from fault_table import FaultTable
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import papi

from builders.published_recipe import nearest_to_centres
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.sd3_data import read_sd3_data
from builders.simulate_demographics import draw_dark_triad_demographics, draw_ipip_demographics
from builders.simulate_files import ipip_records, sd3_codebook, sd3_data
from papi.instruments import DARK_TRIAD, IPIP_120, MISSING, instrument
from papi.scoring import (
    Answers,
    responses_from_stored,
    scale_score,
    scores_from_responses,
    stored_from_responses,
    turned,
)
from validation.moments import moments_of

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)
crowds = st.tuples(st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))


def answers_of(crowd: tuple[int, int, float], items: int) -> Answers:
    """Random answers with gaps, (people, items)."""
    people, seed, missing = crowd
    draw = np.random.default_rng(seed)
    answers = draw.integers(1, 6, (people, items)).astype(np.int8)
    answers[draw.random((people, items)) < missing] = MISSING
    return np.asfortranarray(answers)


@given(crowds)
@SETTINGS
def test_what_is_written_as_records_is_read_as_it_was(crowd: tuple[int, int, float]) -> None:
    of = instrument(IPIP_120)
    stored = answers_of(crowd, 120)
    people = draw_ipip_demographics(of, len(stored), np.random.default_rng(crowd[1]))
    table = read_ipip_dat(ipip_records(of, stored, people, slice(0, len(stored))), IPIP_120, "f")
    assert (table.answers == stored).all()
    for name in ("sex", "hour", "day", "month", "year"):
        written = people.numbers[name]
        assert table.people[name].fillna(-1).tolist() == np.where(written < 0, -1, written).tolist()
    assert table.impossible == {}


@given(crowds)
@SETTINGS
def test_what_is_written_as_data_csv_is_read_as_it_was(crowd: tuple[int, int, float]) -> None:
    responses = answers_of(crowd, 27)
    country, source = draw_dark_triad_demographics(
        instrument(DARK_TRIAD), len(responses), np.random.default_rng(crowd[1])
    )
    table = read_sd3_data(sd3_data(responses, country, source), "f")
    assert (table.answers == responses).all()
    written = [country.names[code] or None for code in country.codes.tolist()]
    read = table.people["country"].astype(object)
    assert read.where(read.notna(), None).tolist() == written


@given(crowds)
@SETTINGS
def test_zero_never_reaches_a_reversal_or_a_mean(crowd: tuple[int, int, float]) -> None:
    of = instrument(IPIP_120)
    stored = answers_of(crowd, 120)
    responses = responses_from_stored(stored, of)
    scores = scores_from_responses(responses, of)
    for matrix in (responses, scores, turned(stored, np.ones(120, dtype=bool))):
        assert ((matrix == MISSING) == (stored == MISSING)).all()
        assert matrix.min() >= 0
        assert matrix.max() <= 5
    assert (stored_from_responses(responses, of) == stored).all()
    for scale in (*of.domains, *of.facets):
        means = scale_score(scores, scale)
        known = means[~np.isnan(means)]
        assert ((known >= 1) & (known <= 5)).all()
    means = moments_of(scores).means
    assert (means[~np.isnan(means)] >= 1).all()


def test_zero_never_reaches_k_means() -> None:
    """Gaps filled with the item mean and gaps filled with anything else lead to the same people."""
    responses = answers_of((400, 5, 0.0), 120)
    gaps = np.random.default_rng(6).random(responses.shape) < 0.02
    holed = np.where(gaps, MISSING, responses).astype(np.int8)
    everybody = np.ones(400, dtype=bool)
    means = np.round(np.ma.masked_equal(holed, MISSING).mean(axis=0)).astype(np.int8)
    nearly = np.asfortranarray(np.where(gaps, means, holed))
    zeros_as_ones = np.asfortranarray(np.where(gaps, 1, holed).astype(np.int8))
    chosen = [
        set(nearest_to_centres(m, everybody, 40).tolist()) for m in (np.asfortranarray(holed), nearly, zeros_as_ones)
    ]
    assert len(chosen[0] & chosen[1]) > len(chosen[0] & chosen[2])


def lines_of(seed: int, people: int) -> list[bytes]:
    of = instrument(DARK_TRIAD)
    draw = np.random.default_rng(seed)
    responses = answers_of((people, seed, 0.02), len(of.items))
    return sd3_data(responses, *draw_dark_triad_demographics(of, people, draw)).splitlines(keepends=True)


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 60), marks=pytest.mark.faults)], ids=["few", "many"])
def test_any_table_is_built_or_refused_with_a_message(
    tmp_path: Path, seeds: range, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random answers, lines dropped, doubled, swapped or cut: exit 0, 3 or 4, and a release exactly where it is 0."""
    for seed in seeds:
        choose = random.Random(seed)
        lines = lines_of(seed, choose.choice([5, 40, 120]))
        for _ in range(choose.randrange(4)):
            i, j = choose.randrange(len(lines)), choose.randrange(len(lines))
            change = choose.choice(["drop", "double", "swap", "cut"])
            if change == "drop":
                lines[i] = b""
            elif change == "double":
                lines[i] += lines[j]
            elif change == "swap":
                lines[i], lines[j] = lines[j], lines[i]
            else:
                lines[i] = lines[i][: choose.randrange(1 + len(lines[i]))] + b"\n"
        raw = tmp_path / f"raw-{seed}"
        raw.mkdir()
        (raw / "data.csv").write_bytes(b"".join(lines))
        (raw / "codebook.txt").write_bytes(sd3_codebook())
        with faults.case("any: a random table is built or refused with a message"):
            code = papi("build", raw, tmp_path / f"release-{seed}", "--only", DARK_TRIAD, "--no-figures")
            message = capsys.readouterr().err
            assert code in (0, 3, 4), message
            assert (tmp_path / f"release-{seed}").exists() == (code == 0)
            assert code == 0 or "papi: " in message
