"""What the published PAS does for one subject, in our own code, with every forward that it costs: for timing only.

Two states an item by one forward each, logistic probes head by head, mean differences; then for each of six strengths
every question again behind the prompt with all given answers, in batches of ten, with fifteen generated tokens each.
The strength is added to every token by biases on `o_proj`. Nothing is shared, as in the original.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from alignment.benchmark import Subject
from alignment.prompts import Prompts
from alignment.questions import Question

STRENGTHS = (0, 1, 2, 4, 6, 8)
HEADS, TRAIN_SHARE = 24, 0.6
BATCH, NEW_TOKENS = 10, 15
MIDDLE = 3


@dataclass
class Costs:
    """Seconds of the parts, and the tokens of prompts that went through the model, padding left out."""

    states: float = 0.0
    probes: float = 0.0
    prompts: float = 0.0  # the first forward of each generation
    decoding: float = 0.0  # the fourteen others
    tests: float = 0.0  # the whole test pass: both of these, encoding texts, generate's own work
    tokens: int = 0
    generated: int = 0
    longest: int = 0
    given_tokens: int = field(default=0, repr=False)

    @property
    def seconds(self) -> float:
        return self.states + self.probes + self.tests


@dataclass
class Published:
    """The algorithm on a Llama; `wording` has the options after the statement, as published."""

    model: Any
    tokenizer: Any
    wording: Prompts

    def run(self, subject: Subject, given: Sequence[Question], held_out: Sequence[Question], seed: int) -> Costs:
        costs = Costs()
        answered = [(q, int(a)) for q, a in zip(given, subject.given, strict=True) if a]
        chosen = [(question, answer) for question, answer in answered if answer != MIDDLE]
        with torch.inference_mode():
            with _timed(costs, "states"):
                states = self._states([question for question, _ in chosen], costs)
            with _timed(costs, "probes"):
                labels = np.array([accurate == (answer > MIDDLE) for _, answer in chosen for accurate in (True, False)])
                shifts = _shifts(states, labels, np.random.default_rng(seed))
            pairs = self.wording.pairs([question for question, _ in answered], [answer for _, answer in answered])
            system = self.wording.system("few_shot", pairs=pairs)
            costs.given_tokens = len(self.tokenizer(system)["input_ids"])
            with _timed(costs, "tests"), _forwards_timed(self.model, costs):
                for strength in STRENGTHS:
                    with self._biased(shifts * strength):
                        self._answers(system, held_out, costs)
        return costs

    def _states(self, questions: Sequence[Question], costs: Costs) -> np.ndarray:
        """Inputs of `o_proj` at the last token, one prompt a forward, (rows, layers, heads, width)."""
        rows: list[np.ndarray] = []
        kept: list[np.ndarray] = []
        hooks = [
            layer.self_attn.o_proj.register_forward_pre_hook(lambda module, given: kept.append(given[0][0, -1].numpy()))
            for layer in self.model.model.layers
        ]
        for question in questions:
            for answer in self.wording.probed:
                ids = self._ids(self.wording.system(), question, answer)
                costs.tokens += len(ids)
                self.model(torch.tensor([ids]), logits_to_keep=1)
                rows.append(np.stack(kept))
                kept.clear()
        for hook in hooks:
            hook.remove()
        found = np.stack(rows)
        return found.reshape(*found.shape[:2], self.model.config.num_attention_heads, -1)

    @contextmanager
    def _biased(self, shifts: np.ndarray) -> Iterator[None]:
        """Within the block each layer's `o_proj` has the bias that adding `shifts` to the heads' outputs amounts to."""
        projections = [layer.self_attn.o_proj for layer in self.model.model.layers]
        for projection, shift in zip(projections, shifts, strict=True):
            vector = torch.from_numpy(shift.ravel().astype(np.float32))
            projection.bias = nn.Parameter(projection.weight @ vector, requires_grad=False)
        yield
        for projection in projections:
            projection.bias = None

    def _answers(self, system: str, questions: Sequence[Question], costs: Costs) -> list[str]:
        texts: list[str] = []
        for start in range(0, len(questions), BATCH):
            prompts = [self._ids(system, question, self.wording.asked) for question in questions[start : start + BATCH]]
            longest = max(map(len, prompts))
            costs.tokens += sum(map(len, prompts))
            costs.longest = max(costs.longest, longest)
            pad = self.tokenizer.pad_token_id
            ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
            mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
            written = self.model.generate(
                ids,
                attention_mask=mask,
                do_sample=False,
                min_new_tokens=NEW_TOKENS,
                max_new_tokens=NEW_TOKENS,
                pad_token_id=pad,
            )[:, longest:]
            costs.generated += written.numel()
            texts += self.tokenizer.batch_decode(written)
        return texts

    def _ids(self, system: str, question: Question, answer: str) -> list[int]:
        said = (("system", system), ("user", self.wording.question(question)), ("assistant", answer))
        messages = [{"role": role, "content": content} for role, content in said]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, continue_final_message=True)
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


def _shifts(states: np.ndarray, labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Strength 1: for the 24 heads with the best probes a spread along the difference of the means, (layers, …)."""
    by_head = states.reshape(len(states), -1, states.shape[-1])
    order = random.permutation(len(states))
    cut = int(TRAIN_SHARE * len(states))
    train, check = order[:cut], order[cut:]
    scores = []
    for head in range(by_head.shape[1]):
        rows = by_head[:, head]
        probe = LogisticRegression(max_iter=1000).fit(rows[train], labels[train])
        scores.append((probe.score(rows[train], labels[train]) + probe.score(rows[check], labels[check])) / 2)
    result = np.zeros(by_head.shape[1:], dtype=np.float32)
    for head in np.argsort(scores)[::-1][:HEADS]:
        rows = by_head[:, head]
        direction = rows[labels].mean(axis=0) - rows[~labels].mean(axis=0)
        direction /= np.linalg.norm(direction)
        result[head] = direction * (rows @ direction).std()
    return result.reshape(states.shape[1:])


@contextmanager
def _timed(costs: Costs, part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    setattr(costs, part, getattr(costs, part) + time.perf_counter() - start)


@contextmanager
def _forwards_timed(model: Any, costs: Costs) -> Iterator[None]:
    """Tells the first forward of a generation, over the whole prompt, from those of one token."""
    started = [0.0]

    def before(module: nn.Module, arguments: Any, named: dict[str, Any]) -> None:
        started[0] = time.perf_counter()

    def after(module: nn.Module, arguments: Any, named: dict[str, Any], output: Any) -> None:
        part = "prompts" if named["input_ids"].shape[1] > 1 else "decoding"
        setattr(costs, part, getattr(costs, part) + time.perf_counter() - started[0])

    hooks = (
        model.register_forward_pre_hook(before, with_kwargs=True),
        model.register_forward_hook(after, with_kwargs=True),
    )
    yield
    for hook in hooks:
        hook.remove()
