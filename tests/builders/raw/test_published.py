"""The published test lists: people found, found in part and not found, and lists that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from raw_writers import LONG, SD3_NAMES, dat, person, sd3, some_people

from builders.raw.ipip_csv import read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.published import PublishedList, find_people, read_published
from builders.raw.sd3_data import read_sd3_data
from builders.raw.table import RawTable
from papi.errors import InputRejected
from papi.instruments import DARK_TRIAD

Listed = list[dict[str, Any]]
ANSWERS = [i % 5 + 1 for i in range(27)]
ROWS = [(ANSWERS, "NA", 1), (ANSWERS, "", 1), (ANSWERS, "US", 1), (ANSWERS, "US", 2), (ANSWERS, "US", 2)]


def ipip_people(n: int = 5) -> RawTable:
    return read_ipip_dat(dat(LONG, some_people(LONG, n)), LONG, "f")


def listed(*numbers: int, **changes: object) -> Listed:
    """People of the long form as the list has them: the case and the stored answers by name."""
    somebody = [person(LONG, number) for number in numbers]
    return [{"case": p["case"]} | {f"i{j}": a for j, a in enumerate(p["answers"], 1)} | changes for p in somebody]


def listed_sd3(*rows: tuple[list[int], str, int]) -> Listed:
    return [
        dict(zip(SD3_NAMES, a, strict=True)) | {"country": country, "source": source} for a, country, source in rows
    ]


def read(people: object, name: str = LONG) -> PublishedList:
    return read_published(json.dumps(people).encode(), name, "a list")


def found(people: Listed, table: RawTable) -> list[int]:
    return find_people(read(people, table.instrument), table).tolist()


def refusal(content: bytes, name: str = LONG) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read_published(content, name, "a list")
    return caught.value


# who is found


def test_the_listed_people_are_found_in_the_order_of_the_file() -> None:
    assert len(read(listed(4, 1, 3))) == 3
    assert found(listed(4, 1, 3), ipip_people()) == [0, 2, 3]


def test_of_a_list_in_part_the_found_are_given() -> None:
    assert found(listed(2, 77, 5, 78), ipip_people()) == [1, 4]


def test_strangers_are_not_found() -> None:
    assert found(listed(77, 78), ipip_people()) == []


@pytest.mark.parametrize("change", [{"i300": 0}, {"case": 6}, {"i1": 5, "i2": 1}])
def test_a_person_is_found_by_case_and_every_answer(change: dict[str, int]) -> None:
    assert found(listed(1), ipip_people()) == [0]
    assert found(listed(1, **change), ipip_people()) == []


def test_two_answers_changed_places_are_another_person() -> None:
    """The sum of the answers is the same, which the quick look cannot tell."""
    one = listed(1)
    one[0]["i1"], one[0]["i2"] = one[0]["i2"], one[0]["i1"]
    assert one != listed(1)
    assert found(one, ipip_people()) == []


def test_what_else_the_list_says_of_a_person_is_no_matter() -> None:
    assert found(listed(1, country="elsewhere", sex=9), ipip_people()) == [0]


@pytest.mark.parametrize(("row", "place"), list(enumerate([0, 1, 2, 3])))
def test_the_dark_triad_s_people_are_found_by_answers_country_and_source(row: int, place: int) -> None:
    """Namibia is not the empty country, and of identical rows the first is taken."""
    table = read_sd3_data(sd3(ROWS), "f")
    assert found(listed_sd3(ROWS[row]), table) == [place]


def test_another_country_or_source_is_another_person() -> None:
    table = read_sd3_data(sd3(ROWS), "f")
    assert found(listed_sd3((ANSWERS, "GB", 1), (ANSWERS, "NA", 2)), table) == []


# lists that are none


@pytest.mark.parametrize("content", [b"", b"{", b"[{]", b"\xff\xfe\xff", b"<html></html>"])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    assert "no JSON" in str(refusal(content))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b"3", b"[[1]]", b'[{"case": 1}, 2]'])
def test_what_is_no_list_of_people_is_refused(content: bytes) -> None:
    refusal(content)


@pytest.mark.parametrize("value", [6, -1, "3", None, 2.5, [3], {}])
def test_an_answer_outside_0_to_5_is_refused_and_placed(value: object) -> None:
    error = refusal(json.dumps([*listed(1), *listed(2, i9=value)]).encode())
    assert [(place.file, place.column) for place in error.places] == [("a list, person 2", "i9")]


@pytest.mark.parametrize("key", ["case", "i1", "i300"])
def test_a_missing_field_is_refused_and_named(key: str) -> None:
    people = listed(1)
    del people[0][key]
    assert [place.expected for place in refusal(json.dumps(people).encode()).places] == [key]


def test_the_other_instrument_s_list_is_refused() -> None:
    assert refusal(json.dumps(listed(1)).encode(), DARK_TRIAD).total == 29
    assert refusal(json.dumps(listed_sd3(ROWS[0])).encode()).total == 301


def test_a_json_of_endless_depth_is_refused() -> None:
    refusal(b"[" * 200_000)


@pytest.mark.parametrize("case", [[1], {}])
def test_a_case_that_is_no_number_is_refused(case: object) -> None:
    with pytest.raises(InputRejected):
        found(listed(1, case=case), ipip_people())


# the real lists


@pytest.mark.parametrize("kind", ["dat", "csv"])
def test_the_real_200_people_are_all_found(real_data: Path, kind: str) -> None:
    name, reader = ("IPIP300.dat", read_ipip_dat) if kind == "dat" else ("IPIP_NEO_300.csv", read_ipip_csv)
    table = reader((real_data / "raw/ipip" / name).read_bytes(), LONG, name)
    people = read_published((real_data / "published/Test-set.json").read_bytes(), LONG, "Test-set.json")
    rows = find_people(people, table)
    assert len(people) == len(rows) == 200
    assert (np.diff(rows) > 0).all()


def test_the_real_300_people_of_the_dark_triad_are_all_found_once(real_data: Path) -> None:
    table = read_sd3_data((real_data / "raw/sd3/data.csv").read_bytes(), "data.csv")
    content = (real_data / "published/dark_triad_Test_set.json").read_bytes()
    people = read_published(content, DARK_TRIAD, "dark_triad_Test_set.json")
    rows = find_people(people, table)
    assert len(people) == len(rows) == 300
    assert (np.diff(rows) > 0).all()
