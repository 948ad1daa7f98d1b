"""What is asked openly: the held-out statements of the release, and situations of the project's own, one a facet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignment.benchmark import Benchmark, Subject
from alignment.prompts import Prompts
from papi.instruments import IPIP_300, MAXIMUM, MINIMUM, MISSING
from papi.tables import read_toml

ALL = "all"


@dataclass(frozen=True)
class Situation:
    """An open question: `name` of the item or the facet, what the user says, and the statement that it is judged by."""

    name: str
    said: str
    statement: str


def situations(benchmark: Benchmark, wording: Prompts, items: int, *, own: bool) -> tuple[Situation, ...]:
    """The first so many of the held-out items, spread over the domains, and with `own` the thirty of the project.

    Statements are taken from the release at run time; the Dark Triad has no facets, so no situations of the project.
    """
    chosen = [benchmark.held_out[place] for place in _spread(benchmark, items)]
    found = [Situation(q.item, wording.open_item(q), q.statement) for q in chosen]
    if own and benchmark.config == IPIP_300:
        table = read_toml("alignment", "situations.toml")
        found += [
            Situation(facet, wording.open_situation(each["question"]), each["statement"])
            for facet, each in table.items()
        ]
    return tuple(found)


def labels_of(subject: Subject, benchmark: Benchmark, asked: Sequence[Situation]) -> list[int | None]:
    """The person's label 1-5 of each situation's statement; None where it is not known.

    Of an item the label of the answer; of a facet the held-out score in its direction, the nearest option.
    """
    answers = benchmark.held_out_answers[[s.subject_id for s in benchmark.subjects].index(subject.subject_id)]
    by_item = {q.item: int(answer) or None for q, answer in zip(benchmark.held_out, answers, strict=True)}
    scores = benchmark.scores(np.where(answers == MISSING, np.nan, answers)[None], benchmark.held_out)[0]
    return [by_item[each.name] if each.name in by_item else _facet(each.name, scores, benchmark) for each in asked]


def _facet(name: str, scores: np.ndarray, benchmark: Benchmark) -> int | None:
    own = scores[[question.facet == name for question in benchmark.held_out]]
    own = own[~np.isnan(own)]
    return int(np.clip(np.floor(own.mean() + 0.5), MINIMUM, MAXIMUM)) if len(own) else None


def _spread(benchmark: Benchmark, items: int) -> list[int]:
    """Places of held-out items, the domains in turn."""
    by_domain: dict[str, list[int]] = {}
    for place, question in enumerate(benchmark.held_out):
        by_domain.setdefault(question.domain, []).append(place)
    longest = max(map(len, by_domain.values()))
    turns = [places[turn] for turn in range(longest) for places in by_domain.values() if turn < len(places)]
    return turns[:items]
