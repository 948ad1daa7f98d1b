"""Judges: every text alone, blind to its method, in random order; each judgement is kept with its prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignment.prompts import Prompts
from alignment.runs.folder import Line
from alignment.runs.progress import Clock, Progress
from alignment.situations import Situation
from papi.errors import SubjectFailed
from papi.instruments import MINIMUM
from papi.tables import read_toml

LOWEST, HIGHEST, REFUSAL = 1, 6, 0
REPLY_TOKENS = 8
NUMBER = re.compile(r"(?<![\d.])([0-6])(?![\d.]*\d)")
Key = tuple[str, str, str]  # method, subject, situation
Judge = Callable[[str, str], str]  # from the system's and the user's text to a reply


@dataclass(frozen=True)
class Text:
    """A text to be judged, with the person's label 1-5 for the statement of its situation."""

    method: str
    subject: str
    situation: Situation
    label: int
    text: str

    @property
    def key(self) -> Key:
        """What tells a text from all others of a run."""
        return self.method, self.subject, self.situation.name


def texts_of(lines: Iterable[Line], asked: Sequence[Situation]) -> list[Text]:
    """The texts of a run's lines whose label is known."""
    by_name = {situation.name: situation for situation in asked}
    return [
        Text(line["method"], line["subject"], by_name[name], label, text)
        for line in lines
        for name, label, text in zip(line["situations"], line["labels"], line["texts"], strict=True)
        if label is not None and name in by_name
    ]


def in_random_order(texts: Sequence[Text], seed: int) -> list[Text]:
    """Subject by subject and situation by situation, the methods' texts in an order of their own each time."""
    random = np.random.default_rng(seed)
    groups: dict[tuple[str, str], list[Text]] = {}
    for text in texts:
        groups.setdefault((text.subject, text.situation.name), []).append(text)
    return [group[place] for group in groups.values() for place in random.permutation(len(group))]


def asked_of_judge(text: Text, wording: Prompts) -> tuple[str, str]:
    """What a judge is told and asked about a text; nothing in it says which method wrote it."""
    table = read_toml("alignment", "rubric.toml")
    user = str(table["question"]).format(
        question=text.situation.said,
        statement=text.situation.statement,
        label=wording.labels[text.label - MINIMUM],
        text=text.text,
        anchors="\n".join(table["anchors"]),
    )
    return str(table["system"]), user


def score_of(reply: str) -> int | None:
    """The number 0 to 6 in a judge's reply; None where there is none, or more than one."""
    found = set(NUMBER.findall(reply))
    return int(found.pop()) if len(found) == 1 else None


def judged(
    texts: Sequence[Text], judge: Judge, name: str, wording: Prompts, at_once: Callable[..., list[Any]]
) -> list[Line]:
    """Lines of judgements.jsonl: method, subject, situation, judge, score 1-6 or null, refusal, prompt and reply.

    A text whose judgement failed has none.
    """

    def one(text: Text) -> Line | None:
        system, user = asked_of_judge(text, wording)
        try:
            reply = judge(system, user)
        except SubjectFailed:
            return None  # this text is left for another run
        score = score_of(reply)
        refused = score == REFUSAL
        return {
            "method": text.method,
            "subject": text.subject,
            "situation": text.situation.name,
            "judge": name,
            "score": None if refused else score,
            "refused": refused,
            "prompt": user,
            "reply": reply,
        }

    return [line for line in at_once(one, texts) if line is not None]


def judge_all(
    texts: Sequence[Text],
    judge: Judge,
    name: str,
    wording: Prompts,
    at_once: Callable[..., list[Any]],
    progress: Progress,
    batch: int,
) -> Iterator[list[Line]]:
    """Judge texts in batches, so that what is judged can be kept as it goes."""
    clock = Clock(f"judge {name}", len(texts), progress)
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        yield judged(part, judge, name, wording, at_once)
        for _ in part:
            clock.tick()
