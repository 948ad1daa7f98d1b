"""What training minimises, from the log-probabilities of the six outcomes (questions, 6) and the answers 1-5.

One answer token is a bandit's action: there is one step, one reward and no sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from alignment.hyperparameters import Hyperparameters
from alignment.training.outcomes import ELSE, OUTCOMES
from papi.instruments import MAXIMUM, MINIMUM

NEUTRAL = (MINIMUM + MAXIMUM) // 2


@dataclass(frozen=True, eq=False)
class Batch:
    """Questions of one step: the model's log-probabilities, those of the untrained model, and the answers.

    `reference` is None for an objective that does not refer to it. `hidden` (questions, width) are the model's last
    states before the letter, for a value head.
    """

    policy: Tensor
    reference: Tensor | None
    answers: Tensor
    hidden: Tensor

    @property
    def gain(self) -> Tensor:
        """How much more likely each outcome is than to the untrained model, as a logarithm."""
        assert self.reference is not None
        return self.policy - self.reference


class Objective(Protocol):
    """A loss of a batch. `epochs` are updates with one batch; `refers` says whether it needs the untrained model."""

    epochs: int
    refers: bool

    def usable(self, answer: int) -> bool:
        """Whether an answer teaches anything."""

    def parameters(self) -> list[Tensor]:
        """What is learnt beside the adapter."""

    def start(self, width: int, device: torch.device, seed: int) -> None:
        """Begin a training."""

    def loss(self, batch: Batch, epoch: int) -> Tensor:
        """The loss, a scalar; epochs count from 0 within a batch."""


@dataclass
class Plain:
    """An objective without a state of its own."""

    of: Callable[[Batch], Tensor]
    refers: bool = True
    neutral: bool = True  # whether the middle answer teaches anything
    epochs: int = 1

    def usable(self, answer: int) -> bool:
        """Whether an answer teaches anything."""
        return self.neutral or answer != NEUTRAL

    def parameters(self) -> list[Tensor]:
        """Nothing but the adapter is learnt."""
        return []

    def start(self, width: int, device: torch.device, seed: int) -> None:
        """There is nothing to begin."""

    def loss(self, batch: Batch, epoch: int) -> Tensor:
        """The loss, a scalar."""
        return self.of(batch)


def cross_entropy(batch: Batch) -> Tensor:
    """Supervised fine-tuning: −log p(answer)."""
    return -_chosen(batch.policy, batch.answers).mean()


def preference(beta: float) -> Callable[[Batch], Tensor]:
    """DPO (Rafailov et al. 2023, eq. 7) as in Zhu et al.: the answer is chosen, the opposite extreme rejected.

    Both follow the same prompt, so that the softmax's normaliser cancels and one forward serves both.
    """

    def loss(batch: Batch) -> Tensor:
        gain = batch.gain
        opposite = torch.where(batch.answers > NEUTRAL, MINIMUM, MAXIMUM)
        return -logsigmoid(beta * (_chosen(gain, batch.answers) - _chosen(gain, opposite))).mean()

    return loss


def graded_preference(beta: float, margin: float) -> Callable[[Batch], Tensor]:
    """Every other option is rejected, with a margin for each step that it is away (DPO with an offset, Amini et al.
    2024): the mean of −log σ(β (gain of the answer − gain of the option) − margin · distance)."""

    def loss(batch: Batch) -> Tensor:
        gain = batch.gain[:, :MAXIMUM]
        away = _distances(batch.answers)
        apart = beta * (_chosen(gain, batch.answers)[:, None] - gain) - margin * away
        return -logsigmoid(apart)[away > 0].mean()

    return loss


def expected_reward(kl: float, lost: float) -> Callable[[Batch], Tensor]:
    """Exact-expectation policy gradient: −E[reward] + kl · KL(model ‖ untrained model), both sums over all outcomes.

    The reward of an option is −|option − answer|, of anything else `lost`. Nothing is sampled, so that the gradient has
    no variance but that of the batch.
    """

    def loss(batch: Batch) -> Tensor:
        chances = batch.policy.exp()
        reward = (chances * rewards(batch.answers, lost)).sum(dim=-1)
        divergence = (chances * batch.gain).sum(dim=-1)
        return (kl * divergence - reward).mean()

    return loss


class ClippedBandit:
    """PPO (Schulman et al. 2017, eq. 7) for one action: sampled outcomes, clipped ratios, a value head.

    The reward is that of `expected_reward` less kl · log(p / p of the untrained model) of what was drawn; its advantage
    is over the value that a linear head foretells from the state, whitened over the batch.
    """

    refers = True

    def __init__(self, settings: Hyperparameters) -> None:
        self.epochs = int(settings["epochs"])
        self.kl, self.lost, self.clip = (settings[name] for name in ("kl", "lost_reward", "clip"))
        self.value_weight = settings["value_weight"]

    def usable(self, answer: int) -> bool:
        """Every answer teaches something."""
        return True

    def parameters(self) -> list[Tensor]:
        """The value head's."""
        return list(self.head.parameters())

    def start(self, width: int, device: torch.device, seed: int) -> None:
        """A value head that foretells 0, and the sampling's own random numbers."""
        self.head = torch.nn.Linear(width, 1, device=device)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)
        self.random = torch.Generator().manual_seed(seed)

    def loss(self, batch: Batch, epoch: int) -> Tensor:
        """The clipped objective and the value's squared error; in the first epoch of a batch outcomes are drawn."""
        value = self.head(batch.hidden.float())[:, 0]
        if epoch == 0:
            self._draw(batch, value.detach())
        ratio = (_at(batch.policy, self.drawn) - self.before).exp()
        clipped = ratio.clamp(1 - self.clip, 1 + self.clip)
        gain = torch.minimum(ratio * self.advantage, clipped * self.advantage)
        surprise: Tensor = (value - self.returned).square().mean() / 2
        return self.value_weight * surprise - gain.mean()

    def _draw(self, batch: Batch, value: Tensor) -> None:
        policy = batch.policy.detach()
        chances = policy.exp().cpu()
        self.drawn = torch.multinomial(chances, 1, generator=self.random)[:, 0].to(policy.device)
        self.before = _at(policy, self.drawn)
        penalty = self.kl * _at(batch.gain.detach(), self.drawn)
        self.returned = _at(rewards(batch.answers, self.lost), self.drawn) - penalty
        advantage = self.returned - value
        self.advantage = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8)


def objective_of(method: str, chosen: Hyperparameters) -> Objective:
    """The objective of a trained method, by its name."""
    return OBJECTIVES[method](chosen)


def rewards(answers: Tensor, lost: float) -> Tensor:
    """The reward of each outcome (Zhu et al. 2025), (questions, 6): −|option − answer|, `lost` where there is none."""
    found = torch.full((len(answers), OUTCOMES), lost, device=answers.device)
    found[:, :ELSE] = -_distances(answers).float()
    return found


def _distances(answers: Tensor) -> Tensor:
    """How far each option is from the answer, (questions, 5)."""
    options = torch.arange(MINIMUM, MAXIMUM + 1, device=answers.device)
    away: Tensor = (options - answers[:, None]).abs()
    return away


def _chosen(values: Tensor, answers: Tensor) -> Tensor:
    return _at(values, answers - MINIMUM)


def _at(values: Tensor, places: Tensor) -> Tensor:
    return values.gather(1, places[:, None])[:, 0]


OBJECTIVES: dict[str, Callable[[Hyperparameters], Objective]] = {
    **dict.fromkeys(("sft", "prompt-morl"), lambda chosen: Plain(cross_entropy, refers=False)),
    "dpo": lambda chosen: Plain(preference(chosen["beta"]), neutral=False),
    "dpo-graded": lambda chosen: Plain(graded_preference(chosen["beta"], chosen["margin"])),
    "ppo": ClippedBandit,
    **dict.fromkeys(("epg", "soups"), lambda chosen: Plain(expected_reward(chosen["kl"], chosen["lost_reward"]))),
}
