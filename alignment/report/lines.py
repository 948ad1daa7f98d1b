"""The lines of a run's files: each is checked, and whatever is wrong with a file is told with its places."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from papi.errors import InputRejected, Place
from papi.files import is_number, read_bytes
from papi.floors import Matrix
from papi.instruments import MAXIMUM, MINIMUM

Parsed = TypeVar("Parsed")
SUM_TOLERANCE = 1e-3  # of five probabilities, each stored to six decimals
SHOWN = 60  # letters of a value in a message


class Wrong(Exception):
    """Something in a line is not what it must be."""

    def __init__(self, expected: str, got: object, column: str | None = None) -> None:
        text = repr(got)
        self.expected, self.column = expected, column
        self.got = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        super().__init__(expected)


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Answer:
    """What a method said of a subject's held-out items, in the order of the instrument; NaN for items not asked.

    A model and the floor `uniform` have `probabilities` (seeds, items, options), a model with their `mass`; other
    floors have `values` (items). A method without training has one seed. `expected` are the person's answers.
    `letters` counts how often each letter was the most probable, in every order of the options; `unparseable` the
    replies of a server in which there was none, `parsed` those that came without probabilities.
    """

    method: str
    subject: str
    line: int
    expected: Matrix
    probabilities: Matrix | None
    values: Matrix | None
    mass: float | None
    letters: Matrix | None
    unparseable: int
    parsed: int
    fit: Mapping[str, Any] | None


@dataclass(frozen=True)
class Cost:
    """What one subject cost a method; None where it is not known."""

    method: str
    subject: str
    seconds: float | None
    tokens: float | None


@dataclass(frozen=True)
class Failure:
    """Why a method has no answers of a subject."""

    method: str
    subject: str
    reason: str


def read_lines(path: Path, parse: Callable[[dict[str, Any], int], Parsed]) -> tuple[list[Parsed], list[str]]:
    """The lines of a file as `parse` returns them, and notes. A last line without its end is still being written.

    Raises `InputRejected` with every line that is no JSON object or that `parse` finds wrong.
    """
    *whole, rest = read_bytes(path).split(b"\n")
    notes = [f"{path}: the last line has no end, as of a run that is being written, and was left out"] if rest else []
    parsed, places = [], []
    for number, content in enumerate(whole, start=1):
        try:
            parsed.append(parse(_object(content), number))
        except Wrong as wrong:
            places.append(Place(str(path), wrong.expected, wrong.got, line=number, column=wrong.column))
    if places:
        advice = "take the file out of the run's folder, or make the run again"
        raise InputRejected(f"{path.name} is not that of a run", where=str(path), places=places, next_step=advice)
    return parsed, notes


def _object(content: bytes) -> dict[str, Any]:
    try:
        line = json.loads(content)
    except ValueError as error:
        raise Wrong("a JSON object", f"{error}") from None
    if not isinstance(line, dict):
        raise Wrong("a JSON object", line)
    return line


def answer_parser(methods: Mapping[str, Any], items: tuple[str, ...]) -> Callable[[dict[str, Any], int], Answer]:
    """A parser of the lines of answers.jsonl for a run's methods and the held-out items of its instrument."""
    position = {item: i for i, item in enumerate(items)}

    def parse(line: dict[str, Any], number: int) -> Answer:
        method, subject = _who(line, methods)
        asked = line.get("items")
        if not isinstance(asked, list) or not asked or len(set(map(str, asked))) < len(asked):
            raise Wrong("names of items, each once", asked, "items")
        if strangers := [item for item in asked if not isinstance(item, str) or item not in position]:
            raise Wrong("held-out items of the instrument", strangers[0], "items")
        places = np.array([position[item] for item in asked])
        probabilities, values, mass = _said(line, len(asked), methods[method])
        return Answer(
            method=method,
            subject=subject,
            line=number,
            expected=_spread(_answers(line, len(asked)), places, len(items)),
            probabilities=_by_seed(probabilities, places, len(items)),
            values=None if values is None else _spread(values, places, len(items)),
            mass=mass,
            letters=_numbers(line, "letters", (MAXIMUM,)) if "letters" in line else None,
            unparseable=int(_positive(line, "unparseable") or 0),
            parsed=int(_positive(line, "parsed") or 0),
            fit=_fit(line),
        )

    return parse


def cost_parser(methods: Mapping[str, Any]) -> Callable[[dict[str, Any], int], Cost]:
    """A parser of the lines of costs.jsonl."""
    return lambda line, _: Cost(*_who(line, methods), *(_positive(line, name) for name in ("seconds", "tokens")))


def failure_parser(methods: Mapping[str, Any]) -> Callable[[dict[str, Any], int], Failure]:
    """A parser of the lines of failures.jsonl."""
    return lambda line, _: Failure(*_who(line, methods), _text(line, "reason"))


def _who(line: dict[str, Any], methods: Mapping[str, Any]) -> tuple[str, str]:
    method, subject = _text(line, "method"), _text(line, "subject")
    if method not in methods:
        raise Wrong(f"a method of run.json ({', '.join(methods)})", method, "method")
    return method, subject


def _text(line: dict[str, Any], name: str) -> str:
    if not isinstance(line.get(name), str):
        raise Wrong("a text", line.get(name), name)
    return str(line[name])


def _positive(line: dict[str, Any], name: str) -> float | None:
    value = line.get(name)
    if value is None:
        return None
    if not is_number(value) or value < 0:
        raise Wrong("a number from 0, or null", value, name)
    return float(value)


def _answers(line: dict[str, Any], items: int) -> Matrix:
    answers = line.get("expected")
    options = {None, *range(MINIMUM, MAXIMUM + 1)}
    right = isinstance(answers, list) and len(answers) == items
    if not right or any(isinstance(x, bool | list | dict | str) or x not in options for x in answers or []):
        raise Wrong(f"{items} answers from {MINIMUM} to {MAXIMUM} or null", answers, "expected")
    return np.array(answers, dtype=np.float64)  # null becomes NaN


def _said(
    line: dict[str, Any], items: int, method: Mapping[str, Any]
) -> tuple[Matrix | None, Matrix | None, float | None]:
    floor, seeds = method["floor"], method["settings"].get("seeds")
    if floor and "values" in line:
        return None, _numbers(line, "values", (items,)), None
    if line.get("seeds") != seeds:
        raise Wrong(f"the seeds of run.json ({seeds})", line.get("seeds"), "seeds")
    shape = (items, MAXIMUM) if seeds is None else (len(seeds), items, MAXIMUM)
    probabilities = _numbers(line, "probabilities", shape).reshape(-1, items, MAXIMUM)
    off = np.abs(probabilities.sum(axis=-1) - 1) > SUM_TOLERANCE
    if (probabilities < 0).any() or off.any():
        wrong = probabilities[(probabilities < 0).any(axis=-1) | off][0].tolist()
        raise Wrong(f"{MAXIMUM} probabilities whose sum is 1", wrong, "probabilities")
    if floor:
        return probabilities, None, None
    mass = line.get("mass")
    if not is_number(mass) or not 0 <= float(mass or 0) <= 1 + SUM_TOLERANCE:
        raise Wrong("the probability of the five letters, from 0 to 1", mass, "mass")
    return probabilities, None, float(mass or 0)


def _numbers(line: dict[str, Any], name: str, shape: tuple[int, ...]) -> Matrix:
    expected = f"{' × '.join(map(str, shape))} numbers"
    try:
        numbers = np.array(line.get(name), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise Wrong(expected, line.get(name), name) from None
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise Wrong(expected, line.get(name), name)
    return numbers


def _fit(line: dict[str, Any]) -> Mapping[str, Any] | None:
    fit = line.get("fit")
    if fit is not None and not isinstance(fit, dict):
        raise Wrong("an object, or nothing", fit, "fit")
    return fit


def _by_seed(probabilities: Matrix | None, places: Matrix, items: int) -> Matrix | None:
    if probabilities is None:
        return None
    return np.stack([_spread(each, places, items) for each in probabilities])


def _spread(values: Matrix, places: Matrix, items: int) -> Matrix:
    """Values at their places among all held-out items, NaN at the others."""
    result = np.full((items, *values.shape[1:]), np.nan)
    result[places] = values
    return result
