"""Folders of runs as the engine writes them, with methods of every kind and people made up for the purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alignment.measures import OPTIONS, Matrix
from papi.instruments import instrument

MODEL = {"name": "pocket", "sha256": "0" * 64}
RELEASE = {
    "path": "release",
    "version": "1.2.0",
    "simulated": True,
    "manifest_sha256": "a" * 64,
    "revision": None,
    "commit": None,
}
Line = dict[str, Any]


def held_out(config: str) -> list[str]:
    return [item.name for item in instrument(config).items if item.role == "held_out"]


def method(
    *, floor: bool = False, leaky: bool = False, sees_dev: str | None = None, seeds: list[int] | None = None
) -> Line:
    settings = {"seeds": seeds} if seeds else {}
    return {"sees_dev": sees_dev, "leaky": leaky, "floor": floor, "settings": settings}


def run_facts(methods: Mapping[str, Line], **changes: Any) -> Line:
    facts = {
        "format": "papi-run-1",
        "release": RELEASE,
        "config": "dark-triad",
        "split": "test",
        "labels": "responses",
        "subjects": 3,
        "methods": dict(methods),
        "model": MODEL,
        "option_order": "forward",
        "min_mass": 0.5,
        "seed": 0,
        "prompts": {},
        "dtype": "float32",
        "packages": {},
    }
    return facts | changes


def write_run(
    folder: Path,
    facts: Line,
    answers: Iterable[Line],
    failures: Iterable[Line] = (),
    costs: Iterable[Line] = (),
) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts))
    for name, lines in (("answers", answers), ("failures", failures), ("costs", costs)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def floor_line(name: str, subject: str, items: list[str], expected: list[Any], values: Any) -> Line:
    said = np.broadcast_to(np.asarray(values, dtype=float), len(items)).tolist()
    return {"method": name, "subject": subject, "items": items, "expected": expected, "values": said}


def model_line(
    name: str, subject: str, items: list[str], expected: list[Any], probabilities: Any, mass: float = 0.9, **more: Any
) -> Line:
    said = np.broadcast_to(np.asarray(probabilities, dtype=float), (len(items), 5)).round(6).tolist()
    line = {"method": name, "subject": subject, "items": items, "expected": expected}
    return line | {"probabilities": said, "mass": mass, **more}


MODELS = [
    "no-change", "average-person", "trait-levels", "p2", "few-shot-10", "few-shot-30", "few-shot-60", "few-shot-120",
    "pas", "pas-few-shot", "pas-published", "pas-published-cv", "iti", "caa", "trait-vectors", "sft", "dpo",
    "dpo-graded", "ppo", "epg", "prompt-morl", "soups",
]  # fmt: skip
FLOORS = ["ridge", "item-median", "facet-mean", "knn", "constant-3", "constant-5", "uniform", "constant-4"]
FITTED = {"pas", "pas-few-shot", "pas-published", "pas-published-cv", "iti", "caa", "trait-vectors"}
ALPHAS = (0, 1, 2, 4, 6, 8)


def chosen_methods(count: int) -> dict[str, Line]:
    """Floors and models in turn: three are ridge, few-shot and a constant; thirty are all there are."""
    floors = FLOORS[: max(2, count // 3)][: count - 1]
    models = ("few-shot-120", "pas", "pas-published", *MODELS)
    names = [*floors, *list(dict.fromkeys(models))[: count - len(floors)]]
    about: dict[str, Line] = {}
    for name in names[:count]:
        about[name] = method(
            floor=name in FLOORS,
            leaky=name == "pas-published",
            sees_dev="cross-fitted over the test subjects" if name in ("ridge", "knn") else None,
        )
    return about


def whole_run(folder: Path, count: int, people: int = 30, config: str = "ipip-neo-300", **changes: Any) -> Path:
    """A run of so many methods on people with traits, some of whom left items out; one failed, one is to come."""
    random = np.random.default_rng(0)
    of, items = instrument(config), held_out(config)
    keyed = np.array([item.keyed for item in of.items if item.role == "held_out"])
    names = [domain.name for domain in of.domains]
    domain = np.array([names.index(item.domain) for item in of.items if item.role == "held_out"])
    lean = random.normal(0, 0.8, (people, len(names)))[:, domain] * keyed
    answers = np.clip(np.rint(3.2 + lean + random.normal(0, 0.9, lean.shape)), 1, 5)
    methods = chosen_methods(count)
    facts = run_facts(methods, config=config, subjects=people + 2, **changes)
    lines, failures, costs = [], [], []
    missing = random.random(answers.shape) < 0.01
    for number, name in enumerate(methods):
        for person in range(people):
            expected = [None if gone else int(a) for a, gone in zip(answers[person], missing[person], strict=True)]
            who = f"ipip300-{person:016x}"
            lines.append(one_line(name, who, items, expected, lean[person], random, number))
            costs.append({"method": name, "subject": who, "seconds": 0.1 * (number + 1), "tokens": 9000, "memory": 1})
        failures.append({"method": name, "subject": "ipip300-ffffffffffffffff", "reason": "no memory for this prompt"})
    return write_run(folder, facts, lines, failures if count > 3 else [], costs)


def one_line(
    name: str, who: str, items: list[str], expected: list[Any], lean: Matrix, random: np.random.Generator, number: int
) -> Line:
    if name == "uniform":
        return {k: v for k, v in model_line(name, who, items, expected, [0.2] * 5).items() if k != "mass"}
    if name in FLOORS:
        value = float(name[-1]) if name.startswith("constant") else 3.2 + 0.6 * lean + random.normal(0, 0.2, len(lean))
        return floor_line(name, who, items, expected, value)
    if name == "no-change":
        return model_line(name, who, items, expected, [0.01, 0.01, 0.01, 0.02, 0.95])
    noise = random.normal(0, 0.03 * number, len(lean))
    shares = np.exp(-((OPTIONS - (3.2 + lean + noise)[:, None]) ** 2) / 1.5)
    mass = 0.3 if name == "sft" else 0.97
    more: Line = {}
    if name in FITTED:
        errors = {str(a): round(0.8 - 0.02 * a + 0.004 * a * a + random.normal(0, 0.03), 4) for a in ALPHAS}
        more = {"fit": {"alpha": int(min(errors, key=lambda a: errors[a])), "fold_errors": errors}}
    return model_line(name, who, items, expected, shares / shares.sum(axis=1, keepdims=True), mass, **more)


def changed(path: Path, change: Callable[[list[Line]], object]) -> None:
    """Change the lines of a file."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
