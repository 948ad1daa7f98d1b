"""The one loop: every method for every subject of this process's share, a line for each as soon as it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alignment.benchmark import Subject, read_benchmark
from alignment.hyperparameters import hyperparameters
from alignment.methods.contract import Context, Method
from alignment.methods.registry import methods
from alignment.prompts import read_prompts
from alignment.runs.adapters import keep_adapter
from alignment.runs.answering import Answering
from alignment.runs.configuration import configuration
from alignment.runs.descriptions import read_descriptions
from alignment.runs.folder import ANSWERS, COSTS, FAILURES, Line, RunFolder, Task, opened, read_configuration
from alignment.runs.progress import Clock, Progress, peak_memory
from alignment.runs.release import find_release
from alignment.runs.settings import RunSettings
from alignment.runs.sharing import Share
from papi.errors import GateFailed, InputRejected, MissingExtra, PapiError, RemoteFailed, UsageError

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

GIVE_UP_AFTER = 3  # subjects that failed, without one that did not
NEEDED = ("torch", "transformers", "accelerate", "peft")  # of the extra `alignment`
STOPPING = (UsageError, InputRejected, RemoteFailed)  # wrong for every subject, not for one


@dataclass(frozen=True)
class RunReport:
    """What this process did: tasks done and left by others, and the failures it knows of (method, subject, reason)."""

    done: int
    before: int
    failures: list[Line]
    complete: bool


def run(settings: RunSettings, out: Path, share: Share, progress: Progress = lambda text: None) -> RunReport:
    """Run methods over subjects into a folder, or go on where an earlier run of the same settings ended.

    Raises `UsageError` (settings, another run's folder), `InputRejected` (release, prompts), `GateFailed` where the
    first subjects of a method have no result, `EnvironmentProblem`, `Busy`, `RemoteFailed`.
    """
    chosen = settings.chosen()
    for name in settings.unavailable:
        progress(f"{name}: n/a with the pocket respondent, which writes no text")
    folder, identity = find_release(settings.release, settings.revision, settings.config)
    benchmark = read_benchmark(folder, settings.config, settings.split, settings.labels)
    descriptions = read_descriptions(settings.descriptions, benchmark) if settings.descriptions else None
    replaced = hyperparameters(settings.replaced)
    context = Context(benchmark, settings.seed, settings.min_mass, descriptions, replaced)
    respondent = _respondent(settings, chosen, share, progress)
    if respondent and (skipped := respondent.scorer.parts.skipped):
        progress(f"layers without self_attn.o_proj are not steered: {', '.join(map(str, skipped))}")
    frozen = configuration(settings, chosen, identity, context, respondent)
    with opened(out, share.rank, frozen) as run_folder:
        return _Loop(settings, chosen, context, respondent, run_folder, share, progress).run()


def _respondent(settings: RunSettings, chosen: list[Method], share: Share, progress: Progress) -> Respondent | None:
    """The model, loaded only where a method needs it."""
    if settings.model is None or all(method.is_floor for method in chosen):
        return None
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        advice = "pip install 'palign-papi[alignment]'"
        raise MissingExtra(f"a model needs {', '.join(missing)}, which is not installed", next_step=advice)
    from alignment.respondent.loading import load_respondent

    progress(f"loading {settings.model.name}")
    texts = read_prompts(settings.config, settings.prompts)
    return load_respondent(settings.model, texts, settings.option_order, share)


@dataclass(frozen=True)
class _Loop:
    settings: RunSettings
    chosen: list[Method]
    context: Context
    respondent: Respondent | None
    folder: RunFolder
    share: Share
    progress: Progress

    def run(self) -> RunReport:
        """Do what is not done, then put everything together if nobody has anything left to do."""
        answered = _tasks(self.folder.lines(ANSWERS))
        failed = _tasks(self.folder.lines(FAILURES)) - answered
        if self.settings.retry_failed:
            again = failed & {(method.name, subject.subject_id) for method in self.chosen for subject in self._mine()}
            self.folder.forget_failures(again)
            failed -= again
        skipped = answered | failed
        done = sum(self._method(method, skipped) for method in self.chosen)
        wanted = {(method.name, subject.subject_id) for method in self.chosen for subject in self._subjects()}
        recorded = read_configuration(self.folder.path)["methods"]
        order = [
            (name, s.subject_id) for name in methods() if name in recorded for s in self.context.benchmark.subjects
        ]
        complete = self.folder.merge(wanted, order)
        done_by_now = _tasks(self.folder.lines(ANSWERS))
        failures = [line for line in self.folder.lines(FAILURES) if _task(line) in wanted - done_by_now]
        return RunReport(done, len(wanted & skipped), failures, complete)

    @cached_property
    def _answering(self) -> Answering:
        keep = partial(keep_adapter, self.folder, self.settings) if self.settings.save_adapters else None
        return Answering(self.respondent, self.context, self.settings.training_seeds, keep)

    def _subjects(self) -> tuple[Subject, ...]:
        return self.context.benchmark.subjects[: self.settings.subjects]

    def _mine(self) -> list[Subject]:
        return [subject for position, subject in enumerate(self._subjects()) if self.share.has(position)]

    def _method(self, method: Method, skipped: set[Task]) -> int:
        """One method for this process's subjects that are not done; gives how many it did."""
        mine = [subject for subject in self._mine() if (method.name, subject.subject_id) not in skipped]
        clock = Clock(method.name, len(mine), self.progress)
        reasons: list[str] | None = []  # of the failures so far; None once a subject has an answer
        for subject in mine:
            reason = self._subject(method, subject)
            reasons = [*reasons, reason] if reason and reasons is not None else None
            if reasons and len(reasons) == GIVE_UP_AFTER:
                what = f"{method.name}: the first {GIVE_UP_AFTER} subjects have no result, so it is given up"
                advice = "take an instruction-tuned model, other --prompts, a lower --min-mass or more memory, then"
                raise GateFailed(what, got=reasons[-1], next_step=f"{advice} run again with --retry-failed")
            clock.tick()
        return len(mine)

    def _subject(self, method: Method, subject: Subject) -> str:
        """Fit, answer, write the lines. Gives the reason of a failure, else nothing."""
        task = {"method": method.name, "subject": subject.subject_id}
        start, tokens = time.perf_counter(), self.respondent.tokens if self.respondent else 0
        try:
            line = self._answering.line(method, subject)
        except STOPPING:
            raise
        except (PapiError, RuntimeError, ArithmeticError, np.linalg.LinAlgError) as error:
            reason = error.what if isinstance(error, PapiError) else f"{type(error).__name__}: {error}"
            self.folder.add(FAILURES, task | {"reason": reason})
            self.progress(f"{method.name}: subject {subject.subject_id} failed and is left out: {reason}")
            return reason
        seconds = round(time.perf_counter() - start, 4)
        used = self.respondent.tokens - tokens if self.respondent else 0
        self.folder.add(COSTS, task | {"seconds": seconds, "tokens": used, "memory": peak_memory()})
        self.folder.add(ANSWERS, task | line)  # last: what is answered is done
        return ""


def _task(line: Line) -> Task:
    return line["method"], line["subject"]


def _tasks(lines: list[Line]) -> set[Task]:
    return {_task(line) for line in lines}
