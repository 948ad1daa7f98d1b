"""Judges: every text alone, blind to its method, in random order; each judgement is kept with what was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignment.api.client import ApiClient
from alignment.asking import Ask
from alignment.prompts import Prompts
from alignment.runs.folder import Line
from alignment.situations import Situation
from papi.errors import SubjectFailed
from papi.instruments import MINIMUM
from papi.tables import read_toml

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

LOWEST, HIGHEST, REFUSAL = 1, 6, 0
REPLY_TOKENS = 8
BATCH = 16  # texts that a model at hand judges together
NUMBER = re.compile(r"(?<![\d.])([0-6])(?![\d.]*\d)")
Key = tuple[str, str, str]  # method, subject, situation
Asked = tuple[int, str, str]  # the place of a text, and what a judge is told and asked about it
Keep = Callable[[int, str], None]  # a place and the reply, as soon as it is there
Judge = Callable[[Sequence[Asked], Keep], list[str]]  # gives why texts are left over, a reason each


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


def judgement(text: Text, judge: str, asked: tuple[str, str], reply: str) -> Line:
    """A line of judgements.jsonl: whose text, which judge, score 1-6 or null, refusal, what was asked, the reply."""
    score, (system, prompt) = score_of(reply), asked
    refused = score == REFUSAL
    return {
        "method": text.method,
        "subject": text.subject,
        "situation": text.situation.name,
        "judge": judge,
        "score": None if refused else score,
        "refused": refused,
        "system": system,
        "prompt": prompt,
        "reply": reply,
    }


def behind_address(client: ApiClient, seed: int) -> Judge:
    """A judge that is asked so many texts at once as the client's settings say."""

    def one(asked: Asked, keep: Keep) -> str | None:
        """Why a text is left for another run, if it is."""
        place, system, user = asked
        said = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            keep(place, client.complete(said, REPLY_TOKENS, seed, letters=False).text)
        except SubjectFailed as error:
            return error.what
        return None

    return lambda asked, keep: [why for why in client.each(lambda each: one(each, keep), asked) if why is not None]


def at_hand(respondent: Respondent) -> Judge:
    """A judge that is a model of this machine; texts go through it in batches."""

    def judge(asked: Sequence[Asked], keep: Keep) -> list[str]:
        failed: list[str] = []
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            try:
                together(part, keep)
            except SubjectFailed:  # such as one that is too long: the others are judged all the same
                failed += [why for each in part if (why := alone(each, keep)) is not None]
        return failed

    def together(part: Sequence[Asked], keep: Keep) -> None:
        system = part[0][1]  # the rubric's: the same for all texts
        replies = respondent.tell(Ask(system, ()), [user for _, _, user in part], REPLY_TOKENS)
        for (place, _, _), reply in zip(part, replies, strict=True):
            keep(place, reply)

    def alone(asked: Asked, keep: Keep) -> str | None:
        try:
            together([asked], keep)
        except SubjectFailed as error:
            return error.what
        return None

    return judge
