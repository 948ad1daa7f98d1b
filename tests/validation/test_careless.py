"""Indices of careless answering by hand, against slow per-person computations, and the flags at their thresholds."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import validation.careless as careless_module
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers, scores_from_responses, stored_from_responses
from validation.careless import (
    Halves,
    Indices,
    careless_flags,
    careless_indices,
    even_odd_halves,
    halves_correlation,
    keyed_halves,
    longest_run,
    response_variability,
    spearman_brown,
)

THRESHOLDS = {
    IPIP_300: {"n_missing": 10, "longest_run": 15, "row_keying": 0.2},
    IPIP_120: {"n_missing": 10, "longest_run": 12, "row_keying": 0.0},
    DARK_TRIAD: {"n_missing": 2, "longest_run": 14},
}
any_answers = arrays(np.int8, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.integers(0, 5))
quickly = settings(max_examples=100, deadline=None)


def answers(*people: list[int]) -> Answers:
    return np.array(people, dtype=np.int8)


def simulated(name: str, people: int, seed: int = 5) -> Answers:
    of = instrument(name)
    return draw_responses(draw_people(of, people, seed), of, seed)


def test_runs_by_hand() -> None:
    people = answers([1, 1, 2, 2, 2, 3], [4, 4, 0, 4, 4, 4], [0, 0, 0, 0, 0, 0], [5, 4, 3, 2, 1, 0], [0, 0, 0, 0, 2, 2])
    assert longest_run(people).tolist() == [3, 3, 0, 1, 2]


@given(responses=any_answers)
@quickly
def test_a_run_is_the_longest_group_of_equal_answers_and_a_gap_is_no_answer(responses: Answers) -> None:
    expected = [max((len(list(run)) for value, run in groupby(row) if value), default=0) for row in responses.tolist()]
    assert longest_run(responses).tolist() == expected


def test_variability_by_hand() -> None:
    found = response_variability(answers([3, 3, 3, 3], [1, 5, 0, 0], [1, 2, 3, 0], [2, 0, 0, 0], [0, 0, 0, 0]))
    np.testing.assert_allclose(found, [0, np.sqrt(8), 1, np.nan, np.nan], rtol=1e-6)


@given(responses=any_answers)
@quickly
def test_variability_is_the_sample_deviation_of_the_answered_items(responses: Answers) -> None:
    rows = [row[row > 0].astype(float) for row in responses]
    expected = [row.std(ddof=1) if len(row) > 1 else np.nan for row in rows]
    np.testing.assert_allclose(response_variability(responses), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_a_straight_liner_is_seen_in_responses_and_not_in_what_is_stored(name: str) -> None:
    of = instrument(name)
    straight = np.full((1, len(of.items)), 5, dtype=np.int8)
    stored = stored_from_responses(straight, of)
    assert (response_variability(straight)[0], longest_run(straight)[0]) == (0, len(of.items))
    assert response_variability(stored)[0] > 1.9
    assert longest_run(stored)[0] < len(of.items) / 4


def slow_halves(row: np.ndarray, halves: Halves) -> float:
    """One person's correlation over facets between the means of two halves, as one would do it by hand."""
    pairs = [[row[half][row[half] > 0] for half in both] for both in halves]
    means = np.array([[half.mean() for half in both] for both in pairs if len(both[0]) and len(both[1])])
    if len(means) < 2 or (means.std(axis=0) < 1e-9).any():
        return np.nan
    return float(np.corrcoef(means.T)[0, 1])


def slow_spearman_brown(r: float) -> float:
    return r if np.isnan(r) else max(2 * r / (1 + r), -1.0) if r > -1 else -1.0


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_consistency_indices_are_those_of_a_slow_computation_person_by_person(name: str) -> None:
    of, responses = instrument(name), simulated(name, 150)
    responses[np.random.default_rng(0).random(responses.shape) < 0.3] = 0
    responses[0], responses[1] = 0, 4
    scores = scores_from_responses(responses, of)
    found = careless_indices(responses, scores, of)
    even_odd = [slow_spearman_brown(slow_halves(row, even_odd_halves(of))) for row in scores]
    np.testing.assert_allclose(found.even_odd, even_odd, atol=1e-4)
    np.testing.assert_allclose(found.row_keying, [slow_halves(row, keyed_halves(of)) for row in scores], atol=1e-5)


def test_halves_are_every_other_item_and_the_two_signs() -> None:
    of = instrument(IPIP_300)
    first, second = even_odd_halves(of)[0]
    assert (first + 1).tolist() == [1, 61, 121, 181, 241]
    assert (second + 1).tolist() == [31, 91, 151, 211, 271]
    assert len(keyed_halves(of)) == 30
    assert len(keyed_halves(instrument(IPIP_120))) == 21
    assert all((of.keyed[plus] == 1).all() and (of.keyed[minus] == -1).all() for plus, minus in keyed_halves(of))


def test_an_index_that_cannot_be_computed_is_undefined_rather_than_zero() -> None:
    halves = even_odd_halves(instrument(IPIP_120))
    for value in (0, 3):
        assert np.isnan(halves_correlation(np.full((1, 120), value, dtype=np.int8), halves)).all()


def test_spearman_brown_by_hand() -> None:
    r = np.array([1, 0.5, 0, -0.2, -0.5, -1, np.nan], dtype=np.float32)
    np.testing.assert_allclose(spearman_brown(r), [1, 2 / 3, 0, -0.5, -1, -1, np.nan], rtol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    of, responses = instrument(IPIP_120), simulated(IPIP_120, 50)
    scores = scores_from_responses(responses, of)
    whole = careless_indices(responses, scores, of)
    monkeypatch.setattr(careless_module, "BLOCK_ROWS", 7)
    for name, values in vars(careless_indices(responses, scores, of)).items():
        np.testing.assert_array_equal(values, getattr(whole, name))


def test_the_dark_triad_has_no_consistency_index_and_no_flag_of_it() -> None:
    of, responses = instrument(DARK_TRIAD), simulated(DARK_TRIAD, 20)
    indices = careless_indices(responses, scores_from_responses(responses, of), of)
    assert indices.even_odd is indices.row_keying is None
    assert "flag_inconsistent" not in careless_flags(indices, np.zeros(20, dtype=np.int32), of)


def careful(of: Instrument) -> Indices:
    """Two people far from every threshold."""
    consistent = np.array([0.9, 0.9], dtype=np.float32) if of.is_ipip else None
    counts = np.array([0, 5], dtype=np.int16)
    return Indices(counts * 0, counts, np.array([1.0, 1.2], dtype=np.float32), consistent, consistent)


def flags(of: Instrument, copy_number: tuple[int, int] = (0, 0), **pair: tuple[float, float]) -> dict[str, list[bool]]:
    """The flags of two careful people but for the indices given."""
    indices = careful(of)
    own = {name: np.array(values, dtype=getattr(indices, name).dtype) for name, values in pair.items()}
    found = careless_flags(replace(indices, **own), np.array(copy_number), of)
    return {name: values.tolist() for name, values in found.items() if values.any()}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_each_flag_is_set_at_its_threshold_and_not_one_step_before(name: str) -> None:
    of, limits = instrument(name), THRESHOLDS[name]
    last = [False, True]
    assert flags(of) == {}
    assert flags(of, n_missing=(limits["n_missing"], limits["n_missing"] + 1)) == {"flag_missing": last}
    assert flags(of, longest_run=(limits["longest_run"] - 1, limits["longest_run"])) == {"flag_long_run": last}
    assert flags(of, irv=(0.4, 0.399)) == {"flag_low_variance": last}
    assert flags(of, copy_number=(0, 1)) == {"flag_duplicate": last}


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_inconsistent_is_either_index_below_its_limit_or_undefined(name: str) -> None:
    of, limit = instrument(name), THRESHOLDS[name]["row_keying"]
    last = {"flag_inconsistent": [False, True]}
    assert flags(of, even_odd=(0.301, 0.299)) == last
    assert flags(of, row_keying=(limit + 0.001, limit - 0.001)) == last
    assert flags(of, even_odd=(0.9, np.nan)) == flags(of, row_keying=(0.9, np.nan)) == last


def test_an_index_exactly_at_its_limit_is_consistent() -> None:
    of = instrument(IPIP_300)
    assert flags(of, even_odd=(0.3, 0.3), row_keying=(0.2, 0.2)) == {}


def test_nobody_is_removed() -> None:
    of, responses = instrument(IPIP_120), np.zeros((3, 120), dtype=np.int8)
    indices = careless_indices(responses, scores_from_responses(responses, of), of)
    found = careless_flags(indices, np.zeros(3, dtype=np.int32), of)
    assert all(len(values) == 3 for values in (*vars(indices).values(), *found.values()))
    assert found["flag_missing"].all()
