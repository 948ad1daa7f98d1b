"""The one loop: every method for every subject of this process's share, a line for each as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from alignment.api.loading import Estimate, estimate, spent
from alignment.api.respondent import ApiRespondent
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Method
from alignment.methods.registry import methods
from alignment.runs.adapters import AdapterShelf
from alignment.runs.answering import Answering
from alignment.runs.configuration_file import read_configuration
from alignment.runs.folder import ANSWERS, COSTS, FAILURES, Line, RunFolder, Task
from alignment.runs.progress import Clock, Progress, forget_peak_memory, peak_memory
from alignment.runs.settings import RunSettings
from alignment.runs.telling import Telling
from alignment.sharing import Share
from papi.errors import InputRejected, NothingKnown, PapiError, RemoteFailed, UsageError

GIVE_UP_AFTER = 3  # subjects that failed, without one that did not
STOPPING = (UsageError, InputRejected, RemoteFailed)  # wrong for every subject, not for one


@dataclass(frozen=True)
class RunReport:
    """What this process did: subjects answered, and those with answers or failures before; the failures there are now
    (method, subject, reason); whether nothing is left to do; methods without any answers, with a reason."""

    done: int
    before: int
    failures: list[Line]
    complete: bool
    hopeless: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Loop:
    """The subjects of one process's share under all methods; `shelf` is given where adapters are kept."""

    settings: RunSettings
    chosen: list[Method]
    context: Context
    answering: Answering | Telling
    folder: RunFolder
    share: Share
    progress: Progress
    shelf: AdapterShelf | None = None

    def run(self) -> RunReport:
        """Do what is not done, then put everything together if nobody has anything left to do."""
        answered = _tasks(self.folder.lines(ANSWERS))
        failed = {_task(line): line for line in self.folder.lines(FAILURES) if _task(line) not in answered}
        again = self._taken_up(failed)
        skipped = answered | failed.keys() - again.keys()
        self._say_what_it_costs(skipped)
        try:
            done = sum(self._method(method, skipped, again) for method in self.chosen)
        finally:
            for line in again.values():  # what was not come to after all
                self.folder.add(FAILURES, line)
            if isinstance(self.answering.respondent, ApiRespondent):
                self.progress(spent(self.answering.respondent))
        return self._report(done, len(self._wanted & skipped))

    def _say_what_it_costs(self, skipped: set[Task]) -> None:
        """Where requests are paid for, what they come to is said before the first one."""
        respondent = self.answering.respondent
        if not isinstance(respondent, ApiRespondent):
            return
        found = {}
        for method in self.chosen:
            left = [s for s in self._mine() if (method.name, s.subject_id) not in skipped]
            if left and not method.is_floor:
                said, tokens = self.answering.asked_of_each
                found[method.name] = estimate(method, left, respondent, self.context, said, tokens)
        total = {"all together": sum(found.values(), Estimate())} if len(found) > 1 else {}
        for name, each in (found | total).items():
            self.progress(f"{name}: {each.told(respondent.client.settings)}")

    def _taken_up(self, failed: Mapping[Task, Line]) -> dict[Task, Line]:
        """The failures of this process that are to be tried again; they are no failures meanwhile."""
        mine = {(method.name, subject.subject_id) for method in self.chosen for subject in self._mine()}
        again = {task: line for task, line in failed.items() if task in mine and self.settings.retry_failed}
        self.folder.forget_failures(again.keys())
        return again

    def _report(self, done: int, before: int) -> RunReport:
        recorded = read_configuration(self.folder.path)["methods"]
        order = [
            (name, s.subject_id) for name in methods() if name in recorded for s in self.context.benchmark.subjects
        ]
        complete = self.folder.merge(self._wanted, order)
        answered = _tasks(self.folder.lines(ANSWERS))
        failed = {_task(line): line for line in self.folder.lines(FAILURES)}
        failures = [line for task, line in failed.items() if task in self._wanted - answered]
        with_answers = {name for name, _ in answered}
        hopeless = {line["method"]: line["reason"] for line in failures if line["method"] not in with_answers}
        return RunReport(done, before, failures, complete, hopeless)

    @cached_property
    def _wanted(self) -> set[Task]:
        return {(method.name, subject.subject_id) for method in self.chosen for subject in self._subjects()}

    def _say_what_was_not_kept(self, method: Method, shelf: AdapterShelf) -> None:
        """Adapters that were trained before without --save-adapters are gone."""
        mine = {subject.subject_id: subject for subject in self._mine()}
        before = [line for line in self.folder.lines(ANSWERS) if line["method"] == method.name]
        trained = [mine[line["subject"]] for line in before if line["subject"] in mine and _was_trained(line)]
        lacking = shelf.lacking(method.name, trained, self.settings.training_seeds)
        if lacking:
            what = f"{method.name}: {len(lacking)} subjects were done before and have no adapter kept"
            self.progress(f"{what}; a new --out with --save-adapters trains and keeps them")

    def _subjects(self) -> tuple[Subject, ...]:
        return self.context.benchmark.subjects[: self.settings.subjects]

    def _mine(self) -> list[Subject]:
        return [subject for position, subject in enumerate(self._subjects()) if self.share.has(position)]

    def _method(self, method: Method, skipped: set[Task], again: dict[Task, Line]) -> int:
        """One method for this process's subjects that are not done; gives how many have answers now.

        Where nobody has any, and one after the other fails, it is given up: the model cannot do it.
        """
        mine = [subject for subject in self._mine() if (method.name, subject.subject_id) not in skipped]
        clock, done = Clock(method.name, len(mine), self.progress), 0
        answered = {task for task in _tasks(self.folder.lines(ANSWERS)) if task[0] == method.name}
        failed = sum(task[0] == method.name for task in skipped)
        if self.shelf and method.is_trained:
            self._say_what_was_not_kept(method, self.shelf)
        for subject in mine:
            if failed >= GIVE_UP_AFTER and not answered and not done:
                self.progress(f"{method.name}: given up, since {failed} subjects failed and none has answers")
                break
            error = self._subject(method, subject)
            done += error is None
            failed += error is not None and not isinstance(error, NothingKnown)
            again.pop((method.name, subject.subject_id), None)
            clock.tick()
        return done

    def _subject(self, method: Method, subject: Subject) -> Exception | None:
        """Fit, answer, write the lines. Gives why there are no answers, if there are none."""
        task = {"method": method.name, "subject": subject.subject_id}
        start, tokens = time.perf_counter(), self._tokens
        forget_peak_memory()
        try:
            line = self.answering.line(method, subject)
        except STOPPING:
            raise
        except (PapiError, RuntimeError, ArithmeticError, np.linalg.LinAlgError) as error:
            reason = error.what if isinstance(error, PapiError) else f"{type(error).__name__}: {error}"
            self._add_cost(task, start, tokens)
            self.folder.add(FAILURES, task | {"reason": reason})
            self.progress(f"{method.name}: subject {subject.subject_id} failed and is left out: {reason}")
            return error
        self._add_cost(task, start, tokens)
        self.folder.add(ANSWERS, task | line)  # last: what is answered is done
        return None

    def _add_cost(self, task: Line, start: float, tokens: int) -> None:
        seconds = round(time.perf_counter() - start, 4)
        self.folder.add(COSTS, task | {"seconds": seconds, "tokens": self._tokens - tokens, "memory": peak_memory()})

    @property
    def _tokens(self) -> int:
        respondent = self.answering.respondent
        return int(respondent.tokens) if respondent else 0


def _task(line: Line) -> Task:
    return line["method"], line["subject"]


def _was_trained(line: Line) -> bool:
    """Whether there was an adapter: early stopping may have chosen none."""
    return any(fit.get("steps") != 0 for fit in line["fit"]["seeds"])


def _tasks(lines: list[Line]) -> set[Task]:
    return {_task(line) for line in lines}
