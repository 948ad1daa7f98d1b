"""How well each careless index tells seeded careless people from attentive ones: AUC by kind of carelessness.

As many people of one kind as of another. Undefined values count as most suspicious. Beside the indices what becomes of
the spread of answers when it is computed on stored, reversed answers. Prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from papi.instruments import INSTRUMENTS, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.people_parameters import careless_kinds
from papi.scoring import scores_from_responses, stored_from_responses
from validation.careless import careless_flags, careless_indices, response_variability

SUSPICIOUS = {"longest_run": 1, "irv": -1, "even_odd": -1, "row_keying": -1}  # 1: the more the more suspicious


def auc_table(of: Instrument, people: int, seed: int) -> dict[str, dict[str, float]]:
    """Per index, and per flag its share, for each careless kind against the attentive; `n` counts the people."""
    kinds = careless_kinds()
    codes = (np.arange(people) % len(kinds)).astype(np.int8)
    crowd = replace(draw_people(of, people, seed), careless=codes)
    responses = draw_responses(crowd, of, seed)
    scores = scores_from_responses(responses, of)
    indices = careless_indices(responses, scores, of)
    values = {name: getattr(indices, name) for name in SUSPICIOUS if getattr(indices, name) is not None}
    if of.is_ipip:
        values["irv of stored answers"] = response_variability(stored_from_responses(responses, of))
    flags = careless_flags(indices, np.zeros(people, dtype=np.int32), of)
    table = {}
    for code, kind in enumerate(kinds):
        chosen = crowd.careless == code
        row: dict[str, float] = {"n": int(chosen.sum())}
        if kind.most:
            row |= {name: _auc(value, chosen, crowd.careless == 0, name) for name, value in values.items()}
        row |= {name: round(float(flag[chosen].mean()), 3) for name, flag in flags.items() if name != "flag_duplicate"}
        table[kind.name] = row
    return table


def _auc(value: NDArray[np.floating], careless: NDArray[np.bool_], attentive: NDArray[np.bool_], name: str) -> float:
    suspicion = SUSPICIOUS[name.split()[0]] * value.astype(float)
    suspicion[np.isnan(suspicion)] = np.inf
    worst = np.where(np.isinf(suspicion), np.finfo(float).max, suspicion)
    either = careless | attentive
    return round(float(roc_auc_score(careless[either], worst[either])), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tables = {name: auc_table(instrument(name), arguments.people, arguments.seed) for name in INSTRUMENTS}
    for name, table in tables.items():
        columns = list(dict.fromkeys(column for row in table.values() for column in row))
        print(f"\n{name}\n| kind | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
        for kind, row in table.items():
            print(f"| {kind} | {' | '.join(str(row.get(column, '')) for column in columns)} |")
    print(json.dumps(tables))


if __name__ == "__main__":
    main()
