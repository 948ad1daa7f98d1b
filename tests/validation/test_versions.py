"""What a difference asks of the next version's number."""

from __future__ import annotations

from typing import Any

import pytest

from papi.errors import UsageError
from papi.tables import read_csv
from validation.difference import Difference
from validation.versions import ELSE, KINDS, RULES, change_kind, reasons, refuse_too_small

MAJOR = Difference(configs={"dark-triad": {"values": {"M1": 1}}})
MINOR = Difference(columns={"dark-triad": {"added": ["score_X"], "removed": [], "types": {}, "reordered": False}})
PATCH = Difference(facts={"version": ["1.2.3", "1.2.4"]})
NOTHING = Difference()


def values(config: str, column: str) -> Difference:
    return Difference(configs={config: {"values": {column: 3}}})


def columns(**change: Any) -> Difference:
    return Difference(columns={"dark-triad": {"added": [], "removed": [], "types": {}, "reordered": False} | change})


CASES = [
    ("simulated", Difference(facts={"simulated": [False, True]})),
    ("config-gone", Difference(columns={"dark-triad": {"config": "removed"}})),
    ("column-gone", columns(removed=["M1"])),
    ("column-gone", columns(types={"M1": ["int8", "int16"]})),
    ("people-gone", Difference(configs={"dark-triad": {"rows": {"added": 0, "removed": 2}}})),
    ("answers-changed", values("ipip-neo-300", "i300")),
    ("answers-changed", values("ipip-neo-300", "score_N1")),
    ("items-changed", values("items", "statement")),
    ("test-changed", Difference(configs={"dark-triad": {"moved": {"dev → test": 1}}})),
    ("test-changed", Difference(configs={"dark-triad": {"splits": {"test_population": [3, 4]}}})),
    ("config-new", Difference(columns={"dark-triad": {"config": "added"}})),
    ("column-new", columns(added=["age"])),
    ("column-new", columns(reordered=True)),
    ("people-new", Difference(configs={"dark-triad": {"rows": {"added": 2, "removed": 0}}})),
    ("others-changed", values("dark-triad", "country")),
    ("others-changed", values("ipip-neo-120", "flag_missing")),
    ("else", PATCH),
    ("else", Difference(gates={"missing": ["passed", "failed"]})),
]


@pytest.mark.parametrize(("rule", "difference"), CASES)
def test_each_rule_is_seen_where_it_holds_and_alone(rule: str, difference: Difference) -> None:
    kinds = {row["rule"]: row["kind"] for row in read_csv("papi", "version_rules.csv")}
    assert [reason.rule for reason in reasons(difference)] == [rule]
    assert change_kind(difference) == kinds[rule]


def test_every_rule_of_the_table_is_implemented_and_tried() -> None:
    table = [row["rule"] for row in read_csv("papi", "version_rules.csv")]
    assert table == [*RULES, ELSE]
    assert set(table) == {rule for rule, _ in CASES}
    assert {row["kind"] for row in read_csv("papi", "version_rules.csv")} == set(KINDS)


def test_people_who_are_new_only_in_dev_move_no_test_set() -> None:
    grown = Difference(configs={"dark-triad": {"rows": {"added": 2, "removed": 0}, "splits": {"dev": [30, 32]}}})
    assert change_kind(grown) == "minor"


def test_nothing_changed_is_no_kind() -> None:
    assert (change_kind(NOTHING), reasons(NOTHING)) == (None, [])


@pytest.mark.parametrize(
    ("difference", "before", "enough", "too_small"),
    [
        (MAJOR, "1.2.3", ["2.0.0", "3.0.0"], ["1.3.0", "1.2.4", "1.2.3"]),
        (MINOR, "1.2.3", ["1.3.0", "2.0.0"], ["1.2.4", "1.2.3", "0.9.0"]),
        (PATCH, "1.2.3", ["1.2.4", "1.3.0", "2.0.0"], ["1.2.3", "1.2.2"]),
        (NOTHING, "1.2.3", ["1.2.4"], ["1.2.3", "1.0.9"]),
        (MAJOR, "0.2.3", ["0.2.4", "1.0.0"], ["0.2.3"]),
    ],
)
def test_the_number_must_say_what_changed(
    difference: Difference, before: str, enough: list[str], too_small: list[str]
) -> None:
    for version in enough:
        refuse_too_small(before, version, difference)
    for version in too_small:
        with pytest.raises(UsageError) as refused:
            refuse_too_small(before, version, difference)
        assert refused.value.expected == f"--version {enough[0]} or higher"
