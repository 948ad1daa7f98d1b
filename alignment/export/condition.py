"""The condition of one subject of a run, fitted anew from what the folder says, and compared with what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Prompted
from alignment.methods.registry import methods
from alignment.model_settings import POCKET, ModelSettings
from alignment.questions import Question
from alignment.respondent.adapters import is_adapter, load_adapter
from alignment.respondent.loading import identity_of, load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.adapters import AdapterShelf
from alignment.runs.configuration_file import read_configuration
from alignment.runs.folder import ANSWERS, FAILURES, Line, RunFolder
from alignment.runs.release import Moved, benchmark_of_run
from alignment.sharing import Share
from papi.errors import InputRejected, MissingFile, UsageError

SAME = ("commit", "files", "dtype", "quantize", "architecture")


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a run wrote of a subject under a method: its configuration, its line, and the seed that is meant, if any."""

    run: Path
    frozen: Mapping[str, Any]
    line: Line
    seed: int | None

    @property
    def method(self) -> str:
        """The method's name."""
        return str(self.line["method"])


@dataclass(frozen=True, eq=False)
class Found:
    """A subject's condition under a method, with its model, the seed that it was trained with, if it was, and one of
    the questions that it was asked."""

    method: str
    subject: Subject
    condition: Prompted
    respondent: Respondent
    seed: int | None
    example: Question


def recorded(run: Path, subject_id: str, method: str | None, seed: int | None, moved: Moved) -> Recorded:
    """What a run wrote of one of its subjects. Raises `UsageError` for a subject or a method without answers in it."""
    frozen = moved.in_place(read_configuration(run))
    line = _line(run, subject_id, method)
    name, seeds = str(line["method"]), list(line.get("seeds") or ())
    if methods()[name].is_floor:
        raise UsageError(f"{name} is a floor: there is no model to export", next_step="name another --method")
    if seed is not None and not seeds:
        why = "open answers are of the first" if methods()[name].is_trained else "nothing is trained"
        raise UsageError(f"{name} has no seeds to choose from: {why}", next_step="leave --seed out")
    if seed is not None and seed not in seeds:
        raise UsageError(f"{name} was not trained with the seed {seed}", expected=", ".join(map(str, seeds)))
    return Recorded(run, frozen, line, seed if seed is not None or not seeds else seeds[0])


def condition_of(found: Recorded) -> Found:
    """Fit the method for the subject as the run did.

    Raises `InputRejected` where the model, the release or the fit are not what they were.
    """
    frozen, line, name, seed = found.frozen, found.line, found.method, found.seed
    respondent = _respondent(frozen)
    context, subject = _context(frozen, line)
    shelf = AdapterShelf(found.run, context, str(frozen["model"]["name"]))
    kept = None if seed is None else shelf.folder(name, subject, seed)
    if kept is not None and is_adapter(kept):
        condition = _kept(kept, name, subject, respondent, context)
    else:
        fitted = methods()[name].fit(subject, respondent, context if seed is None else context.seeded(seed))
        assert isinstance(fitted, Prompted)
        _compare(fitted, line, seed)
        condition = fitted
    return Found(name, subject, condition, respondent, seed, context.benchmark.held_out[0])


def _line(run: Path, subject_id: str, method: str | None) -> Line:
    lines = {line["method"]: line for line in RunFolder(run).lines(ANSWERS) if line["subject"] == subject_id}
    failed = {line["method"]: line for line in RunFolder(run).lines(FAILURES) if line["subject"] == subject_id}
    if method in failed and method not in lines:
        raise UsageError(f"{method} has no answers of {subject_id}", where=str(run), got=failed[method]["reason"])
    if not lines:
        expected, advice = "a subject of answers.jsonl", "its field subject names them"
        what = "the run has no answers of this subject"
        raise UsageError(what, where=str(run), expected=expected, got=subject_id, next_step=advice)
    able = [name for name in lines if not methods()[name].is_floor]
    if method is None and len(able) == 1:
        return lines[able[0]]
    if method not in lines:
        advice = "name one with --method"
        raise UsageError("which method is to be exported", expected=", ".join(able), got=method, next_step=advice)
    return lines[method]


def _respondent(frozen: Mapping[str, Any]) -> Respondent:
    model = frozen["model"]
    if model is None:
        raise UsageError("the run had no model", next_step="export from a run of a method that needs one")
    if model.get("api_url"):
        advice = "export from a run of a model at hand"
        raise UsageError(
            "the weights of a model behind an address are not here", got=model["api_url"], next_step=advice
        )
    if model.get("files") and model["name"] != POCKET and not Path(model["name"]).is_dir():
        what, advice = "the model of the run is not in its place", "name where it is now with --model"
        raise MissingFile(what, where=model["name"], expected="a folder", next_step=advice)
    names = ("revision", "dtype", "quantize", "attention", "device_map")
    settings = ModelSettings(model["name"], **{name: model.get(name) for name in names})
    respondent = load_respondent(settings, frozen["prompts"], frozen["option_order"], Share())
    now = identity_of(settings, respondent)
    from_hub = not model.get("files") and now["files"]  # by now in a folder, which has no commit
    for name in SAME:
        if from_hub and name in ("commit", "files"):
            continue
        if now[name] != model.get(name):
            what = f"the model {model['name']} is not the one of the run: {name} differs"
            advice = "put the model of the run back, or name where it is with --model"
            expected, got = _apart(model.get(name), now[name])
            raise InputRejected(what, expected=expected, got=got, next_step=advice)
    return respondent


def _apart(before: Any, now: Any) -> tuple[str, str]:
    """What was and what is, of files those only that differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        before, now = ({name: each.get(name) for name in names} for each in (before, now))
    return json.dumps(before), json.dumps(now)


def _context(frozen: Mapping[str, Any], line: Line) -> tuple[Context, Subject]:
    benchmark = benchmark_of_run(frozen)
    trained = {
        name: about["settings"]["hyperparameters"]
        for name, about in frozen["methods"].items()
        if "hyperparameters" in about["settings"]
    }
    told = line.get("fit", {}).get("description")
    descriptions = {line["subject"]: told} if told is not None else None
    context = Context(benchmark, frozen["seed"], frozen["min_mass"], descriptions, trained)
    return context, benchmark.subjects[context.positions[line["subject"]]]


def _kept(folder: Path, name: str, subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """The condition of an adapter that the run kept: only the text is made anew."""
    from alignment.methods.prompting import trait_levels

    told = name == "prompt-morl"
    system = trait_levels(subject, respondent, context).system if told else respondent.wording.system()
    return Prompted(system, adapter=load_adapter(folder))


def _compare(condition: Prompted, line: Line, seed: int | None) -> None:
    """Raise `InputRejected` where the fit is another than the one that the answers are of."""
    before = line.get("fit", {})
    if seed is not None:
        before = before["seeds"][line["seeds"].index(seed)]
    for name in ("alpha", "steps"):
        if condition.fit.get(name) != before.get(name):
            what = f"the fit is not that of the run: {name} differs, as after other versions of packages"
            expected, got = str(before.get(name)), str(condition.fit.get(name))
            raise InputRejected(what, expected=expected, got=got, next_step="make the run again, then export")
