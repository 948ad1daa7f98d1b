"""What trainings minimise, against enumeration, closed forms and what must not matter."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from alignment.hyperparameters import defaults
from alignment.training.objectives import (
    Batch,
    ClippedBandit,
    Plain,
    cross_entropy,
    expected_reward,
    graded_preference,
    objective_of,
    preference,
    rewards,
)

ANSWERS = torch.tensor([1, 2, 4, 5])
LETTERS = 5


def drawn(seed: int = 0, rows: int = len(ANSWERS), words: int = 40) -> Tensor:
    """Logits of a vocabulary whose first five words are the options."""
    return torch.randn(rows, words, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outcomes(logits: Tensor) -> Tensor:
    logarithms = logits.log_softmax(-1)
    return torch.cat([logarithms[:, :LETTERS], logarithms[:, LETTERS:].logsumexp(-1, keepdim=True)], dim=1)


def batch(logits: Tensor, reference: Tensor, answers: Tensor = ANSWERS) -> Batch:
    return Batch(outcomes(logits), outcomes(reference), answers, torch.zeros(len(logits), 3))


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, logits)
    return found


def test_the_rewards_are_those_of_the_paper() -> None:
    expected = torch.tensor([[0, -1, -2, -3, -4, -6], [-3, -2, -1, 0, -1, -6]])
    assert torch.equal(rewards(torch.tensor([1, 4]), -6), expected.float())


def test_cross_entropy_is_that_of_the_whole_vocabulary() -> None:
    logits = drawn()
    expected = torch.nn.functional.cross_entropy(logits, ANSWERS - 1)
    assert torch.allclose(cross_entropy(batch(logits, logits)), expected)


def test_a_preference_starts_at_the_logarithm_of_two() -> None:
    logits = drawn()
    assert preference(0.1)(batch(logits, logits)).item() == pytest.approx(math.log(2))


def test_a_preference_is_that_of_rafailov_for_the_answer_against_the_opposite_extreme() -> None:
    logits, reference = drawn(1), drawn(2)
    gain = logits.log_softmax(-1) - reference.log_softmax(-1)
    chosen, rejected = gain[range(4), [0, 1, 3, 4]], gain[range(4), [4, 4, 0, 0]]
    expected = -torch.log(torch.sigmoid(0.3 * (chosen - rejected))).mean()
    assert torch.allclose(preference(0.3)(batch(logits, reference)), expected)


def test_a_preference_moves_the_two_options_only() -> None:
    """The softmax's normaliser cancels: every other word's logit has no gradient."""
    logits = drawn(1).requires_grad_()
    found = gradient(preference(0.3)(batch(logits, drawn(2))), logits)
    assert (found[range(4), [0, 1, 3, 4]] < 0).all()
    assert (found[range(4), [4, 4, 0, 0]] > 0).all()
    found[range(4), [0, 1, 3, 4]] = 0
    found[range(4), [4, 4, 0, 0]] = 0
    assert found.abs().max() < 1e-12


def test_graded_preferences_are_those_against_each_other_option_with_its_margin() -> None:
    logits, reference = drawn(1), drawn(2)
    gain = logits.log_softmax(-1) - reference.log_softmax(-1)
    terms = [
        -math.log(
            1
            / (1 + math.exp(-(0.3 * float(gain[row, answer - 1] - gain[row, option - 1]) - 0.2 * abs(option - answer))))
        )
        for row, answer in enumerate(ANSWERS.tolist())
        for option in range(1, 6)
        if option != answer
    ]
    found = graded_preference(0.3, 0.2)(batch(logits, reference))
    assert found.item() == pytest.approx(sum(terms) / len(terms))


def test_a_margin_pushes_far_options_harder_than_near_ones() -> None:
    logits = torch.zeros(1, 40, dtype=torch.float64, requires_grad=True)
    found = gradient(graded_preference(0.3, 1.0)(batch(logits, torch.zeros(1, 40), torch.tensor([1]))), logits)[0]
    assert found[0] < 0
    assert (found[1:5].diff() > 0).all()
    level = torch.zeros(1, 40, dtype=torch.float64, requires_grad=True)
    alike = gradient(graded_preference(0.3, 0.0)(batch(level, torch.zeros(1, 40), torch.tensor([1]))), level)[0]
    assert torch.allclose(alike[1:5], alike[1])


@given(st.integers(0, 1000), st.floats(0, 2))
def test_the_expected_reward_is_the_sum_over_all_outcomes(seed: int, kl: float) -> None:
    logits, reference = drawn(seed), drawn(seed + 1)
    one, other = outcomes(logits), outcomes(reference)
    expected = sum(
        float(one[row, k].exp() * (kl * (one[row, k] - other[row, k]) - reward))
        for row, answer in enumerate(ANSWERS.tolist())
        for k, reward in enumerate([*(-abs(option - answer) for option in range(1, 6)), -6])
    )
    assert expected_reward(kl, -6)(batch(logits, reference)).item() == pytest.approx(expected / 4)


def test_the_divergence_holds_nothing_back_where_nothing_has_changed() -> None:
    logits = drawn().requires_grad_()
    with_kl, without = (gradient(expected_reward(kl, -6)(batch(logits, drawn())), logits) for kl in (5.0, 0.0))
    assert torch.allclose(with_kl, without)


def test_a_clipped_bandits_first_step_is_the_policy_gradient_of_what_was_drawn() -> None:
    bandit = ClippedBandit(defaults()["ppo"])
    bandit.start(3, torch.device("cpu"), seed=1)
    logits = drawn().requires_grad_()
    found = gradient(bandit.loss(batch(logits, drawn()), 0), logits)
    chosen = outcomes(logits).gather(1, bandit.drawn[:, None])[:, 0]
    assert torch.allclose(found, gradient(-(bandit.advantage * chosen).mean(), logits))
    assert bandit.advantage.mean().abs() < 1e-6
    reward = rewards(ANSWERS, -6).gather(1, bandit.drawn[:, None])[:, 0]
    assert torch.equal(bandit.returned.float(), reward)  # nothing has changed, so there is no penalty


def test_a_clipped_bandit_goes_no_further_than_the_clip() -> None:
    """What was made likelier than the clip allows has no gradient if it was good, and still has one if it was bad."""
    bandit = ClippedBandit(defaults()["ppo"])
    bandit.start(3, torch.device("cpu"), seed=1)
    before = drawn()
    before[:, :LETTERS] += 10  # so that what is drawn are options
    bandit.loss(batch(before, before), 0)
    moved = before.clone()
    moved[range(len(ANSWERS)), bandit.drawn] += 3
    moved.requires_grad_()
    found = gradient(bandit.loss(batch(moved, before), 1), moved).abs().sum(dim=1)
    good = bandit.advantage > 0
    assert 0 < good.sum() < len(good)
    assert (found[good] == 0).all()
    assert (found[~good] > 0).all()


def test_a_clipped_bandit_draws_the_same_for_the_same_seed() -> None:
    def draws(seed: int) -> list[int]:
        bandit = ClippedBandit(defaults()["ppo"])
        bandit.start(3, torch.device("cpu"), seed)
        answers = torch.full((50,), 3)
        bandit.loss(batch(torch.zeros(50, 40), torch.zeros(50, 40), answers), 0)
        return bandit.drawn.tolist()  # type: ignore[no-any-return]

    assert draws(1) == draws(1) != draws(2)


@pytest.mark.parametrize(("method", "expected"), [("dpo", [1, 2, 4, 5]), ("dpo-graded", [1, 2, 3, 4, 5])])
def test_only_the_papers_preference_learns_nothing_from_the_middle(method: str, expected: list[int]) -> None:
    objective = objective_of(method, defaults()[method])
    assert [answer for answer in range(1, 6) if objective.usable(answer)] == expected


def test_cross_entropy_needs_no_untrained_model() -> None:
    objective = objective_of("sft", defaults()["sft"])
    assert isinstance(objective, Plain)
    assert not objective.refers
    logits = drawn()
    assert objective.loss(Batch(outcomes(logits), None, ANSWERS, logits), 0) > 0


def test_a_clipped_bandits_loss_by_hand() -> None:
    """Rewards less the penalty, advantages over the value and whitened, and half the squared error of the value."""
    settings_ = defaults()["ppo"] | {"kl": 0.5, "value_weight": 0.4}
    bandit = ClippedBandit(settings_)
    bandit.start(3, torch.device("cpu"), seed=2)
    torch.nn.init.constant_(bandit.head.bias, -1.5)
    policy, reference = drawn(1), drawn(2)
    loss = bandit.loss(batch(policy, reference), 0)
    one, other = outcomes(policy), outcomes(reference)
    returned = []
    for row, (answer, place) in enumerate(zip(ANSWERS.tolist(), bandit.drawn.tolist(), strict=True)):
        reward = -6.0 if place == LETTERS else -abs(place + 1 - answer)
        returned.append(reward - 0.5 * float(one[row, place] - other[row, place]))
    gains = [each + 1.5 for each in returned]
    mean = sum(gains) / 4
    spread = math.sqrt(sum((gain - mean) ** 2 for gain in gains) / 4)
    assert bandit.advantage.tolist() == pytest.approx([(gain - mean) / spread for gain in gains], rel=1e-4)
    surprise = sum((-1.5 - each) ** 2 for each in returned) / 4 / 2
    assert loss.item() == pytest.approx(0.4 * surprise, rel=1e-4)  # whitened advantages have no mean
