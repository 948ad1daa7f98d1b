"""Runs of three people on the Dark Triad, small enough to be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from run_folders import Line, floor_line, held_out, method, model_line, run_facts, write_run

from alignment.report.results import Results, measure_rows
from alignment.report.rows import read_rows

ITEMS = held_out("dark-triad")
PEOPLE = {"sd3-a": [1, 2, 3, 4, 5, 1, 2, 3, 4], "sd3-b": [5, 5, 5, None, 1, 1, 3, 3, 3], "sd3-c": [3] * 9}
METHODS = {
    "ridge": method(floor=True, sees_dev="dev, 5,400 people"),
    "constant-3": method(floor=True),
    "uniform": method(floor=True),
    "few-shot-18": method(),
    "pas-published": method(leaky=True),
}
SURE = {option: [float(option == each) for each in range(1, 6)] for option in range(1, 6)}


def lines(people: dict[str, Any] = PEOPLE) -> list[Line]:
    """ridge is off by .25 everywhere, few-shot is right but for the first item, pas-published always says A."""
    found = []
    for who, answers in people.items():
        known = [3 if a is None else a for a in answers]
        right = [SURE[min(5, a + 1)] if i == 0 else SURE[a] for i, a in enumerate(known)]
        found += [
            floor_line("ridge", who, ITEMS, answers, [a + 0.25 for a in known]),
            floor_line("constant-3", who, ITEMS, answers, 3),
            {
                "method": "uniform",
                "subject": who,
                "items": ITEMS,
                "expected": answers,
                "probabilities": [[0.2] * 5] * 9,
            },
            model_line("few-shot-18", who, ITEMS, answers, right, mass=0.8),
            model_line("pas-published", who, ITEMS, answers, SURE[5], mass=1.0),
        ]
    return found


def run(folder: Path, answers: list[Line] | None = None, **changes: Any) -> Path:
    facts = run_facts(METHODS) | changes
    return write_run(folder, facts, lines() if answers is None else answers)


def results_of(*folders: Path) -> Results:
    return measure_rows(read_rows(folders))


def seeded(folder: Path, seeds: list[int], said: list[list[int]], **more: Any) -> Path:
    """A run of dpo on one person who answers 3 to everything; `said` are the sure answers of each seed to all items."""
    probabilities = [[SURE[option] for _ in ITEMS] for (option,) in said]
    line = {"method": "dpo", "subject": "sd3-1", "items": ITEMS, "expected": [3] * len(ITEMS), "mass": 0.9}
    facts = run_facts({"dpo": method(seeds=[0, 1])}, subjects=1)
    return write_run(folder, facts, [line | {"seeds": seeds, "probabilities": probabilities} | more])


def floors_of(all_lines: list[Line]) -> list[Line]:
    return [line for line in all_lines if line["method"] == "ridge"]
