"""What the instruments are: the counts that were measured on the real key, and the published protocol."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import xlrd

from papi.errors import UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, Instrument, instrument

DOMAIN_CYCLE = "NEOAC"
ONE_SIGN = {"A2": -1, "A4": -1, "A5": -1, "C6": -1, "C1": 1, "E5": 1, "E6": 1, "N1": 1, "O1": 1}


def signs(of: Instrument) -> tuple[int, int]:
    """How many items are keyed + and how many −."""
    return int((of.keyed > 0).sum()), int((of.keyed < 0).sum())


@pytest.mark.parametrize(
    ("name", "plus", "minus"), [(IPIP_300, 152, 148), (IPIP_120, 65, 55), (DARK_TRIAD, 22, 5)], ids=INSTRUMENTS
)
def test_each_form_has_its_known_number_of_items_of_either_sign(name: str, plus: int, minus: int) -> None:
    of = instrument(name)
    assert signs(of) == (plus, minus)
    assert len(of.items) == plus + minus


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_facets_come_round_every_thirty_items_domain_by_domain(name: str) -> None:
    cycle = [f"{domain}{number}" for number in range(1, 7) for domain in DOMAIN_CYCLE]
    items = instrument(name).items
    assert cycle[:6] == ["N1", "E1", "O1", "A1", "C1", "N2"]
    assert [item.facet for item in items] == cycle * (len(items) // 30)
    assert all(item.domain == str(item.facet)[0] for item in items)


@pytest.mark.parametrize(("name", "each"), [(IPIP_300, 10), (IPIP_120, 4)])
def test_thirty_facets_share_the_items_evenly(name: str, each: int) -> None:
    of = instrument(name)
    assert [len(facet.positions) for facet in of.facets] == [each] * 30
    assert [len(domain.positions) for domain in of.domains] == [6 * each] * 5
    assert sorted(j for facet in of.facets for j in facet.positions) == list(range(len(of.items)))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_position_belongs_to_the_scale_that_its_item_names(name: str) -> None:
    of = instrument(name)
    assert all(of.items[j].domain == domain.name for domain in of.domains for j in domain.positions)
    assert all(of.items[j].facet == facet.name for facet in of.facets for j in facet.positions)


def test_the_same_column_name_is_a_different_item_in_the_two_forms() -> None:
    short = instrument(IPIP_120).items
    same = [item.name for item in short if item.number == item.full_number]
    assert len(same) == 42
    assert next(item.name for item in short if item.name not in same) == "i9"


def test_items_of_the_short_form_have_facet_and_key_of_their_twin_in_the_long_one() -> None:
    long = instrument(IPIP_300).items
    for item in instrument(IPIP_120).items:
        twin = long[int(item.full_number or 0) - 1]
        assert (twin.number, twin.facet, twin.keyed) == (item.full_number, item.facet, item.keyed)


def test_nine_facets_of_the_short_form_have_items_of_one_sign_only_and_none_of_the_long_form() -> None:
    found = {}
    for facet in instrument(IPIP_120).facets:
        keys = set(instrument(IPIP_120).keyed[facet.positions].tolist())
        if len(keys) == 1:
            found[facet.name] = keys.pop()
    assert found == ONE_SIGN
    long = instrument(IPIP_300)
    assert all(set(long.keyed[facet.positions].tolist()) == {-1, 1} for facet in long.facets)


def test_five_items_of_the_dark_triad_are_reversed_and_its_file_holds_them_as_answered() -> None:
    of = instrument(DARK_TRIAD)
    assert [item.name for item in of.items if item.keyed < 0] == ["N2", "N6", "N8", "P2", "P7"]
    assert of.item_names == tuple(f"{scale}{number}" for scale in "MNP" for number in range(1, 10))
    assert not of.stored_reversed.any()


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_files_of_the_ipip_hold_exactly_the_negatively_keyed_items_reversed(name: str) -> None:
    of = instrument(name)
    assert (of.stored_reversed == (of.keyed == -1)).all()


def test_the_given_items_are_the_short_form_and_first_six_of_each_dark_scale() -> None:
    given = {item.number for item in instrument(IPIP_300).items if item.role == "given"}
    assert given == {item.full_number for item in instrument(IPIP_120).items}
    assert [item.role for item in instrument(IPIP_300).items].count("held_out") == 180
    for item in instrument(DARK_TRIAD).items:
        assert item.role == ("given" if int(item.name[1]) <= 6 else "held_out")
    assert {item.role for item in instrument(IPIP_120).items} == {None}


def test_roles_are_those_of_the_published_split_files(real_data: Path) -> None:
    for file, name, first in (("mpi_300_split", IPIP_300, 1), ("dark_triad_split", DARK_TRIAD, 0)):
        published = json.loads((real_data / "published" / f"{file}.json").read_text())
        numbers: dict[str | None, set[int]] = {"given": set(), "held_out": set()}
        for position, item in enumerate(instrument(name).items, start=first):
            numbers[item.role].add(position)
        assert numbers == {"given": set(published["train_index"]), "held_out": set(published["test_index"])}


def test_structure_is_that_of_the_real_item_key(real_data: Path) -> None:
    sheet = xlrd.open_workbook(real_data / "raw" / "ipip" / "IPIP-NEO-ItemKey.xls").sheet_by_index(0)
    rows = [sheet.row_values(i) for i in range(1, sheet.nrows)]
    key = {int(row[0]): (int(row[1]) if row[1] else None, row[2][0], row[3]) for row in rows}
    short = {item.full_number: item.number for item in instrument(IPIP_120).items}
    for item in instrument(IPIP_300).items:
        assert key[item.number] == (short.get(item.number), "+" if item.keyed > 0 else "-", item.facet)


def test_numbers_count_columns_from_one() -> None:
    for name in INSTRUMENTS:
        numbers = [item.number for item in instrument(name).items]
        assert numbers[0] == 1
        assert all(after == before + 1 for before, after in pairwise(numbers))


@pytest.mark.parametrize("word", ["items", "IPIP-NEO-300", "", "ipip300"])
def test_any_other_word_is_no_instrument(word: str) -> None:
    with pytest.raises(UsageError, match="ipip-neo-300, ipip-neo-120, dark-triad"):
        instrument(word)
