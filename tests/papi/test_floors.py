"""The floors by hand, and what no floor may do."""

from __future__ import annotations

import numpy as np
import pytest

from papi import floors

NAN = float("nan")
HELD_OUT = np.array([[5.0, 1.0, 3.0], [1.0, NAN, NAN]])
DOMAINS = ("N", "N", "E")


def test_the_measure_by_hand_with_missing_answers_left_out() -> None:
    """N: (|3−5| + |3−1|) / 2 = 2 and |3−1| = 2, mean 2; E: 0 of the only one who answered."""
    assert floors.summed_error(np.array(3.0), HELD_OUT, DOMAINS) == 2.0
    assert floors.summed_error(np.array(1.0), HELD_OUT, DOMAINS) == (2.0 + 0.0) / 2 + 2.0


def test_a_uniform_model_errs_by_the_mean_over_its_options() -> None:
    assert floors.uniform_error(np.array([[3.0], [5.0]]), ("N",)) == pytest.approx((1.2 + 2.0) / 2)


def test_the_median_of_the_others_leaves_the_person_out() -> None:
    answers = np.array([[1.0], [5.0], [5.0], [NAN]])
    assert floors.item_medians_of_others(answers).ravel().tolist() == [5.0, 3.0, 3.0, 5.0]


def test_a_facet_mean_is_of_the_answered_given_items() -> None:
    given = np.array([[1.0, NAN, 4.0], [NAN, NAN, 2.0]])
    means = floors.facet_means(given, ("N1", "N1", "N2"), ("N2", "N1"))
    assert means.tolist() == [[4.0, 1.0], [2.0, 3.0]]


def test_ridge_learns_from_others_only() -> None:
    """A person's own held-out answers change nothing of that person's prediction."""
    random = np.random.default_rng(0)
    given, held_out = random.integers(1, 6, (60, 8)).astype(np.int8), random.integers(1, 6, (60, 4)).astype(np.int8)
    before = floors.ridge_from_others(given, held_out)
    changed = held_out.copy()
    changed[7] = 6 - changed[7]
    after = floors.ridge_from_others(given, changed)
    same_fold = np.arange(60) % 10 == 7
    assert (after[same_fold] == before[same_fold]).all()
    assert (after[~same_fold] != before[~same_fold]).any()


def test_ridge_finds_what_can_be_predicted_and_nothing_where_there_is_nothing() -> None:
    random = np.random.default_rng(1)
    given = random.integers(1, 6, (400, 8)).astype(np.int8)
    copied, unrelated = given[:, :2], random.integers(1, 6, (400, 2)).astype(np.int8)
    errors = [np.abs(floors.ridge_from_others(given, target) - target).mean() for target in (copied, unrelated)]
    assert errors[0] < 0.3
    assert errors[1] > 1.1


def test_predictions_round_to_options() -> None:
    assert floors.rounded(np.array([0.2, 1.6, 5.4, 7.0])).tolist() == [1, 2, 5, 5]
