"""The model of a simulated person: published figures come out, and probabilities say what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from papi.errors import UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, MISSING, instrument
from papi.people import BLOCK_ROWS, People, answer_probabilities, draw_people, draw_responses
from papi.people_parameters import (
    PARAMETERS,
    careless_kinds,
    domain_correlations,
    item_parameters,
    item_parameters_from,
    missing_parameters,
)
from papi.scoring import Answers, scale_score, scores_from_responses
from papi.tables import read_csv, read_toml
from validation.careless import careless_indices
from validation.moments import moments_of
from validation.psychometrics import alphas, item_rest_correlations, keying_contradictions

PEOPLE = 20_000
PUBLISHED_COMPLETE = {IPIP_300: 145_388 / 307_313, IPIP_120: 410_376 / 619_150, DARK_TRIAD: 1 - 452 / 18_192}
PUBLISHED_MISSING = {IPIP_300: 0.00403, IPIP_120: 0.0040, DARK_TRIAD: 0.00152}
IPIP_FORMS = (IPIP_300, IPIP_120)


@pytest.fixture(scope="module")
def people() -> dict[str, People]:
    return {name: draw_people(instrument(name), PEOPLE, (11, k)) for k, name in enumerate(INSTRUMENTS)}


@pytest.fixture(scope="module")
def responses(people: dict[str, People]) -> dict[str, Answers]:
    return {name: draw_responses(people[name], instrument(name), 12) for name in INSTRUMENTS}


@pytest.fixture(scope="module")
def scores(responses: dict[str, Answers]) -> dict[str, Answers]:
    return {name: scores_from_responses(responses[name], instrument(name)) for name in INSTRUMENTS}


def published_alphas(name: str) -> dict[str, float]:
    targets = read_toml("papi", PARAMETERS)["targets"]
    if name == DARK_TRIAD:
        return targets["sd3_alphas"]
    column = "alpha_300" if name == IPIP_300 else "alpha_120"
    return {row["facet"]: float(row[column] or targets[column]) for row in read_csv("papi", "facets.csv")}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_scale_has_its_published_alpha(scores: dict[str, Answers], name: str) -> None:
    found = alphas(scores[name], instrument(name))
    assert found == pytest.approx(published_alphas(name), abs=0.03)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_domain_scores_correlate_as_intended(scores: dict[str, Answers], name: str) -> None:
    of = instrument(name)
    domains = {domain.name: scale_score(scores[name], domain) for domain in of.domains}
    for pair, wanted in read_toml("papi", PARAMETERS)["targets"]["correlations"][of.family].items():
        first, second = (domains[letter] for letter in pair.split("-"))
        known = ~np.isnan(first) & ~np.isnan(second)
        assert np.corrcoef(first[known], second[known])[0, 1] == pytest.approx(wanted, abs=0.07), pair


def test_targets_of_correlation_are_eight_tenths_of_those_of_the_consistent_people() -> None:
    found = read_toml("papi", PARAMETERS)["targets"]["correlations"]["ipip"]
    consistent = {"N-E": -0.52, "N-O": -0.11, "N-A": -0.31, "N-C": -0.59, "E-O": 0.40}
    consistent |= {"E-A": 0.25, "E-C": 0.29, "O-A": 0.27, "O-C": 0.01, "A-C": 0.51}
    assert found == pytest.approx({pair: 0.8 * r for pair, r in consistent.items()}, abs=1e-9)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_items_go_with_their_scales_in_both_directions(scores: dict[str, Answers], name: str) -> None:
    of, moments = instrument(name), moments_of(scores[name])
    assert item_rest_correlations(moments, of).min() > 0.2
    assert keying_contradictions(moments, of) == 0


def test_without_turning_the_negative_items_facets_contradict_themselves(
    responses: dict[str, Answers],
) -> None:
    of, moments = instrument(IPIP_300), moments_of(responses[IPIP_300])
    assert item_rest_correlations(moments, of).min() < -0.2
    assert keying_contradictions(moments, of) == 1


@pytest.mark.parametrize(("name", "most"), [(IPIP_300, 0.05), (IPIP_120, 0.10)])
def test_few_people_contradict_the_key(
    responses: dict[str, Answers], scores: dict[str, Answers], name: str, most: float
) -> None:
    row_keying = careless_indices(responses[name], scores[name], instrument(name)).row_keying
    assert row_keying is not None
    assert np.mean(row_keying <= 0) < most


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_difficulties_vary_irregularly_over_the_items(responses: dict[str, Answers], name: str) -> None:
    means = moments_of(responses[name]).means
    assert 0.45 <= means.std() <= 0.65
    for lag in (1, 2, 30):
        assert abs(np.corrcoef(means, np.roll(means, lag))[0, 1]) < 0.7, lag


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_answers_use_the_whole_scale(responses: dict[str, Answers], name: str) -> None:
    answered = responses[name][responses[name] != MISSING]
    shares = np.bincount(answered, minlength=6)[1:] / len(answered)
    assert 0.25 < shares[0] + shares[4] < 0.35
    assert shares.min() > 0.10


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_missing_answers_are_as_frequent_as_in_the_real_files(responses: dict[str, Answers], name: str) -> None:
    of = instrument(name)
    missing = (responses[name] == MISSING).sum(axis=1)
    assert np.mean(missing == 0) == pytest.approx(PUBLISHED_COMPLETE[name], abs=0.012)
    assert missing.mean() / len(of.items) == pytest.approx(PUBLISHED_MISSING[name], abs=0.0006)
    limit = of.missing_limit if of.is_ipip else len(of.items)
    assert missing.max() <= limit
    assert np.sum(missing == 1) > np.sum(missing == 2) > np.sum(missing >= 5) > 0


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_chances_of_missing_answers_are_a_distribution(name: str) -> None:
    chances = missing_parameters(instrument(name)).chances
    assert chances.sum() == pytest.approx(1)
    assert chances.min() > 0


def test_only_the_dark_triad_has_people_who_answer_nothing() -> None:
    assert missing_parameters(instrument(DARK_TRIAD)).empty == pytest.approx(6 / 18_192, rel=0.01)
    assert all(missing_parameters(instrument(name)).empty == 0 for name in IPIP_FORMS)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_probabilities_sum_to_one(people: dict[str, People], name: str) -> None:
    of = instrument(name)
    found = answer_probabilities(people[name].rows(slice(0, 500)), of)
    assert found.shape == (500, len(of.items), 5)
    assert np.abs(found.sum(axis=2) - 1).max() < 1e-6
    assert found.min() >= 0


def attentive(n: int, facets: np.ndarray, acquiescence: float) -> People:
    """The same attentive person `n` times."""
    copies = np.tile(facets.astype(np.float32), (n, 1))
    return People(copies[:, :5], copies, np.full(n, acquiescence, np.float32), np.zeros(n, np.int8))


@pytest.mark.parametrize("name", IPIP_FORMS)
def test_drawn_frequencies_are_the_probabilities(name: str) -> None:
    of = instrument(name)
    one = attentive(PEOPLE, np.linspace(-2, 2, 30), 0.3)
    expected = answer_probabilities(one.rows(slice(0, 1)), of)[0]
    drawn = draw_responses(one, of, 5)
    answered = (drawn != MISSING).sum(axis=0)
    found = np.stack([(drawn == option).sum(axis=0) / answered for option in range(1, 6)], axis=1)
    deviation = (found - expected) / np.sqrt(expected * (1 - expected) / answered[:, None] + 1e-9)
    assert np.abs(deviation).max() < 5
    assert deviation.std() == pytest.approx(1, abs=0.1)


def test_frequencies_of_careless_people_are_not_the_probabilities() -> None:
    of = instrument(IPIP_300)
    one = attentive(PEOPLE, np.linspace(-2, 2, 30), 0.3)
    random_answerer = [kind.name for kind in careless_kinds()].index("random")
    careless = People(one.domains, one.facets, one.acquiescence, np.full(PEOPLE, random_answerer, np.int8))
    expected = answer_probabilities(one.rows(slice(0, 1)), of)[0]
    drawn = draw_responses(careless, of, 5)
    found = np.stack([(drawn == option).mean(axis=0) for option in range(1, 6)], axis=1)
    assert np.abs(found - expected).max() > 0.2


def test_more_of_a_trait_means_more_agreement_with_positive_items_and_less_with_negative_ones() -> None:
    of = instrument(IPIP_300)
    low, high = (attentive(1, np.full(30, level), 0) for level in (-1.0, 1.0))
    options = np.arange(1, 6)
    gain = (answer_probabilities(high, of) - answer_probabilities(low, of))[0] @ options
    assert (np.sign(gain) == of.keyed).all()


def test_acquiescence_means_more_agreement_with_everything() -> None:
    of = instrument(IPIP_300)
    shy, agreeing = (attentive(1, np.zeros(30), shift) for shift in (-0.5, 0.5))
    gain = (answer_probabilities(agreeing, of) - answer_probabilities(shy, of))[0] @ np.arange(1, 6)
    assert (gain > 0).all()


def test_both_forms_ask_the_same_items() -> None:
    long, short = item_parameters(instrument(IPIP_300)), item_parameters(instrument(IPIP_120))
    for j, item in enumerate(instrument(IPIP_120).items):
        assert item.full_number is not None
        twin = item.full_number - 1
        assert long.slope[twin] == short.slope[j]
        assert (long.thresholds[twin] == short.thresholds[j]).all()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_item_parameters_are_sound(name: str) -> None:
    of, items = instrument(name), item_parameters(instrument(name))
    assert (np.sign(items.slope) == of.keyed).all()
    assert np.abs(items.slope).max() < 0.95
    assert (np.diff(items.thresholds, axis=1) > 0.1).all()
    assert np.allclose(items.slope.astype(float) ** 2 + items.noise.astype(float) ** 2, 1, atol=1e-6)


def test_items_that_measure_nothing_have_no_reliability(people: dict[str, People]) -> None:
    of = instrument(DARK_TRIAD)
    blank = item_parameters_from(of, np.zeros(27), np.tile([-1.2, -0.4, 0.3, 1.1], (27, 1)))
    careful = People(
        people[DARK_TRIAD].domains,
        people[DARK_TRIAD].facets,
        np.zeros(PEOPLE, np.float32),
        np.zeros(PEOPLE, np.int8),
    )
    found = alphas(scores_from_responses(draw_responses(careful, of, 1, items=blank), of), of)
    assert max(map(abs, found.values())) < 0.05


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_traits_are_standardised_and_correlate_as_the_table_says(people: dict[str, People], name: str) -> None:
    of = instrument(name)
    found = np.corrcoef(people[name].domains.T)
    assert np.abs(found - domain_correlations(of)).max() < 0.03
    assert np.abs(people[name].facets.std(axis=0) - 1).max() < 0.02
    assert np.abs(people[name].facets.mean(axis=0)).max() < 0.04


def test_the_scales_of_the_dark_triad_are_its_domains(people: dict[str, People]) -> None:
    assert np.array_equal(people[DARK_TRIAD].facets, people[DARK_TRIAD].domains)
    assert not np.array_equal(people[IPIP_300].facets[:, :5], people[IPIP_300].domains)


def test_careless_people_are_about_three_in_a_hundred(people: dict[str, People]) -> None:
    codes = np.concatenate([people[name].careless for name in INSTRUMENTS])
    assert sum(kind.share for kind in careless_kinds()) == pytest.approx(1)
    assert careless_kinds()[0].name == "attentive"
    assert np.mean(codes > 0) == pytest.approx(0.03, abs=0.004)
    assert set(codes.tolist()) == set(range(len(careless_kinds())))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_only_constant_or_empty_rows_are_copies(responses: dict[str, Answers], name: str) -> None:
    rows, copies = np.unique(responses[name], axis=0, return_counts=True)
    doubled = rows[copies > 1]
    assert len(doubled)
    assert (doubled == doubled[:, :1]).all()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_same_seed_gives_the_same_answers_and_another_does_not(name: str) -> None:
    of = instrument(name)
    first, again, other = (draw_responses(draw_people(of, 300, seed), of, seed) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()
    assert first.dtype == np.int8
    assert first.flags.f_contiguous


def test_answers_of_a_block_do_not_depend_on_how_many_people_follow() -> None:
    of = instrument(DARK_TRIAD)
    people = draw_people(of, BLOCK_ROWS + 100, 8)
    whole = draw_responses(people, of, 8)
    assert (whole[:BLOCK_ROWS] == draw_responses(people.rows(slice(0, BLOCK_ROWS)), of, 8)).all()


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_anybody_is_enough(n: int) -> None:
    of = instrument(IPIP_120)
    assert draw_responses(draw_people(of, n, 1), of, 1).shape == (n, 120)


@pytest.mark.parametrize(("n", "seed"), [(-1, 1), (1, -1), (1, (3, -1))])
def test_negative_numbers_are_refused(n: int, seed: int | tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="cannot be negative"):
        draw_people(instrument(IPIP_120), n, seed)
