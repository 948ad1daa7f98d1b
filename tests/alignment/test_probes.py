"""What the probes promise: exact leave-one-out, heads with a signal first, nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from alignment.methods import probes
from alignment.methods.strength import STRENGTHS, Tried, choose_strength

RANDOM = np.random.default_rng(0)
ITEMS, HEADS, WIDTH = 40, 6, 5
EVERY = np.ones(ITEMS, dtype=bool)


def differences(signal: np.ndarray | None = None, head: int = 2) -> np.ndarray:
    """Random differences; one head holds a signal along its first axis."""
    found = np.random.default_rng(1).normal(size=(ITEMS, HEADS, WIDTH)).astype(np.float32)
    if signal is not None:
        found[:, head, 0] += 3 * signal
    return found


def targets(seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    answers = np.random.default_rng(seed).integers(1, 6, (1, ITEMS)).astype(np.int8)
    return probes.graded(answers)


def test_leaving_one_out_is_what_refitting_without_it_gives() -> None:
    """The closed form against the ridge in its primal form, one fit an item."""
    y, asked = targets()
    fitted = probes.fit_ridge_probes(differences())
    for head in range(HEADS):
        x = fitted.differences[head].astype(float)
        penalty = probes.PENALTY * np.trace(x @ x.T) / ITEMS
        errors = []
        for item in range(ITEMS):
            rest = np.arange(ITEMS) != item
            weights = np.linalg.solve(x[rest].T @ x[rest] + penalty * np.eye(WIDTH), x[rest].T @ y[0, rest])
            errors.append(y[0, item] - x[item] @ weights)
        explained = 1 - np.sum(np.square(errors)) / np.sum(y[0] ** 2)
        assert fitted.scores(y, asked)[0, head] == pytest.approx(explained, abs=1e-4)


def test_weights_are_those_of_the_ridge() -> None:
    y, _ = targets()
    fitted = probes.fit_ridge_probes(differences())
    x = fitted.differences[3].astype(float)
    expected_weights = np.linalg.solve(x.T @ x + probes.PENALTY * np.trace(x @ x.T) / ITEMS * np.eye(WIDTH), x.T @ y[0])
    np.testing.assert_allclose(fitted.weights(y[0], EVERY, np.array([3]))[0], expected_weights, rtol=1e-3)


def test_the_head_with_the_signal_comes_first_and_points_along_it() -> None:
    y, asked = targets()
    fitted = probes.fit_ridge_probes(differences(y[0]))
    scores = fitted.scores(y, asked)[0]
    best = probes.best_heads(scores, np.ones(HEADS, dtype=bool))
    assert best[0] == 2
    assert scores[2] > 0.5
    assert probes.unit(fitted.weights(y[0], EVERY, best))[0, 0] > 0.8


def test_without_a_signal_no_head_foretells_anything() -> None:
    y, asked = targets()
    assert probes.fit_ridge_probes(differences()).scores(y, asked).max() < 0.2


def test_turning_a_pair_round_with_its_target_changes_nothing() -> None:
    y, asked = targets()
    sign = np.where(np.arange(ITEMS) % 2, 1, -1).astype(np.float32)
    plain = probes.fit_ridge_probes(differences(y[0]))
    turned = probes.fit_ridge_probes(differences(y[0]) * sign[:, None, None])
    np.testing.assert_allclose(plain.scores(y, asked), turned.scores(y * sign, asked), atol=1e-4)
    heads = np.arange(HEADS)
    np.testing.assert_allclose(plain.weights(y[0], EVERY, heads), turned.weights(y[0] * sign, EVERY, heads), atol=1e-4)


def test_subjects_do_not_touch_each_other() -> None:
    first, second = targets(3), targets(4)
    fitted = probes.fit_ridge_probes(differences())
    together = fitted.scores(np.vstack([first[0], second[0]]), np.vstack([first[1], second[1]]))
    np.testing.assert_allclose(together[1], fitted.scores(*second)[0], atol=1e-6)


def test_a_missing_answer_counts_nowhere() -> None:
    """Scores and weights are those of probes that never saw the item (with the same penalty)."""
    answers = np.random.default_rng(2).integers(1, 6, (1, ITEMS)).astype(np.int8)
    answers[0, [5, 17]] = 0
    y, asked = probes.graded(answers)
    fitted = probes.fit_ridge_probes(differences(y[0]))
    kept = np.flatnonzero(asked[0])
    for head in range(HEADS):
        every = fitted.differences[head].astype(float)
        x, penalty = every[kept], probes.PENALTY * np.trace(every @ every.T) / ITEMS
        inverse = np.linalg.inv(x @ x.T + penalty * np.eye(len(kept)))
        errors = inverse @ y[0, kept] / np.diag(inverse)
        explained = 1 - np.sum(errors**2) / np.sum(y[0] ** 2)
        assert fitted.scores(y, asked)[0, head] == pytest.approx(explained, abs=1e-3)
        found = fitted.weights(y[0], asked[0], np.array([head]))[0]
        np.testing.assert_allclose(found, x.T @ inverse @ y[0, kept], atol=1e-4)


def test_a_missing_answer_is_no_answer_in_the_middle() -> None:
    answers = np.random.default_rng(2).integers(1, 6, (1, ITEMS)).astype(np.int8)
    middle, missing = answers.copy(), answers.copy()
    middle[0, 5], missing[0, 5] = 3, 0
    fitted = probes.fit_ridge_probes(differences())
    one, other = (fitted.scores(*probes.graded(each)) for each in (middle, missing))
    assert np.abs(one - other).max() > 1e-3


def test_heads_that_cannot_be_steered_are_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    usable, scores = np.array([False, True, True, True, True, False]), np.arange(6)[::-1].astype(np.float32)
    assert probes.best_heads(scores, usable).tolist() == [1, 2, 3, 4]
    monkeypatch.setattr(probes, "HEADS", 2)
    assert probes.best_heads(scores, usable).tolist() == [1, 2]


def test_spreads_are_standard_deviations_along_the_direction() -> None:
    states = RANDOM.normal(0, [1, 4], (5000, 1, 2)).astype(np.float32)
    assert probes.spreads(states, np.array([[0, 1]], dtype=np.float32))[0] == pytest.approx(4, rel=0.05)


def tried(*errors: list[float], mass: list[float] | None = None) -> Tried:
    return Tried(np.array(errors), np.array(mass or [1.0] * len(errors)))


def test_a_strength_needs_to_be_better_by_a_standard_error() -> None:
    none = [1.0] * 20
    clearly, hardly = [0.5] * 19 + [1.0], [0.0, 1.5] + [1.0] * 18
    assert choose_strength(tried(none, clearly, none, none, none, none), 0.5) == STRENGTHS[1]
    assert choose_strength(tried(none, hardly, none, none, none, none), 0.5) == 0
    assert choose_strength(tried(clearly, none, none, none, none, none), 0.5) == 0


def test_ties_go_to_the_smaller_and_lost_options_are_not_eligible() -> None:
    none, better = [1.0] * 20, [0.5] * 20
    assert choose_strength(tried(none, none, better, better, none, none), 0.5) == STRENGTHS[2]
    lost = [1, 1, 0.4, 1, 1, 1.0]
    assert choose_strength(tried(none, none, better, better, none, none, mass=lost), 0.5) == STRENGTHS[3]
    assert choose_strength(tried(none, none, better, none, none, none, mass=lost), 0.5) == 0


def test_noise_is_rarely_steered_by() -> None:
    """Without a true gain the rule takes a strength for a minority; the lowest error alone would for most."""
    random = np.random.default_rng(5)
    chosen, lowest = [], []
    for _ in range(300):
        errors = np.abs(
            random.integers(-2, 3, 120) + random.integers(-1, 2, (6, 120)) * (random.random((6, 120)) < 0.2)
        )
        found = Tried(errors.astype(float), np.ones(6))
        chosen.append(choose_strength(found, 0.5) > 0)
        lowest.append(int(np.argmin(found.errors.mean(axis=1))) > 0)
    assert np.mean(lowest) > 0.6
    assert np.mean(chosen) < np.mean(lowest) - 0.15
