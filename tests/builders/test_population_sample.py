"""`test_population` looks like the population: measured here anew, with nothing of the sampler's own figures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from builders.options import BuildOptions
from builders.population_sample import population_sample, systematic_sample
from builders.raw.sd3_data import read_sd3_data
from builders.release import build_release
from builders.simulate import simulate
from papi import load
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers, scale_score, scores_from_responses
from validation.careless import careless_flags, careless_indices
from validation.likeness import Likeness, Portrait, likeness, portrait

COUNT, TOLERANCE = 300, 0.05
Rows = NDArray[np.intp]


class Crowd:
    """Some people's responses, with what a build knows of them."""

    def __init__(self, responses: Answers, of: Instrument) -> None:
        self.of, self.responses = of, responses
        self.scores = scores_from_responses(responses, of)
        self.traits = {domain.name: scale_score(self.scores, domain) for domain in of.domains}
        indices = careless_indices(responses, self.scores, of)
        flags = careless_flags(indices, np.zeros(len(responses), dtype=np.int32), of)
        self.unflagged = ~np.logical_or.reduce(list(flags.values()))
        self.sex = np.random.default_rng(0).integers(-1, 2, len(responses)) if of.is_ipip else None

    def sample(self, free: NDArray[np.bool_], count: int = COUNT) -> Rows:
        candidates, everybody = np.flatnonzero(free & self.unflagged), self.portrait(np.flatnonzero(self.unflagged))
        return population_sample(self.responses, self.traits, self.sex, candidates, everybody, count, self.of)

    def portrait(self, rows: Rows) -> Portrait:
        return portrait(self.responses, self.traits, rows, self.of)

    def likeness(self, rows: Rows) -> Likeness:
        return likeness(self.portrait(rows), self.portrait(np.flatnonzero(self.unflagged)))

    def everybody(self) -> NDArray[np.bool_]:
        return np.ones(len(self.responses), dtype=bool)


def measured(crowd: Crowd, rows: Rows) -> tuple[float, float, float]:
    """Mean item variance, share of extreme answers and mean alpha, by the textbook."""
    responses = crowd.responses[rows].astype(float)
    gaps = np.where(responses == 0, np.nan, responses)
    alphas = []
    for scale in crowd.of.scales:
        part = crowd.scores[rows][:, scale.positions].astype(float)
        part = part[(part > 0).all(axis=1)]
        k = part.shape[1]
        alphas.append(k / (k - 1) * (1 - part.var(axis=0).sum() / part.sum(axis=1).var()))
    extreme = np.isin(responses, (1, 5)).sum() / (responses > 0).sum()
    return float(np.nanvar(gaps, axis=0).mean()), float(extreme), float(np.mean(alphas))


def worst_deviation(crowd: Crowd, rows: Rows) -> float:
    """The largest relative deviation from all unflagged people, or Kolmogorov-Smirnov distance of a trait."""
    whole = np.flatnonzero(crowd.unflagged)
    ratios = np.array(measured(crowd, rows)) / np.array(measured(crowd, whole))
    distances = [ks_2samp(_known(trait[rows]), _known(trait[whole])).statistic for trait in crowd.traits.values()]
    return float(max(*abs(ratios - 1), *distances))


def _known(trait: NDArray[np.float32]) -> NDArray[np.float32]:
    return trait[~np.isnan(trait)]


@cache
def simulated_crowd() -> Crowd:
    of = instrument(IPIP_120)
    return Crowd(draw_responses(draw_people(of, 20_000, 21), of, 22), of)


@pytest.fixture(scope="module")
def real_crowd(real_data: Path) -> Crowd:
    content = (real_data / "raw" / "sd3" / "data.csv").read_bytes()
    return Crowd(read_sd3_data(content, "data.csv").answers, instrument(DARK_TRIAD))


def check_likeness(crowd: Crowd) -> None:
    rows = crowd.sample(crowd.everybody())
    assert len(set(rows.tolist())) == COUNT
    assert worst_deviation(crowd, rows) <= TOLERANCE
    found = crowd.likeness(rows)
    assert max(found.deviation, found.trait_distance) == pytest.approx(worst_deviation(crowd, rows), rel=1e-3)


def test_of_the_real_dark_triad_the_sample_is_within_five_percent(real_crowd: Crowd) -> None:
    check_likeness(real_crowd)


def test_of_twenty_thousand_simulated_people_the_sample_is_within_five_percent() -> None:
    check_likeness(simulated_crowd())


def test_consistent_people_are_not_like_the_population() -> None:
    """The negation: who is chosen for being near the middle lies far outside the tolerance."""
    crowd = simulated_crowd()
    spread = crowd.responses.astype(float).var(axis=1)
    middle = np.argsort(np.where(crowd.unflagged, spread, np.inf))[:COUNT]
    assert worst_deviation(crowd, middle) > 4 * TOLERANCE


def test_only_unflagged_people_who_are_free_are_chosen() -> None:
    crowd = simulated_crowd()
    free = np.arange(20_000) % 3 > 0
    rows = crowd.sample(free)
    assert crowd.unflagged[rows].all()
    assert free[rows].all()
    assert not crowd.unflagged.all()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_nobody_in_the_split_of_a_release_is_flagged_but_some_who_took_an_ipip_form_are(
    release: Path, name: str
) -> None:
    flags = {split: frame.filter(like="flag_").to_numpy(dtype=bool) for split, frame in load(release, name).items()}
    assert not flags["test_population"].any()
    assert flags["dev"].any() or name == DARK_TRIAD  # where flags are so rare that 400 people may have none


def test_where_just_enough_people_may_be_chosen_they_are_all_chosen() -> None:
    crowd = simulated_crowd()
    free = np.zeros(20_000, dtype=bool)
    free[np.flatnonzero(crowd.unflagged)[:40]] = free[np.flatnonzero(~crowd.unflagged)[:40]] = True
    rows = crowd.sample(free, count=40)
    assert (rows == np.flatnonzero(crowd.unflagged)[:40]).all()


def test_the_same_people_give_the_same_sample() -> None:
    crowd = simulated_crowd()
    free = np.arange(20_000) < 2_000
    first, second = (crowd.sample(free, count=50) for _ in range(2))
    assert (first == second).all()
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_systematic_sample_takes_one_of_every_ten_in_the_order_given(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(1_000)
    chosen = systematic_sample(order, 100, seed)
    assert (np.diff(chosen) > 0).all()
    places = np.flatnonzero(np.isin(order, chosen))
    assert (places // 10 == np.arange(100)).all()


def test_a_systematic_sample_of_everybody_is_everybody() -> None:
    assert systematic_sample(np.array([12, 10, 14, 11, 13]), 5, 0).tolist() == [10, 11, 12, 13, 14]


def test_a_likeness_that_cannot_be_measured_is_null_in_the_manifest(tmp_path: Path) -> None:
    """Of one or two people no alpha can be computed; thirty people are enough for a build all the same."""
    simulate(tmp_path / "raw", {DARK_TRIAD: 30}, 1)
    manifest, _ = build_release(tmp_path / "raw", tmp_path / "release", BuildOptions(only=(DARK_TRIAD,), figures=False))
    sample = manifest["configs"][DARK_TRIAD]["likeness"]["test_population"]
    assert sample["people"] == 2
    assert sample["alpha"] is None or sample["alpha"] == sample["alpha"]
