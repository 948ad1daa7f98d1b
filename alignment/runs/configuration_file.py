"""`run.json`, the frozen configuration of a run, as it lies on the disk: written in one step, checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignment.labels import LABELS
from alignment.prompts import BOTH, ORDERS
from papi.errors import InputRejected, MissingFile, Place
from papi.files import is_number, move, read_json, write_json
from papi.instruments import DARK_TRIAD, IPIP_300, TEST, TEST_POPULATION

RUN = "run.json"
FORMAT = "papi-run-1"
CHOICES = {
    "format": (FORMAT,),
    "config": (IPIP_300, DARK_TRIAD),
    "split": (TEST, TEST_POPULATION),
    "labels": LABELS,
    "option_order": (*ORDERS, BOTH),
}
NULL = type(None)
RELEASE = {
    "version": str,
    "simulated": bool,
    "manifest_sha256": str,
    "revision": (str, NULL),
    "commit": (str, NULL),
    "path": str,
}
METHOD = {"sees_dev": (str, NULL), "leaky": bool, "floor": bool, "settings": dict}


def read_configuration(run: Path) -> dict[str, Any]:
    """The configuration in a run's folder. Raises `MissingFile`, or `InputRejected` with all that is wrong with it."""
    path, advice = run / RUN, "name the folder that papi align run wrote"
    if not run.is_dir():
        raise MissingFile(f"{run} is not there", where=str(run), next_step=advice)
    if not path.is_file():
        raise MissingFile(f"{run} is no run: it has no {RUN}", where=str(run), next_step=advice)
    try:
        facts = read_json(path)
    except ValueError as error:
        raise InputRejected(f"{RUN} is no JSON", where=str(path), got=str(error)) from None
    faults = _faults(facts) if isinstance(facts, dict) else [("", "an object", facts)]
    if faults:
        places = [Place(str(path), expected, repr(got), column=key) for key, expected, got in faults]
        raise InputRejected(
            f"{RUN} is not that of a run", where=str(path), places=places, next_step="make the run again"
        )
    return dict(facts)


def _faults(facts: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What is wrong with a configuration: where, what was expected, what is there."""
    faults = [
        (key, " or ".join(choices), facts.get(key)) for key, choices in CHOICES.items() if facts.get(key) not in choices
    ]
    faults += _kinds(facts.get("release"), RELEASE, "release")
    methods, model = facts.get("methods"), facts.get("model")
    if not isinstance(methods, dict) or not methods:
        faults.append(("methods", "methods by name", methods))
    else:
        faults += [fault for name, method in methods.items() for fault in _faults_of_method(name, method)]
    if model is not None:
        faults += _kinds(model, {"name": str}, "model")
    for name, expected in (("subjects", "a number of people"), ("seed", "a whole number")):
        if type(facts.get(name)) is not int:
            faults.append((name, expected, facts.get(name)))
    faults += _kinds(facts, {"prompts": dict}, "")
    if not is_number(facts.get("min_mass")):
        faults.append(("min_mass", "a number", facts.get("min_mass")))
    return faults


def _faults_of_method(name: str, method: Any) -> list[tuple[str, str, Any]]:
    if faults := _kinds(method, METHOD, f"methods.{name}"):
        return faults
    seeds = method["settings"].get("seeds", [0])
    if isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds):
        return []
    return [(f"methods.{name}.settings.seeds", "a list of whole numbers", seeds)]


def _kinds(part: Any, kinds: Mapping[str, Any], name: str) -> list[tuple[str, str, Any]]:
    if not isinstance(part, dict):
        return [(name, "an object", part)]
    wrong = [(key, kind) for key, kind in kinds.items() if not isinstance(part.get(key), kind)]
    return [(f"{name}.{key}".removeprefix("."), _called(kind), part.get(key)) for key, kind in wrong]


def _called(kind: Any) -> str:
    names = {str: "a text", bool: "true or false", NULL: "null", dict: "an object"}
    return " or ".join(names[each] for each in (kind if isinstance(kind, tuple) else (kind,)))


def write_configuration(run: Path, configuration: Mapping[str, Any]) -> None:
    """Put a configuration into a run's folder, in one step."""
    write_json(run / ".run.new", configuration)
    move(run / ".run.new", run / RUN)
