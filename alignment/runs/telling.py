"""The line of one subject and method of an open-ended run: fitted as for the options, then asked openly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alignment.asking import Ask
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Method, Prompted
from alignment.runs.folder import Line
from alignment.situations import Situation, labels_of


@dataclass(frozen=True)
class Telling:
    """Who tells, of what, in how many tokens; a trained method is trained with the first seed only."""

    respondent: Any
    context: Context
    asked: Sequence[Situation]
    most_tokens: int

    @property
    def asked_of_each(self) -> tuple[list[str], int]:
        """What every subject is asked, and the most tokens of a reply."""
        return [each.said for each in self.asked], self.most_tokens

    def line(self, method: Method, subject: Subject) -> Line:
        """What answers.jsonl holds beside method and subject: the situations, the person's labels and the texts."""
        condition = method.fit(subject, self.respondent, self.context)
        assert isinstance(condition, Prompted)
        system = self.respondent.wording.opened(condition.system)
        said, most_tokens = self.asked_of_each
        texts = self.respondent.tell(Ask(system, (), condition.steering), said, most_tokens, condition.adapter)
        line: Line = {
            "situations": [each.name for each in self.asked],
            "labels": labels_of(subject, self.context.benchmark, self.asked),
            "texts": texts,
        }
        return line | ({"fit": dict(condition.fit)} if condition.fit else {})
