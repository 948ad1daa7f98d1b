"""The k-means recipe: so many different people, candidates only, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders.published_recipe import nearest_to_centres, standardised
from papi.instruments import DARK_TRIAD, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers


def crowd(people: int = 500, seed: int = 8) -> Answers:
    of = instrument(DARK_TRIAD)
    return draw_responses(draw_people(of, people, seed), of, seed)


def anybody(answers: Answers) -> np.ndarray:
    return np.ones(len(answers), dtype=bool)


@pytest.mark.parametrize("count", [1, 30, 50])
def test_so_many_different_people_are_chosen_in_the_order_of_their_rows(count: int) -> None:
    rows = nearest_to_centres(crowd(), anybody(crowd()), count)
    assert len(rows) == count
    assert (np.diff(rows) > 0).all()


def test_only_candidates_are_chosen() -> None:
    candidates = np.arange(500) % 3 == 0
    rows = nearest_to_centres(crowd(), candidates, 40)
    assert len(rows) == 40
    assert candidates[rows].all()


def test_where_just_enough_are_candidates_they_are_all_chosen() -> None:
    candidates = np.arange(500) % 50 == 7
    assert nearest_to_centres(crowd(), candidates, 10).tolist() == np.flatnonzero(candidates).tolist()


def test_where_too_few_are_candidates_those_there_are_are_chosen() -> None:
    candidates = np.arange(500) < 5
    assert nearest_to_centres(crowd(), candidates, 10).tolist() == [0, 1, 2, 3, 4]


def test_the_same_people_are_chosen_every_time_and_in_every_memory_layout() -> None:
    chosen = [nearest_to_centres(answers, anybody(answers), 40) for answers in (crowd(), np.ascontiguousarray(crowd()))]
    assert (chosen[0] == chosen[1]).all()


def test_people_who_are_all_alike_still_give_different_rows() -> None:
    alike = np.repeat(crowd(1), 60, axis=0)
    assert len(set(nearest_to_centres(alike, anybody(alike), 6).tolist())) == 6


def test_each_of_some_clear_groups_gives_one_person() -> None:
    """Ten far corners with twenty people each, who differ by one answer: one of every corner is chosen."""
    random = np.random.default_rng(4)
    corners = random.integers(0, 2, (10, 27)) * 4 + 1
    answers = np.repeat(corners, 20, axis=0).astype(np.int8)
    answers[np.arange(200), random.integers(0, 27, 200)] = 3
    rows = nearest_to_centres(answers, anybody(answers), 10)
    assert sorted(row // 20 for row in rows.tolist()) == list(range(10))


def test_people_who_answered_nothing_are_at_the_centre_and_so_must_be_no_candidates() -> None:
    answers = crowd()
    answers[100] = 0
    assert (standardised(answers).rows(np.array([100])) == 0).all()
    assert nearest_to_centres(answers, anybody(answers), 1).tolist() == [100]
    candidates = np.arange(500) != 100
    assert nearest_to_centres(answers, candidates, 1).tolist() != [100]


@given(answers=arrays(np.int8, st.tuples(st.integers(1, 20), st.just(6)), elements=st.integers(0, 5)))
@settings(max_examples=60, deadline=None)
def test_standardised_answers_are_z_scores_with_gaps_at_the_item_mean(answers: Answers) -> None:
    filled = answers.astype(float)
    for column in filled.T:
        column[column == 0] = column[column > 0].mean() if column.any() else 0
    spread = filled.std(axis=0)
    expected = (filled - filled.mean(axis=0)) / np.where(spread > 1e-9, spread, 1)
    np.testing.assert_allclose(standardised(answers).rows(slice(None)), expected, atol=1e-9)
