"""The detection table: in how many of 60 resamples of corrupted answers a gate fires, and how often on clean ones.

Each resample is 80 % of the people, drawn without replacement; the corruption is done to it, and the gates judge it as
a build would. Data sets: the real files (PAPI_REAL_DATA, else ../shared) and 20,000 simulated people. Prints tables and
one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from builders.raw.files import find_raw_files
from builders.raw.inputs import RawInputs
from papi.instruments import INSTRUMENTS, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers, responses_from_stored, scores_from_responses, stored_from_responses, turned
from validation.answer_evidence import AnswerEvidence
from validation.careless import careless_indices
from validation.gates import FAILED, assess
from validation.reference import REAL, SIMULATED

SHARE, PEOPLE = 0.8, 20_000
REAL_DATA = Path(os.environ.get("PAPI_REAL_DATA", Path(__file__).parents[2] / "shared"))


@dataclass(frozen=True)
class Sample:
    """Stored answers of some people and what a reader would have counted."""

    answers: Answers
    cases: np.ndarray
    impossible: int = 0


Corruption = Callable[[Sample, Instrument, np.random.Generator], Sample]


def on_answers(change: Callable[[Answers, Instrument, np.random.Generator], Answers]) -> Corruption:
    return lambda sample, of, draw: replace(sample, answers=change(sample.answers, of, draw))


def half_reversed(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
    return np.where(draw.random((len(answers), 1)) < 0.5, turned(answers, of.keyed < 0), answers)


def swapped_domains(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
    order = np.arange(answers.shape[1])
    one, other = (domain.positions for domain in of.domains[:2])
    order[one], order[other] = order[other], order[one].copy()
    return answers[:, order]


def one_reversed(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
    chosen = np.arange(answers.shape[1]) == draw.integers(answers.shape[1])
    return turned(answers, chosen)


def swapped_pair(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
    """Two items of one scale with the same sign."""
    scale = of.scales[draw.integers(len(of.scales))]
    same = [j for j in scale.positions if of.keyed[j] == of.keyed[scale.positions[0]]]
    one, other = draw.choice(same, 2, replace=False) if len(same) > 1 else (same[0], same[0])
    order = np.arange(answers.shape[1])
    order[[one, other]] = order[[other, one]]
    return answers[:, order]


def one_digit(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
    changed = answers.copy()
    row, item = draw.integers(len(answers)), draw.integers(answers.shape[1])
    changed[row, item] = changed[row, item] % 5 + 1
    return changed


def random_people(share: float) -> Corruption:
    def change(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
        careless = draw.random((len(answers), 1)) < share
        return np.where(careless, draw.integers(1, 6, answers.shape, dtype=np.int8), answers)

    return on_answers(change)


def missing_as(code: int, share: float) -> Corruption:
    """A share of the answers of everybody lost, coded as `code`."""

    def change(answers: Answers, of: Instrument, draw: np.random.Generator) -> Answers:
        return np.where(draw.random(answers.shape) < share, np.int8(code), answers)

    return on_answers(change)


def appended(sample: Sample, of: Instrument, draw: np.random.Generator) -> Sample:
    return Sample(np.concatenate([sample.answers] * 2), np.concatenate([sample.cases] * 2), sample.impossible)


def doubled_case(sample: Sample, of: Instrument, draw: np.random.Generator) -> Sample:
    cases = sample.cases.copy()
    cases[0] = cases[1]
    return replace(sample, cases=cases)


def impossible(share: float) -> Corruption:
    return lambda sample, of, draw: replace(sample, impossible=int(np.ceil(share * len(sample.answers))))


CORRUPTIONS: dict[str, Corruption] = {
    "none (false alarms)": lambda sample, of, draw: sample,
    "negative items reversed again": on_answers(lambda answers, of, draw: turned(answers, of.keyed < 0)),
    "all items reversed": on_answers(lambda answers, of, draw: turned(answers, np.ones(len(of.items), dtype=bool))),
    "columns shifted by +1": on_answers(lambda answers, of, draw: np.roll(answers, 1, axis=1)),
    "columns shifted by -1": on_answers(lambda answers, of, draw: np.roll(answers, -1, axis=1)),
    "columns shifted by +30": on_answers(lambda answers, of, draw: np.roll(answers, 30, axis=1)),
    "columns shifted by -30": on_answers(lambda answers, of, draw: np.roll(answers, -30, axis=1)),
    "order i1, i10, i100": on_answers(lambda answers, of, draw: answers[:, np.argsort(of.item_names)]),
    "two domains swapped": on_answers(swapped_domains),
    "one item reversed": on_answers(one_reversed),
    "half the rows of the other convention": on_answers(half_reversed),
    "a file appended to itself": appended,
    "one case number twice": doubled_case,
    "5 % random people": random_people(0.05),
    "20 % random people": random_people(0.20),
    "2 % of the answers lost": missing_as(0, 0.02),
    "2 % of the answers lost, coded 3": missing_as(3, 0.02),
    ".2 % of the rows impossible": impossible(0.002),
    "two like items swapped": on_answers(swapped_pair),
    "one digit changed": on_answers(one_digit),
}


WITHOUT_MEANING = {("dark-triad", "order i1, i10, i100"), ("dark-triad", "one case number twice")}


@cache
def people_of(data: str, name: str) -> tuple[Answers, np.ndarray, str]:
    """Stored answers, case numbers and whose item key, of the real files or of the simulator."""
    of = instrument(name)
    if data == SIMULATED:
        stored = stored_from_responses(draw_responses(draw_people(of, PEOPLE, 1), of, 1), of)
        return stored, np.arange(PEOPLE), SIMULATED
    table, _ = RawInputs(find_raw_files(REAL_DATA / "raw")).answers(of)
    return (
        table.answers,
        table.people.get("case", np.arange(len(table))).to_numpy() if of.is_ipip else np.arange(len(table)),
        REAL,
    )


def fired_gates(sample: Sample, of: Instrument, content: str) -> set[str]:
    """The gates of the answers that fire, as in a build."""
    responses = responses_from_stored(np.asfortranarray(sample.answers), of)
    scores = scores_from_responses(responses, of)
    vectors = np.ascontiguousarray(responses).view(f"V{responses.shape[1]}").ravel()
    indices = careless_indices(responses, scores, of)
    first = np.unique(vectors, return_index=True)[1]
    copy = np.ones(len(vectors), dtype=bool)
    copy[first] = False
    evidence = AnswerEvidence(
        instrument=of,
        scores=scores,
        content=content,
        indices=indices,
        doubled_cases=len(sample.cases) - len(np.unique(sample.cases)) if of.is_ipip else 0,
        copies=int((copy & (indices.irv > 0)).sum()),
        impossible_rows=sample.impossible,
    )
    return {finding.gate for finding in assess(evidence) if finding.verdict == FAILED}


def detected(data: str, name: str, resamples: int, corruption: str) -> tuple[int, dict[str, int]]:
    """In how many resamples any gate fired, and each gate how often."""
    answers, cases, content = people_of(data, name)
    gates: Counter[str] = Counter()
    alarms = 0
    for seed in range(resamples):
        draw = np.random.default_rng([seed, 80])
        rows = np.sort(draw.permutation(len(answers))[: int(SHARE * len(answers))])
        sample = CORRUPTIONS[corruption](Sample(answers[rows], cases[rows]), instrument(name), draw)
        fired = fired_gates(sample, instrument(name), content)
        gates.update(fired)
        alarms += bool(fired)
    return alarms, dict(gates.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=60)
    arguments = parser.parse_args()
    real = [REAL] if (REAL_DATA / "raw").is_dir() else []
    if not real:
        print(f"no real data in {REAL_DATA.name}: simulated people only")
    sets = [(data, name) for data in (*real, SIMULATED) for name in INSTRUMENTS]
    results = {}
    with ProcessPoolExecutor(max_workers=2) as pool:
        jobs = {
            (data, name, corruption): pool.submit(detected, data, name, arguments.resamples, corruption)
            for data, name in sets
            for corruption in CORRUPTIONS
            if (name, corruption) not in WITHOUT_MEANING
        }
        for data, name in sets:
            print(f"\n{name}, {data}, {len(people_of(data, name)[0]):,} people\n| corruption | detected | gates |")
            print("|---|---:|---|")
            for corruption in (each for each in CORRUPTIONS if (name, each) not in WITHOUT_MEANING):
                alarms, gates = jobs[data, name, corruption].result()
                shown = ", ".join(f"{gate} {count}" for gate, count in gates.items())
                print(f"| {corruption} | {alarms}/{arguments.resamples} | {shown} |", flush=True)
                results[f"{data} {name}: {corruption}"] = alarms
    print(json.dumps({"resamples": arguments.resamples, "detected": results}))


if __name__ == "__main__":
    main()
