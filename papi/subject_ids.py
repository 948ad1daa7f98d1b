"""Subject ids: stable names of people that are no function of case, time or file order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from papi.errors import InputRejected
from papi.instruments import Instrument
from papi.scoring import Answers

BLOCK_ROWS = 20_000
ID_BYTES = 8  # the first 16 hex digits


@dataclass(frozen=True)
class SubjectIds:
    """Per person, shape (people,): the number behind the id's hex digits, and how many identical rows come before."""

    numbers: NDArray[np.uint64]
    copy_number: NDArray[np.int32]


def subject_ids(responses: Answers, demographics: pd.DataFrame, of: Instrument) -> SubjectIds:
    """SHA-256 over instrument, published answers and copy number; copies are ordered by published demographics.

    `responses` has the shape (people, items); `demographics` holds the published columns, all categorical.
    """
    numbers = _first_digests(responses, of)
    copy_number = np.zeros(len(responses), dtype=np.int32)
    for rows in _groups_of_equals(numbers):
        order = _by_demographics(rows, demographics)
        copy_number[order] = np.arange(len(order))
        for copy, row in enumerate(order[1:].tolist(), start=1):
            numbers[row] = _digest(of, np.ascontiguousarray(responses[row]).tobytes(), copy)
    if len(np.unique(numbers)) < len(numbers):
        raise InputRejected(
            f"two people of {of.name} have the same subject id", next_step="report this: 64 bits collided"
        )
    return SubjectIds(numbers, copy_number)


def ids_follow(responses: Answers, texts: Sequence[str], of: Instrument) -> NDArray[np.bool_]:
    """Whether each person's id, as published, follows from the answers; shape (people,).

    Which of several identical people has which copy number is not checked, only that every number is there once.
    """
    first = _first_digests(responses, of)
    expected = first.copy()
    for rows in _groups_of_equals(first):
        answers = np.ascontiguousarray(responses[rows[0]]).tobytes()
        expected[rows] = [_digest(of, answers, copy) for copy in range(len(rows))]
    published = np.array([_number(text, of) for text in texts], dtype=np.uint64)
    orders = [np.lexsort((numbers, first)) for numbers in (expected, published)]
    follows = np.zeros(len(first), dtype=bool)
    follows[orders[1]] = expected[orders[0]] == published[orders[1]]
    return follows


def _number(text: str, of: Instrument) -> int:
    """The number behind an id; 0 for what is none."""
    match = re.fullmatch(rf"{of.id_prefix}-([0-9a-f]{{16}})", text)
    return int(match[1], 16) if match else 0


def id_texts(numbers: NDArray[np.uint64], of: Instrument) -> list[str]:
    """The ids as they are published."""
    return [f"{of.id_prefix}-{number:016x}" for number in numbers.tolist()]


def _first_digests(responses: Answers, of: Instrument) -> NDArray[np.uint64]:
    digests: list[int] = []
    for start in range(0, len(responses), BLOCK_ROWS):
        block = np.ascontiguousarray(responses[start : start + BLOCK_ROWS])
        digests.extend(_digest(of, row.tobytes(), 0) for row in block)
    return np.array(digests, dtype=np.uint64)


def _digest(of: Instrument, answers: bytes, copy: int) -> int:
    message = b"\0".join((of.name.encode(), answers, str(copy).encode()))
    return int.from_bytes(hashlib.sha256(message).digest()[:ID_BYTES], "big")


def _groups_of_equals(numbers: NDArray[np.uint64]) -> list[NDArray[np.intp]]:
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    ends = [np.searchsorted(ordered, repeated, side=side).tolist() for side in ("left", "right")]
    return [order[first:last] for first, last in zip(*ends, strict=True)]


def _by_demographics(rows: NDArray[np.intp], demographics: pd.DataFrame) -> NDArray[np.intp]:
    keys = [demographics[name].cat.codes.to_numpy()[rows] for name in reversed(demographics.columns)]
    return rows[np.lexsort(keys)]
