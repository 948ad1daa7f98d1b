"""Measures on cases worked out by hand, with what must not happen; decodes and intervals by what defines them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.decoding import argmax, expected, median
from alignment.measures import (
    OPTIONS,
    Matrix,
    Resamples,
    asked_of,
    by_scale,
    correlation,
    decoded,
    decodes_of_floor,
    decodes_of_model,
    drawn,
    mean_known,
    option_lock,
    score_correlations,
    share,
)
from papi.floors import error_sum
from papi.instruments import DARK_TRIAD, IPIP_300, instrument

NONE = np.nan


@st.composite
def distributions(draw: st.DrawFn) -> Matrix:
    """Five probabilities in millionths that add up to one."""
    cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=4, max_size=4)))
    return np.diff([0, *cuts, 1_000_000]) / 1_000_000


def expected_error(option: float, shares: Matrix) -> float:
    return float(shares @ np.abs(OPTIONS - option))


# decodes


@given(distributions())
def test_the_median_minimises_the_expected_error_and_is_the_smallest_option_that_does(shares: Matrix) -> None:
    errors = [expected_error(option, shares) for option in OPTIONS]
    middle = float(median(shares))
    assert expected_error(middle, shares) == pytest.approx(min(errors))
    assert all(error > min(errors) - 1e-12 for error in errors)
    below = shares[: int(middle) - 1].sum()
    assert below < 0.5 + 1e-12
    assert below + shares[int(middle) - 1] >= 0.5 - 1e-12


@given(distributions())
def test_argmax_is_the_first_of_the_most_probable_and_the_mean_minimises_the_squared_error(shares: Matrix) -> None:
    option = int(argmax(shares))
    assert shares[option - 1] == shares.max()
    assert (shares[: option - 1] < shares.max()).all()
    mean = float(expected(shares))
    squared = [shares @ (OPTIONS - (mean + step)) ** 2 for step in (-0.1, 0, 0.1)]
    assert squared[1] <= min(squared)


@given(distributions())
def test_decodes_of_one_distribution_need_not_agree_but_stay_on_the_scale(shares: Matrix) -> None:
    for decode in (argmax, median, expected):
        assert 1 <= float(decode(shares)) <= 5


def test_the_decodes_differ_where_the_distribution_is_skewed() -> None:
    shares = np.array([[[0.4, 0.0, 0.0, 0.25, 0.35]]])
    found = decodes_of_model(shares, np.array([[4.0]]))
    assert [found[name].predicted.item() for name in ("argmax", "median")] == [1, 4]
    assert found["expected"].predicted.item() == pytest.approx(0.4 + 1.0 + 1.75)
    assert [found[name].errors.item() for name in found] == pytest.approx([3, 0, 0.85])
    assert [found[name].hits.item() for name in found] == [0, 1, 0]
    assert [found[name].near.item() for name in found] == [0, 1, 1]


def test_exactly_half_is_enough_for_the_median_and_ties_of_argmax_go_to_the_smaller() -> None:
    assert float(median(np.array([0.1, 0.2, 0.2, 0.5, 0.0]))) == 3
    assert float(median(np.array([0.1, 0.2, 0.199999, 0.500001, 0.0]))) == 4
    assert float(argmax(np.array([0.0, 0.4, 0.1, 0.1, 0.4]))) == 2


def test_what_was_not_asked_is_never_decoded() -> None:
    nothing = np.full((1, 1, 5), np.nan)
    for decode in decodes_of_model(nothing, np.array([[3.0]])).values():
        assert np.isnan([decode.predicted, decode.errors, decode.hits, decode.near]).all()


def test_a_floor_is_taken_as_it_is_and_rounded() -> None:
    found = decodes_of_floor(np.array([[2.4, 5.7, 3.0]]), np.array([[2.0, 5.0, NONE]]))
    assert found["value"].errors[0].tolist()[:2] == pytest.approx([0.4, 0.7])
    assert found["rounded"].errors[0].tolist()[:2] == [0, 0]
    assert found["value"].hits[0].tolist()[:2] == found["rounded"].hits[0].tolist()[:2] == [1, 1]
    assert all(np.isnan(part[0, 2]) for each in found.values() for part in (each.errors, each.hits, each.near))


def test_uniform_is_what_is_to_be_expected_and_not_its_mean() -> None:
    answers = np.array([[1.0, 3.0, NONE]])
    found = drawn(np.full((1, 3, 5), 0.2), answers)
    assert found.errors[0, :2].tolist() == pytest.approx([2.0, 1.2])
    assert found.hits[0, :2].tolist() == pytest.approx([0.2, 0.2])
    assert found.near[0, :2].tolist() == pytest.approx([0.4, 0.6])
    assert np.isnan([found.errors[0, 2], found.hits[0, 2], found.near[0, 2]]).all()
    assert decoded(found.predicted, answers).errors[0, 1] == pytest.approx(0)  # its mean would be right by chance


# errors


def test_an_error_is_a_mean_over_a_persons_answered_items_then_over_people() -> None:
    scales = {"X": np.array([0, 1]), "Y": np.array([2])}
    errors = np.array([[0.0, 4.0, 1.0], [1.0, NONE, NONE]])
    domains = by_scale(errors, scales)
    assert domains[0].tolist() == [2, 1]
    assert domains[1, 0] == 1
    assert np.isnan(domains[1, 1])
    assert mean_known(domains, axis=0).tolist() == [1.5, 1.0]  # not 5 / 3, the mean over cells
    assert share(np.array([[1.0, 0.0, NONE], [1.0, NONE, NONE]])) == 0.75


def test_the_sum_is_the_measure_of_the_floors() -> None:
    random = np.random.default_rng(3)
    asked = asked_of(IPIP_300, "responses")
    errors = np.where(random.random((20, 180)) < 0.1, np.nan, random.integers(0, 5, (20, 180)))
    names = [item.domain for item in instrument(IPIP_300).items if item.role == "held_out"]
    assert mean_known(by_scale(errors, asked.domains), axis=0).sum() == pytest.approx(error_sum(errors, names))


def test_scales_hold_the_items_of_the_protocol() -> None:
    ipip, dark = asked_of(IPIP_300, "responses"), asked_of(DARK_TRIAD, "responses")
    assert [len(at) for at in ipip.domains.values()] == [36] * 5
    assert [len(at) for at in ipip.facets.values()] == [6] * 30
    assert ([len(at) for at in dark.domains.values()], dark.facets) == ([3] * 3, {})
    facet_of = {item.name: item.facet for item in instrument(IPIP_300).items}
    assert {facet_of[ipip.items[i]] for i in ipip.facets["N3"]} == {"N3"}


# correlations


def test_only_what_is_not_yet_in_the_direction_of_the_trait_is_turned() -> None:
    keyed = {item.name: item.keyed for item in instrument(IPIP_300).items}
    asked = asked_of(IPIP_300, "responses")
    assert asked.turned.tolist() == [keyed[item] < 0 for item in asked.items]
    assert not asked_of(IPIP_300, "published").turned.any()
    dark = asked_of(DARK_TRIAD, "responses")
    assert [item for item, turned in zip(dark.items, dark.turned, strict=True) if turned] == ["N8", "P7"]
    assert asked_of(DARK_TRIAD, "published").turned.tolist() == dark.turned.tolist()


def test_correlations_are_of_scores_in_the_direction_of_the_trait_over_the_answered_items() -> None:
    asked = asked_of(DARK_TRIAD, "responses")
    answers = np.array(
        [[1.0, 2, 3, 1, 5, 1, 1, 1, 1], [5.0, 2, 3, 4, 2, 4, 1, 1, NONE], [3.0, NONE, 1, 2, 5, 2, 1, 1, 1]]
    )
    predicted = np.where(np.isnan(answers), 5.0, answers)
    r = score_correlations(predicted, answers, asked, asked.domains)
    assert r[:2] == pytest.approx([1, 1])  # what is said of an item that the person left out does not count
    assert r[2] is not None  # its third item left out, the second person's mean is another
    assert score_correlations(np.full_like(answers, 3), answers, asked, asked.domains) == [None] * 3
    unturned = [float(np.nanmean(row[3:6])) for row in answers]
    turned = [float(np.mean([row[3], 6 - row[4], row[5]])) for row in answers]
    other = np.where(np.arange(9) == 4, 6 - predicted, predicted)  # N8 answered in the wrong direction
    wrong = score_correlations(other, answers, asked, asked.domains)[1]
    assert wrong == pytest.approx(np.corrcoef(unturned, turned)[0, 1])
    assert wrong != pytest.approx(1)


def test_a_correlation_needs_two_who_differ() -> None:
    assert correlation(np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 0.0])) == pytest.approx(-1)
    for one, other in (([1.0], [2.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0, NONE], [1.0, 2.0]), ([], [])):
        assert correlation(np.array(one), np.array(other)) is None


# intervals


def test_people_who_are_alike_give_an_interval_without_width() -> None:
    draws = Resamples(7)
    low, high = draws.interval(draws.means(np.full((7, 2), 1.25)))
    assert low.tolist() == high.tolist() == [1.25, 1.25]


def test_two_people_are_both_one_of_them_or_one_of_each() -> None:
    draws = Resamples(2)
    means = draws.means(np.array([[0.0], [1.0]]))
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0, 0.5, 1]
    assert (counts / len(means)).tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    assert [float(end[0]) for end in draws.interval(means)] == [0, 1]


def test_the_interval_of_a_mean_is_about_two_standard_errors_each_way() -> None:
    values = np.random.default_rng(1).normal(0, 1, (400, 1))
    draws = Resamples(400)
    low, high = draws.interval(draws.means(values))
    half = 1.96 * values.std() / 20
    assert [float(low[0]), float(high[0])] == pytest.approx([values.mean() - half, values.mean() + half], abs=0.012)


def test_everything_is_resampled_with_the_same_people() -> None:
    random = np.random.default_rng(2)
    hard = random.normal(0, 5, (50, 1))
    easier = hard - 0.1
    draws = Resamples(50)
    low, high = draws.interval(draws.means(hard) - draws.means(easier))
    assert [float(low[0]), float(high[0])] == pytest.approx([0.1, 0.1])
    unpaired = draws.interval(draws.means(hard) - Resamples(50, seed=1).means(easier))
    assert float(unpaired[1][0] - unpaired[0][0]) > 1


def test_those_without_a_value_do_not_count_and_nobody_is_undefined() -> None:
    draws = Resamples(3, count=2000)
    values = np.array([[1.0, NONE, 2.0], [2.0, NONE, NONE], [3.0, NONE, NONE]])
    means = draws.means(values)
    direct = (draws.weights @ values[:, 0]) / 3
    assert means[:, 0].tolist() == pytest.approx(direct.tolist())
    low, high = draws.interval(means)
    assert np.isnan([low[1], high[1]]).all()
    assert (low[2], high[2]) == (2, 2)  # of the resamples in which the first person is


def test_resamples_are_the_same_every_time_and_quick() -> None:
    start = time.perf_counter()
    draws = Resamples(300)
    values = np.random.default_rng(0).random((300, 35))
    for _ in range(10):
        draws.interval(draws.means(values))
    assert time.perf_counter() - start < 10  # .2 on an idle machine
    assert (draws.weights == Resamples(300).weights).all()
    assert (draws.weights.sum(axis=1) == 300).all()
    assert draws.weights.shape == (10_000, 300)


# options


def test_the_lock_is_the_largest_share_of_one_option() -> None:
    assert option_lock(np.array([[5.0, 5, 5, NONE], [5, 1, NONE, NONE]])) == (5, 0.8)
    assert option_lock(np.array([[2.0, 4.0]])) == (2, 0.5)
    assert option_lock(np.array([[NONE]])) == (1, 0)
