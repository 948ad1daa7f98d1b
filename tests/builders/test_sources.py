"""The table of raw files: what it says, what `--only` picks, and that a slip in it is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders.sources import sources, table_problems, wanted
from papi.errors import UsageError


def names(*only: str) -> list[str]:
    return [source.name for source in wanted(only, sources())]


def test_only_brings_what_an_instrument_needs() -> None:
    assert names("ipip-neo-300") == ["IPIP300.dat", "IPIP-NEO-ItemKey.xls", "Test-set.json"]
    assert names("ipip-neo-120") == ["IPIP120.dat", "IPIP-NEO-ItemKey.xls"]
    assert names("dark-triad") == ["SD3.zip", "dark_triad_Test_set.json"]
    assert set(names()) == set(names("ipip-neo-300", "ipip-neo-120", "dark-triad"))
    with pytest.raises(UsageError, match="big-five"):
        names("dark-triad", "big-five")


def test_the_shipped_table_has_the_known_facts() -> None:
    facts = {s.name: (s.bytes, [h[:8] for h in (*s.sha256, *s.members.values())]) for s in sources()}
    assert facts == {
        "IPIP300.dat": (102_949_853, ["1bbb7189"]),
        "IPIP120.dat": (94_729_950, ["526daf7e"]),
        "IPIP-NEO-ItemKey.xls": (54_784, ["d3f962e4", "586e92af"]),
        "SD3.zip": (None, ["80f82fb1"]),
        "Test-set.json": (1_649_953, ["5e46c6cf"]),
        "dark_triad_Test_set.json": (146_402, ["ed904290"]),
    }
    assert sources() is sources()


def test_a_table_with_a_slip_is_refused() -> None:
    good = sources()[0]
    slips: dict[str, dict[str, Any]] = {
        "is there twice": {},
        "is no sha256": {"sha256": ("ab",)},
        "either": {"sha256": ()},
    }
    slips |= {"instruments": {"only": ("big-five",)}, "https": {"url": "http://osf.io"}}
    assert list(table_problems([good])) == []
    for fault, change in slips.items():
        name = good.name if fault == "is there twice" else "other"
        assert [fault in line for line in table_problems([good, replace(good, name=name, **change)])] == [True]
