"""The line of one subject and method: fitted, the held-out items asked, with every seed of a trained method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alignment.api.respondent import REPLY_TOKENS
from alignment.asking import Ask
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Method, Prediction, Prompted
from alignment.runs.folder import Line
from papi.errors import SubjectFailed

if TYPE_CHECKING:
    from alignment.adapter import Adapter

DIGITS = 6
OF_SERVERS = ("unparseable", "parsed")  # counts of replies
Keep = Callable[[str, Subject, int, "Adapter"], None]  # method, subject, seed


@dataclass(frozen=True)
class Answering:
    """Who answers, and with which seeds trained methods are trained; `keep` is given every adapter."""

    respondent: Any | None
    context: Context
    seeds: list[int]
    keep: Keep | None = None

    @property
    def asked_of_each(self) -> tuple[list[str], int]:
        """What every subject is asked of a model behind an address, and the most tokens of a reply."""
        assert self.respondent is not None
        held_out = self.context.benchmark.held_out
        return [p.question(question) for p in self.respondent.prompts for question in held_out], REPLY_TOKENS

    def line(self, method: Method, subject: Subject) -> Line:
        """What answers.jsonl holds beside method and subject. Raises `SubjectFailed` where there is no result."""
        benchmark = self.context.benchmark
        truth = benchmark.held_out_answers[self.context.positions[subject.subject_id]]
        asked: Line = {
            "items": [question.item for question in benchmark.held_out],
            "expected": [int(answer) or None for answer in truth],
        }
        return asked | (self._trained(method, subject) if method.is_trained else self._said(method, subject))

    def _said(self, method: Method, subject: Subject) -> Line:
        condition = method.fit(subject, self.respondent, self.context)
        return _predicted(condition) if isinstance(condition, Prediction) else self._asked(condition)

    def _trained(self, method: Method, subject: Subject) -> Line:
        """All seeds in one line; a subject has a result only where every seed has one."""
        by_seed = []
        for seed in self.seeds:
            condition = method.fit(subject, self.respondent, self.context.seeded(seed))
            assert isinstance(condition, Prompted)
            by_seed.append(self._asked(condition))
            if self.keep and condition.adapter:
                self.keep(method.name, subject, seed, condition.adapter)
        return {
            "seeds": self.seeds,
            "probabilities": [each["probabilities"] for each in by_seed],
            "mass": round(float(np.mean([each["mass"] for each in by_seed])), DIGITS),
            "letters": np.sum([each["letters"] for each in by_seed], axis=0).tolist(),
            "fit": {"seeds": [each.get("fit", {}) for each in by_seed]},
        }

    def _asked(self, condition: Prompted) -> Line:
        assert self.respondent is not None
        ask = Ask(condition.system, self.context.benchmark.held_out, condition.steering)
        (reply,) = self.respondent.ask([ask], condition.adapter)
        mass, least = float(reply.mass.mean()), self.context.min_mass
        if not np.isfinite(reply.probabilities).all():
            raise SubjectFailed("the model gives no numbers for the options")
        if mass < least:
            what = f"{mass:.3f} of the probability is on the five letters, less than --min-mass {least:g}"
            lost = f": {reply.unparseable} replies had no letter" if reply.unparseable else ""
            raise SubjectFailed(what + lost)
        line: Line = {"probabilities": np.round(reply.probabilities, DIGITS).tolist(), "mass": round(mass, DIGITS)}
        line["letters"] = reply.letters.tolist()
        line |= {name: count for name in OF_SERVERS if (count := getattr(reply, name))}
        return line | ({"fit": dict(condition.fit)} if condition.fit else {})


def _predicted(condition: Prediction) -> Line:
    if condition.probabilities is not None:
        return {"probabilities": np.round(condition.probabilities, DIGITS).tolist()}
    assert condition.values is not None
    return {"values": np.round(condition.values, DIGITS).tolist()}
