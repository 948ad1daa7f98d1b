"""What the rows of a report are called: methods, and where several runs have one, what tells these apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alignment.report.lines import Answer
from alignment.report.runs import Run
from papi.errors import UsageError
from papi.files import sha256_of

TOLD_APART = ("option_order", "seed", "min_mass", "prompts", "descriptions")  # settings that rows may differ in
LONGEST_SETTING, HASH = 24, 8  # signs


def named_rows(runs: Sequence[Run]) -> list[tuple[str, str, Run]]:
    """The rows there are: name, method and run."""
    having: dict[str, list[Run]] = {}
    for run in runs:
        for method in run.facts["methods"]:
            having.setdefault(method, []).append(run)
    several = len({run.model["name"] for run in runs if run.model}) > 1
    named = []
    for method, each in having.items():
        if len(each) > 1 and all(run.facts["methods"][method]["floor"] for run in each):
            _check_same_floor(method, each)
            each = [max(each, key=lambda run: sum(m == method for m, _ in run.answers))]
        if len(each) == 1:
            (run,) = each
            of_model = several and run.model and not run.facts["methods"][method]["floor"]
            named.append((f"{method} ({run.model['name']})" if of_model and run.model else method, method, run))
        else:
            labels = _labels(method, each)
            named += [(f"{method} ({label})", method, run) for label, run in zip(labels, each, strict=True)]
    return named


def _check_same_floor(method: str, runs: Sequence[Run]) -> None:
    """Of the people whom two runs have, a floor said the same: one run may have more people than the other."""
    known: dict[str, tuple[list[Any], Run]] = {}
    for run in runs:
        for (name, subject), answer in run.answers.items():
            if name != method:
                continue
            before, where = known.setdefault(subject, (_plain(answer), run))
            if before != _plain(answer):
                what = f"the floor {method} did not say the same of {subject} in {run.path} and {where.path}"
                raise UsageError(what, next_step="name one of the runs only, or run the floor anew in another folder")


def _plain(answer: Answer) -> list[Any]:
    said = answer.values if answer.values is not None else answer.probabilities
    return np.nan_to_num(said, nan=-1.0).tolist() if said is not None else []


def _labels(method: str, runs: Sequence[Run]) -> list[str]:
    """What tells the models of a method apart: their names, and where these are the same what else differs."""
    models = [dict(run.model or {}) | _told_apart(run, method) for run in runs]
    for i, model in enumerate(models):
        if model in models[:i]:
            one, other = runs[models.index(model)].path, runs[i].path
            what = f"{one} and {other} both have the method {method}, with the same model and the same settings"
            raise UsageError(what, next_step="name one of the runs only")
    names = [str(model.get("name")) for model in models]
    if len(set(names)) == len(names):
        return names
    differing = [k for k in sorted(set().union(*models)) if len({repr(m.get(k)) for m in models}) > 1 and k != "name"]
    return [", ".join([n, *(f"{k} {m.get(k)}" for k in differing)]) for n, m in zip(names, models, strict=True)]


def _told_apart(run: Run, method: str) -> dict[str, Any]:
    """The settings in which two rows of a method may differ; of long ones the beginning of their hash."""
    found = {name: run.facts.get(name) for name in TOLD_APART} | _one_by_one(run.facts["methods"][method]["settings"])
    return {name: _brief(value) for name, value in found.items()}


def _one_by_one(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, hyperparameters each for itself."""
    own = {name: value for name, value in settings.items() if name != "hyperparameters"}
    return own | dict(settings.get("hyperparameters", {}))


def _brief(value: Any) -> Any:
    text = json.dumps(value, sort_keys=True)
    return value if len(text) <= LONGEST_SETTING else sha256_of(text.encode())[:HASH]
