"""The published test lists of the predecessor: which people its benchmark asked.

`Test-set.json` holds IPIP-NEO-300 subjects by case number with stored answers, `dark_triad_Test_set.json` Dark Triad
subjects by their answers, country and source. A person is found where all of that agrees.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from builders.raw.table import RawTable
from papi.errors import SHOWN_PLACES, InputRejected, Place
from papi.instruments import DARK_TRIAD, MAXIMUM, MISSING, instrument
from papi.scoring import Answers

Identity = tuple[object, ...]
IDENTITY_KINDS = {"case": int, "country": str, "source": int}


@dataclass(frozen=True)
class PublishedList:
    """The people of a published list: stored answers (people, items) and what else identifies each of them."""

    instrument: str
    answers: Answers
    identities: tuple[Identity, ...]

    def __len__(self) -> int:
        return len(self.answers)


def read_published(content: bytes, name: str, file: str) -> PublishedList:
    """Read the list of the instrument called `name`; `InputRejected` for anything else."""
    people = _parsed(content, file)
    names = instrument(name).item_names
    known = ("country", "source") if name == DARK_TRIAD else ("case",)
    problems = [problem for i, person in enumerate(people) for problem in _problems(person, i, names, known, file)]
    if problems:
        raise InputRejected(
            f"{file} is not a published test list of {name}",
            places=problems[:SHOWN_PLACES],
            total=len(problems),
            where=file,
            next_step="fetch it again (papi fetch), or leave it out: the k-means recipe then picks the test subjects",
        )
    answers = np.array([[person[item] for item in names] for person in people], dtype=np.int8)
    return PublishedList(name, answers, tuple(tuple(person[key] for key in known) for person in people))


def find_people(listed: PublishedList, table: RawTable) -> NDArray[np.intp]:
    """Rows of `table` with the listed people; of identical rows the first; people not there are left out."""
    wanted: dict[bytes, dict[Identity, int]] = {}
    for i, (row, identity) in enumerate(zip(listed.answers, listed.identities, strict=True)):
        wanted.setdefault(_bytes(row), {})[identity] = i
    found: dict[int, int] = {}
    for row in _candidates(listed, table).tolist():
        by_identity = wanted.get(_bytes(table.answers[row]))
        position = by_identity.get(_identity(table, row)) if by_identity else None
        if position is not None:
            found.setdefault(position, row)
    return np.array(sorted(found.values()), dtype=np.intp)


def _candidates(listed: PublishedList, table: RawTable) -> NDArray[np.intp]:
    """Rows that can be listed at all, by a cheap look at the sum of the answers."""
    sums = table.answers.sum(axis=1, dtype=np.int32)
    return np.flatnonzero(np.isin(sums, listed.answers.sum(axis=1, dtype=np.int32)))


def _identity(table: RawTable, row: int) -> Identity:
    names = ("country", "source") if table.instrument == DARK_TRIAD else ("case",)
    known = {name: table.people[name].iloc[[row]].dropna().tolist() for name in names}
    return tuple(value[0] if value else "" for value in known.values())


def _bytes(answers: NDArray[np.int8]) -> bytes:
    return np.ascontiguousarray(answers).tobytes()


def _parsed(content: bytes, file: str) -> list[dict[str, object]]:
    try:
        people = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputRejected(f"{file} is no JSON", where=file, got=str(error), next_step="fetch it again") from error
    if not isinstance(people, list) or not people or not all(isinstance(person, dict) for person in people):
        raise InputRejected(f"{file} is no list of people", where=file, expected="a JSON list of objects")
    return people


def _problems(person: dict[str, object], i: int, names: Sequence[str], known: Sequence[str], file: str) -> list[Place]:
    where = f"{file}, person {i + 1}"
    missing = [Place(where, key, "nothing") for key in (*names, *known) if key not in person]
    odd_answers = [name for name in names if name in person and not _is_answer(person[name])]
    wrong = [Place(where, "0-5", repr(person[name]), column=name) for name in odd_answers]
    odd = [key for key in known if key in person and type(person[key]) is not IDENTITY_KINDS[key]]
    return missing + wrong + [Place(where, IDENTITY_KINDS[key].__name__, repr(person[key]), column=key) for key in odd]


def _is_answer(value: object) -> bool:
    return type(value) is int and MISSING <= value <= MAXIMUM
