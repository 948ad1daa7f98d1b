"""Pairwise-complete moments: equal to what one gets pair by pair, whatever the blocks and the order of people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import validation.moments as moments_module
from papi.scoring import Answers
from validation.moments import Moments, moments_of

quickly = settings(max_examples=60, deadline=None)
matrices = st.integers(1, 12).flatmap(lambda people: arrays(np.int8, (people, 5), elements=st.integers(0, 5)))


def random_answers(people: int, items: int, seed: int = 0) -> Answers:
    return np.random.default_rng(seed).integers(0, 6, (people, items)).astype(np.int8)


@given(scores=matrices)
@quickly
def test_every_sum_is_that_over_the_people_who_answered_both(scores: Answers) -> None:
    moments = moments_of(scores)
    assert moments.people == len(scores)
    for i in range(scores.shape[1]):
        for j in range(scores.shape[1]):
            both = (scores[:, i] > 0) & (scores[:, j] > 0)
            x, y = scores[both, i].astype(int), scores[both, j].astype(int)
            found = [sums[i, j] for sums in (moments.count, moments.total, moments.square, moments.product)]
            assert found == [both.sum(), x.sum(), (x * x).sum(), (x * y).sum()]


@given(scores=matrices)
@quickly
def test_means_and_missing_count_a_zero_as_no_answer(scores: Answers) -> None:
    moments = moments_of(scores)
    assert moments.missing.tolist() == (scores == 0).sum(axis=0).tolist()
    expected = [column[column > 0].mean() if column.any() else np.nan for column in scores.T]
    np.testing.assert_allclose(moments.means, expected)


def test_covariances_and_correlations_are_those_of_numpy_pair_by_pair() -> None:
    scores = random_answers(80, 6)
    covariances, correlations = moments_of(scores).covariances(), moments_of(scores).correlations()
    for i in range(6):
        for j in range(6):
            both = (scores[:, i] > 0) & (scores[:, j] > 0)
            pair = scores[both][:, [i, j]].T
            assert covariances[i, j] == pytest.approx(np.cov(pair)[0, 1])
            assert correlations[i, j] == pytest.approx(np.corrcoef(pair)[0, 1])


def test_an_item_that_does_not_vary_correlates_with_nothing_and_has_covariance_zero() -> None:
    scores = random_answers(50, 3)
    scores[:, 1] = 4
    moments = moments_of(scores)
    assert np.isnan(moments.correlations()[1]).all()
    assert not np.isnan(moments.correlations()[0, 2])
    np.testing.assert_allclose(moments.covariances()[1], 0, atol=1e-12)


def test_where_fewer_than_two_answered_both_there_is_no_covariance() -> None:
    scores = np.array([[1, 2], [3, 0], [0, 5]], dtype=np.int8)
    covariances = moments_of(scores).covariances()
    assert np.isnan(covariances[0, 1])
    assert covariances[0, 0] == 2


def same(one: Moments, other: Moments) -> bool:
    return all(np.array_equal(getattr(one, name), value) for name, value in vars(other).items())


def test_neither_blocks_nor_the_order_of_people_nor_of_memory_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = random_answers(1_000, 20)
    whole = moments_of(scores)
    assert same(moments_of(np.asfortranarray(scores[::-1])), whole)
    monkeypatch.setattr(moments_module, "BLOCK_ROWS", 7)
    assert same(moments_of(scores), whole)


def test_a_block_is_small_enough_for_float32_to_count_exactly() -> None:
    full = np.full((moments_module.BLOCK_ROWS, 2), 5, dtype=np.int8)
    assert moments_of(full).product.tolist() == [[25 * len(full)] * 2] * 2
    assert 25 * moments_module.BLOCK_ROWS < 2**24
