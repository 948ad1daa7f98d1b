"""Many questions in one sequence: a prefix once, and behind it the suffix of every question, blind to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from alignment.pocket.curriculum import SUFFIX, Row
from alignment.pocket.vocabulary import ASSISTANT, PADDING, words


@dataclass(frozen=True)
class Batch:
    """Rows as tensors; `answers` are the places (row, column) where a letter follows, `targets` its probabilities.

    `weights` sum to 1: every row counts alike, whatever the number of its questions.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    answers: tuple[Tensor, Tensor]
    targets: Tensor
    weights: Tensor


def pack(rows: Sequence[Row], start: int) -> Batch:
    """Pack rows; `start` is the token that an answer begins with."""
    width = max(len(row.prefix) + SUFFIX * len(row.asked) for row in rows)
    ids = np.full((len(rows), width), words().ids[PADDING])
    positions = np.zeros((len(rows), width), dtype=np.int64)
    question = np.full((len(rows), width), -1)  # 0: the prefix, then the number of the question; −1: padding
    for r, row in enumerate(rows):
        first, count = len(row.prefix), len(row.asked)
        suffixes = np.stack([row.asked, np.full(count, words().ids[ASSISTANT]), np.full(count, start)], axis=1)
        end = first + suffixes.size
        ids[r, :end] = np.concatenate([row.prefix, suffixes.ravel()])
        positions[r, :end] = np.concatenate([np.arange(first), first + np.tile(np.arange(SUFFIX), count)])
        question[r, :end] = np.concatenate([np.zeros(first, int), np.repeat(np.arange(1, count + 1), SUFFIX)])
    columns = [_answer_columns(row) for row in rows]
    return Batch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        mask=_mask(torch.from_numpy(question)),
        answers=(
            torch.from_numpy(np.repeat(np.arange(len(rows)), [len(each) for each in columns])),
            torch.from_numpy(np.concatenate(columns)),
        ),
        targets=torch.from_numpy(np.concatenate([part for row in rows for part in (row.earlier, row.targets)])),
        weights=torch.from_numpy(np.concatenate([np.full(len(c), 1 / len(c) / len(rows)) for c in columns])).float(),
    )


def next_token_logits(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Logits over the vocabulary where an answer's letter follows, (answers, vocabulary)."""
    hidden = model.model(
        input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False
    ).last_hidden_state
    logits: Tensor = model.lm_head(hidden[batch.answers])
    return logits


def _answer_columns(row: Row) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    last = len(row.prefix) + SUFFIX * np.arange(1, len(row.asked) + 1) - 1
    return np.concatenate([np.array(row.earlier_at, dtype=np.int64), last])


def _mask(question: Tensor) -> Tensor:
    """Who sees whom, (rows, 1, width, width): back only, the prefix and one's own question (padding: itself)."""
    width = question.shape[1]
    backwards = torch.ones(width, width, dtype=torch.bool).tril()
    seen, seeing = question[:, None, :], question[:, :, None]
    return (backwards & ((seen == 0) | (seen == seeing)))[:, None]
