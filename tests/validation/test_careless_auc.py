"""People whom the simulator makes careless are told from attentive ones by the index that is there for their kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from papi.instruments import IPIP_300, instrument
from papi.people import draw_people, draw_responses
from papi.people_parameters import careless_kinds
from papi.scoring import Answers, scores_from_responses, stored_from_responses
from validation.careless import Indices, careless_indices, response_variability

OF = instrument(IPIP_300)
KINDS = {kind.name: code for code, kind in enumerate(careless_kinds())}


@cache
def crowd() -> tuple[NDArray[np.int8], Answers, Indices]:
    """4,000 people, as many of one kind as of another."""
    codes = (np.arange(4_000) % len(KINDS)).astype(np.int8)
    people = replace(draw_people(OF, 4_000, 1), careless=codes)
    responses = draw_responses(people, OF, 1)
    return people.careless, responses, careless_indices(responses, scores_from_responses(responses, OF), OF)


def auc(suspicion: NDArray[np.floating], kind: str) -> float:
    """Undefined values count as most suspicious."""
    careless = crowd()[0]
    either = np.isin(careless, (KINDS["attentive"], KINDS[kind]))
    worst = np.where(np.isnan(suspicion), np.finfo(np.float32).max, suspicion)
    return float(roc_auc_score(careless[either] == KINDS[kind], worst[either]))


@pytest.mark.parametrize(
    ("index", "kind", "at_least"),
    [
        ("longest_run", "constant", 0.99),
        ("longest_run", "straight-lining", 0.95),
        ("irv", "constant", 0.99),
        ("irv", "straight-lining", 0.90),
        ("even_odd", "random", 0.97),
        ("row_keying", "random", 0.97),
        ("row_keying", "patterned", 0.97),
        ("row_keying", "constant", 0.99),
    ],
)
def test_an_index_tells_its_kind_of_carelessness(index: str, kind: str, at_least: float) -> None:
    sign = 1 if index == "longest_run" else -1
    assert auc(sign * getattr(crowd()[2], index).astype(np.float64), kind) > at_least


def test_no_index_tells_every_kind() -> None:
    """The negation, and why there are four of them: random answers have no runs and vary more than attentive ones."""
    indices = crowd()[2]
    assert auc(indices.longest_run.astype(np.float64), "random") < 0.5
    assert auc(-indices.irv.astype(np.float64), "random") < 0.5


def test_on_stored_answers_who_gave_one_answer_throughout_seems_to_vary() -> None:
    as_given, stored = crowd()[1], stored_from_responses(crowd()[1], OF)
    assert auc(-response_variability(as_given).astype(np.float64), "constant") > 0.99
    assert auc(-response_variability(stored).astype(np.float64), "constant") < 0.8
