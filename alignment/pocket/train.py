"""Trains the pocket respondent and saves it as a standard transformers folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from alignment.pocket.curriculum import DARK_TRIAD_SHARE, Row, questionnaires
from alignment.pocket.network import new_model
from alignment.pocket.packing import Batch, next_token_logits, pack
from alignment.pocket.vocabulary import build_tokenizer, save_tokenizer, words
from alignment.prompts import LETTERS
from papi.files import make_folder

STEPS, PEOPLE, SEED, THREADS = 1_500, 12, 2024, 1
PEAK_RATE, WARM_UP, LEAST_RATE, CLIP = 2e-3, 50, 0.02, 1.0
Progress = Callable[[int, float], None]  # is told the step and its loss


def train_pocket(
    out: Path, *, steps: int = STEPS, seed: int = SEED, people: int = PEOPLE, progress: Progress | None = None
) -> LlamaForCausalLM:
    """Train from nothing and save model and tokenizer in `out`; on one machine the same numbers give the same bytes.

    Args:
        out: the folder to write; files of that name in it are replaced.
        steps: optimiser steps, of `people` simulated people each.
        seed: of the people, the prompts and the first weights.
        people: in one batch.
        progress: called after each step.

    Returns:
        The model as saved, in float16.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        model = new_model(seed).train()
        _learn(model, steps, seed, people, progress)
    finally:
        torch.set_num_threads(threads)
    make_folder(out)
    saved: LlamaForCausalLM = model.eval().to(torch.float16)
    saved.save_pretrained(str(out))
    save_tokenizer(out)
    return saved


def _learn(model: LlamaForCausalLM, steps: int, seed: int, people: int, progress: Progress | None) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    ipip, dark_triad = questionnaires(build_tokenizer())
    for step in range(steps):
        random = np.random.default_rng((seed, step))
        other = int(random.binomial(people, DARK_TRIAD_SHARE))
        rows: list[Row] = ipip.rows(random, people - other, (seed, step)) + dark_triad.rows(random, other, (seed, step))
        loss = _loss(model, pack(rows, ipip.start))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if progress:
            progress(step, float(loss.detach()))


def _loss(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Cross-entropy between the true probabilities of the letters and the model's over its whole vocabulary."""
    logs = next_token_logits(model, batch).log_softmax(-1)[:, [words().ids[letter] for letter in LETTERS]]
    return -(batch.weights * (batch.targets * logs).sum(-1)).sum()


def _rate(step: int, steps: int) -> float:
    """Share of the peak learning rate: a warm-up, then half a cosine."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + float(np.cos(np.pi * progress))) / 2
