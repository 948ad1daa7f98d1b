"""Turning answers and scoring scales: theorems on any answers, and a slow computation as the oracle."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument
from papi.scoring import (
    Answers,
    responses_from_stored,
    rows_of,
    scale_score,
    scores_from_responses,
    stored_from_responses,
    turned,
)

LENGTHS = {name: len(instrument(name).items) for name in INSTRUMENTS}
quickly = settings(max_examples=60, deadline=None)


def answers_to(name: str, people: int = 3) -> st.SearchStrategy[Answers]:
    return arrays(np.int8, (people, LENGTHS[name]), elements=st.integers(0, 5))


def slow_score(scores: list[int]) -> float:
    """Mean of the answered items in exact arithmetic, NaN where fewer than half are answered."""
    answered = [score for score in scores if score]
    if 2 * len(answered) < len(scores):
        return math.nan
    return float(np.float32(float(Fraction(sum(answered), len(answered)))))


@pytest.mark.parametrize("name", INSTRUMENTS)
@given(data=st.data())
@quickly
def test_turning_is_its_own_inverse(name: str, data: st.DataObject) -> None:
    of, answers = instrument(name), data.draw(answers_to(name))
    assert (turned(turned(answers, of.keyed < 0), of.keyed < 0) == answers).all()
    assert (stored_from_responses(responses_from_stored(answers, of), of) == answers).all()


@given(answers=answers_to(IPIP_120), columns=arrays(np.bool_, 120))
@quickly
def test_a_missing_answer_stays_missing_and_an_answer_stays_one(answers: Answers, columns: np.ndarray) -> None:
    result = turned(answers, columns)
    assert ((result == 0) == (answers == 0)).all()
    assert ((result >= 0) & (result <= 5)).all()


@given(answers=answers_to(IPIP_120), columns=arrays(np.bool_, 120))
@quickly
def test_only_the_chosen_columns_are_turned_and_the_original_is_left_alone(
    answers: Answers, columns: np.ndarray
) -> None:
    before = answers.copy()
    result = turned(answers, columns)
    assert (answers == before).all()
    assert (result[:, ~columns] == answers[:, ~columns]).all()
    answered = answers[:, columns] > 0
    assert (result[:, columns][answered] + answers[:, columns][answered] == 6).all()


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
@given(data=st.data())
@quickly
def test_what_the_ipip_files_store_is_the_score(name: str, data: st.DataObject) -> None:
    of, stored = instrument(name), data.draw(answers_to(name))
    assert (scores_from_responses(responses_from_stored(stored, of), of) == stored).all()


@given(stored=answers_to(DARK_TRIAD))
@quickly
def test_what_the_dark_triad_file_stores_is_the_response_and_not_the_score(stored: Answers) -> None:
    of = instrument(DARK_TRIAD)
    assert (responses_from_stored(stored, of) == stored).all()
    turnable = (stored != 0) & (stored != 3) & (of.keyed < 0)
    assert ((scores_from_responses(stored, of) != stored) == turnable).all()


@pytest.mark.parametrize("name", INSTRUMENTS)
@given(data=st.data())
@quickly
def test_a_score_is_the_exact_mean_of_the_answered_items(name: str, data: st.DataObject) -> None:
    of, scores = instrument(name), data.draw(answers_to(name, people=2))
    for scale in (*of.domains, *of.facets):
        expected = [slow_score([int(row[j]) for j in scale.positions]) for row in scores]
        np.testing.assert_array_equal(scale_score(scores, scale), np.array(expected, dtype=np.float32))


@given(value=st.integers(1, 5), missing=arrays(np.bool_, 10))
@quickly
def test_a_zero_never_enters_a_mean(value: int, missing: np.ndarray) -> None:
    """Whoever gives one answer throughout has that score, however many answers are missing."""
    assume(missing.sum() <= 5)
    facet = instrument(IPIP_300).facets[0]
    scores = np.full((1, 300), 1, dtype=np.int8)
    scores[0, facet.positions] = np.where(missing, 0, value)
    assert scale_score(scores, facet)[0] == value


@pytest.mark.parametrize(("name", "least"), [(IPIP_300, 5), (IPIP_120, 2), (DARK_TRIAD, 5)])
def test_half_of_the_answers_give_a_score_and_one_fewer_does_not(name: str, least: int) -> None:
    scale = instrument(name).scales[0]
    scores = np.zeros((2, LENGTHS[name]), dtype=np.int8)
    scores[0, scale.positions[:least]] = 4
    scores[1, scale.positions[: least - 1]] = 4
    enough, too_few = scale_score(scores, scale)
    assert enough == 4
    assert np.isnan(too_few)


def test_a_score_is_single_precision_of_the_quotient() -> None:
    scale = instrument(DARK_TRIAD).domains[0]
    scores = np.ones((1, 27), dtype=np.int8)
    scores[0, 0] = 2
    score = scale_score(scores, scale)
    assert score.dtype == np.float32
    assert score[0] == np.float32(10 / 9)


@given(answers=answers_to(DARK_TRIAD, people=6), rows=st.lists(st.integers(0, 5), max_size=9))
@quickly
def test_rows_are_taken_as_numpy_takes_them(answers: Answers, rows: list[int]) -> None:
    chosen = rows_of(answers, np.array(rows, dtype=np.intp))
    assert (chosen == answers[rows]).all()
    assert chosen.flags.f_contiguous
