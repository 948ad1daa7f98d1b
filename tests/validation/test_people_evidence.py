"""The gates on the people to be published: nobody singled out, nobody lost, a sample like everybody."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders.options import BuildOptions
from builders.release import build_release
from papi.categories import categorical
from papi.errors import GateFailed
from papi.instruments import DARK_TRIAD, IPIP_120, instrument
from validation.disclosure import cell_sizes, disclosure_table
from validation.gates import ALLOWED, FAILED, NOT_ASSESSED, PASSED, assess, refuse_failures
from validation.likeness import Likeness, Portrait, likeness
from validation.people_evidence import DisclosureEvidence, SampleEvidence, StructureEvidence


def people(sex: list[int], country: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": categorical(np.array(sex), ("male", "female")),
            "country": categorical(np.array(country), ("UK", "Other")),
        }
    )


@pytest.mark.parametrize(("alone", "verdict"), [(10, FAILED), (11, PASSED)])
def test_ten_people_in_a_cell_are_too_few_and_eleven_are_not(alone: int, verdict: str) -> None:
    published = people([0] * alone + [1] * 20, [0] * (alone + 20))
    (finding,) = assess(DisclosureEvidence(instrument(IPIP_120), published))
    assert (finding.gate, finding.value, finding.verdict) == ("smallest-cell", alone, verdict)


def test_a_cell_that_tells_nothing_may_be_small() -> None:
    (finding,) = assess(DisclosureEvidence(instrument(IPIP_120), people([-1] * 3, [1, 1, -1])))
    assert finding.verdict == NOT_ASSESSED


def test_the_disclosure_table_counts_cells_and_people_by_hand() -> None:
    published = people([0] * 4 + [1] * 7 + [0], [0] * 11 + [1])
    table = {tuple(row["columns"]): row for row in disclosure_table(published)}
    assert table["sex",] == {
        "columns": ["sex"],
        "cells": 2,
        "unique_people": 0,
        "below_5": {"cells": 0, "people": 0},
        "below_11": {"cells": 2, "people": 12},
    }
    assert table["sex", "country"] == {
        "columns": ["sex", "country"],
        "cells": 3,
        "unique_people": 1,
        "below_5": {"cells": 2, "people": 5},
        "below_11": {"cells": 3, "people": 12},
    }
    assert cell_sizes(published).tolist() == [4] * 4 + [7] * 7 + [1]


def structure(read: int, ids: list[int], **splits: list[int]) -> float | None:
    rows = {name: np.array(each, dtype=np.intp) for name, each in splits.items()}
    evidence = StructureEvidence(instrument(DARK_TRIAD), read, np.array(ids, dtype=np.uint64), rows)
    (finding,) = assess(evidence)
    assert (finding.verdict == PASSED) == (finding.value == 0)
    return finding.value


def test_structure_is_in_order_where_every_person_is_in_one_split() -> None:
    assert structure(4, [3, 5, 8, 2**64 - 1], dev=[0, 3], test=[1, 2]) == 0


@pytest.mark.parametrize(
    ("read", "ids", "splits"),
    [
        (5, [3, 5, 8, 9], {"dev": [0, 3], "test": [1, 2]}),
        (4, [3, 5, 8, 9], {"dev": [0, 3], "test": [2]}),
        (4, [3, 5, 8, 9], {"dev": [0, 1, 3], "test": [1, 2]}),
        (4, [3, 5, 5, 9], {"dev": [0, 1], "test": [2, 3]}),
        (4, [3, 5, 8, 9], {"dev": [3, 0], "test": [1, 2]}),
    ],
    ids=["lost while read", "in no split", "in two splits", "one id twice", "out of order"],
)
def test_structure_sees_one_person_out_of_order(read: int, ids: list[int], splits: dict[str, list[int]]) -> None:
    assert structure(read, ids, **splits) == 1


def sample(people: int, extremes: float, shift: float = 0.0) -> Likeness:
    trait = np.linspace(1, 4, 1000, dtype=np.float32)
    everybody = Portrait(1000, np.ones(27), 0.3, 0.8, {"M": trait})
    group = Portrait(people, np.ones(27), extremes, 0.8, {"M": trait[::3] + np.float32(shift)})
    return likeness(group, everybody)


def test_a_sample_must_be_like_everybody_in_each_respect() -> None:
    of = instrument(DARK_TRIAD)
    assert {f.verdict for f in assess(SampleEvidence(of, sample(300, 0.31)))} == {PASSED}
    assert [f.verdict for f in assess(SampleEvidence(of, sample(300, 0.32)))] == [FAILED, PASSED]
    assert [f.verdict for f in assess(SampleEvidence(of, sample(300, 0.30, shift=0.3)))] == [PASSED, FAILED]
    assert {f.verdict for f in assess(SampleEvidence(of, sample(299, 0.40)))} == {NOT_ASSESSED}


def test_an_undefined_likeness_of_enough_people_fails() -> None:
    undefined = dataclasses.replace(sample(300, 0.3), alpha_ratio=float("nan"))
    findings = assess(SampleEvidence(instrument(DARK_TRIAD), undefined))
    assert [f.verdict for f in findings] == [FAILED, PASSED]
    with pytest.raises(GateFailed, match="test-population"):
        refuse_failures(findings)


def test_who_publishes_rare_countries_has_allowed_small_cells_and_this_is_recorded(
    simulated_raw: Path, tmp_path: Path
) -> None:
    options = BuildOptions(min_country=1, only=(IPIP_120,), figures=False)
    manifest, _ = build_release(simulated_raw, tmp_path / "release", options)
    verdicts = {f["verdict"] for f in manifest["gates"] if f["gate"] == "smallest-cell"}
    assert (verdicts, manifest["allowed_gates"]) == ({ALLOWED}, ["smallest-cell"])
