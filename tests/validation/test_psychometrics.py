"""Alpha and the statistics of keying: by hand, against slow formulas, and on the real answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.sd3_data import read_sd3_data
from papi.instruments import DARK_TRIAD, IPIP_300, Instrument, Scale, instrument
from papi.scoring import Answers, scores_from_responses, turned
from validation.moments import moments_of
from validation.psychometrics import (
    KEY_SHIFTS,
    alphas,
    cronbach_alpha,
    item_rest_correlations,
    key_alignment,
    keying_contradictions,
)

THREE = Scale("three", "three items", np.array([0, 1, 2]))
SHIFTS = [shift for shift in KEY_SHIFTS if shift]


@pytest.fixture(scope="module")
def long() -> Instrument:
    return instrument(IPIP_300)


@pytest.fixture(scope="module")
def dark() -> Instrument:
    return instrument(DARK_TRIAD)


@pytest.fixture(scope="module")
def real_scores(real_data: Path) -> Answers:
    return read_ipip_dat((real_data / "raw" / "ipip" / "IPIP300.dat").read_bytes(), IPIP_300, "IPIP300.dat").answers


@pytest.fixture(scope="module")
def real_dark(real_data: Path) -> Answers:
    return read_sd3_data((real_data / "raw" / "sd3" / "data.csv").read_bytes(), "data.csv").answers


def test_alpha_by_hand() -> None:
    """Item variances 1, 1 and 1/3, variance of the sums 19/3: alpha = 3/2 × (1 − (7/3) / (19/3)) = 18/19."""
    scores = np.array([[1, 1, 3], [2, 2, 4], [3, 3, 4]], dtype=np.int8)
    assert cronbach_alpha(scores, THREE) == pytest.approx(18 / 19)


def test_alpha_of_equal_items_is_one_and_of_independent_ones_nearly_zero() -> None:
    column = np.random.default_rng(1).integers(1, 6, (5_000, 1)).astype(np.int8)
    assert cronbach_alpha(np.repeat(column, 3, axis=1), THREE) == pytest.approx(1)
    noise = np.random.default_rng(2).integers(1, 6, (5_000, 3)).astype(np.int8)
    assert abs(cronbach_alpha(noise, THREE)) < 0.1


def slow_alpha(scores: Answers) -> float:
    """The textbook formula on the complete rows."""
    kept = scores[(scores > 0).all(axis=1)].astype(float)
    if len(kept) < 2 or kept.sum(axis=1).var() == 0:
        return np.nan
    return scores.shape[1] / (scores.shape[1] - 1) * (1 - kept.var(axis=0).sum() / kept.sum(axis=1).var())


@given(scores=arrays(np.int8, st.tuples(st.integers(0, 9), st.just(3)), elements=st.integers(0, 5)))
@settings(max_examples=200, deadline=None)
def test_alpha_is_the_textbook_formula_on_those_who_answered_everything(scores: Answers) -> None:
    assert cronbach_alpha(scores, THREE) == pytest.approx(slow_alpha(scores), nan_ok=True)


def test_real_alphas_are_high_as_stored_and_nothing_when_reversed_again(real_scores: Answers, long: Instrument) -> None:
    again = turned(real_scores, long.keyed < 0)
    assert np.mean(list(alphas(real_scores, long).values())) == pytest.approx(0.885, abs=0.0005)
    assert np.mean(list(alphas(again, long).values())) == pytest.approx(-0.045, abs=0.0005)


def test_real_dark_triad_alphas_need_its_five_items_reversed(real_dark: Answers, dark: Instrument) -> None:
    reversed_alphas = alphas(scores_from_responses(real_dark, dark), dark)
    assert reversed_alphas == pytest.approx({"M": 0.861, "N": 0.804, "P": 0.798}, abs=0.0005)
    assert alphas(real_dark, dark) == pytest.approx({"M": 0.861, "N": 0.206, "P": 0.576}, abs=0.0005)


def test_all_thirty_real_facets_are_keyed_consistently_and_none_when_reversed_again(
    real_scores: Answers, long: Instrument
) -> None:
    assert keying_contradictions(moments_of(real_scores), long) == 0
    assert keying_contradictions(moments_of(turned(real_scores, long.keyed < 0)), long) == 1


@pytest.mark.parametrize("by", [0, *SHIFTS])
def test_key_alignment_finds_by_how_much_the_real_columns_are_shifted(
    real_scores: Answers, long: Instrument, by: int
) -> None:
    """Columns that moved to the right fit the key when it is moved back."""
    fits = key_alignment(moments_of(np.roll(real_scores, by, axis=1)), long)
    assert max(fits, key=lambda shift: fits[shift]) == -by
    assert fits.keys() == set(KEY_SHIFTS)


def test_key_alignment_is_the_mean_over_facets_of_same_less_opposite_signed_pairs(
    real_scores: Answers, long: Instrument
) -> None:
    correlations = moments_of(real_scores).correlations()
    differences = []
    for facet in long.facets:
        same, opposite = [], []
        pairs = [(i, j) for i in facet.positions for j in facet.positions if i < j]
        for i, j in pairs:
            (same if long.keyed[i] == long.keyed[j] else opposite).append(correlations[i, j])
        differences.append(np.mean(same) - np.mean(opposite))
    assert key_alignment(moments_of(real_scores), long)[0] == pytest.approx(np.mean(differences))


def test_item_rest_correlations_are_those_computed_one_by_one(real_dark: Answers, dark: Instrument) -> None:
    complete = real_dark[(real_dark > 0).all(axis=1)][:500]
    scores = scores_from_responses(complete, dark)
    found = item_rest_correlations(moments_of(scores), dark)
    for scale in dark.domains:
        for j in scale.positions:
            rest = scores[:, [k for k in scale.positions if k != j]].sum(axis=1)
            assert found[j] == pytest.approx(np.corrcoef(scores[:, j], rest)[0, 1])


def test_one_item_reversed_by_mistake_is_the_one_below_zero(real_dark: Answers, dark: Instrument) -> None:
    scores = scores_from_responses(real_dark, dark)
    assert item_rest_correlations(moments_of(scores), dark).min() > 0.1
    wrong = np.arange(27) == 4
    assert (np.flatnonzero(item_rest_correlations(moments_of(turned(scores, wrong)), dark) < 0) == [4]).all()


def test_a_scale_without_both_signs_contradicts_nothing(dark: Instrument) -> None:
    """Machiavellianism has no reversed item, so two scales are judged: one of them wrong is a half."""
    people = np.random.default_rng(3).integers(1, 6, (200, 1)).astype(np.int8)
    scores = np.repeat(people, 27, axis=1)
    assert keying_contradictions(moments_of(scores), dark) == 0
    narcissism = (dark.keyed < 0) & np.isin(np.arange(27), dark.domains[1].positions)
    assert keying_contradictions(moments_of(turned(scores, narcissism)), dark) == 0.5
