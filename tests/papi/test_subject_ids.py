"""Subject ids name people by what is published of them, whatever the order, the case numbers and the clock."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.raw.ipip_dat import read_ipip_dat, record_fields
from builders.respondents import respondents
from papi.columns import AGE_BANDS, SEXES
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers
from papi.subject_ids import id_texts, subject_ids

PREFIXES = {IPIP_300: "ipip300", IPIP_120: "ipip120", DARK_TRIAD: "sd3"}
quickly = settings(max_examples=30, deadline=None)


def people(name: str, count: int = 12) -> Answers:
    return draw_responses(draw_people(instrument(name), count, 3), instrument(name), 3)


def demographics(sex: list[str | None], band: list[str | None]) -> pd.DataFrame:
    columns = {"sex": pd.Categorical(sex, list(SEXES)), "age_band": pd.Categorical(band, list(AGE_BANDS))}
    return pd.DataFrame(columns)


def nothing_known(count: int) -> pd.DataFrame:
    return demographics([None] * count, [None] * count)


def ids(responses: Answers, known: pd.DataFrame | None = None, name: str = IPIP_120) -> list[str]:
    of = instrument(name)
    return id_texts(subject_ids(responses, nothing_known(len(responses)) if known is None else known, of).numbers, of)


def by_hand(name: str, row: np.ndarray, copy: int = 0) -> str:
    """The id from its definition: instrument, answers as bytes, copy number, joined by zero bytes."""
    message = name.encode() + b"\x00" + bytes(row.tolist()) + b"\x00" + str(copy).encode()
    return f"{PREFIXES[name]}-{hashlib.sha256(message).hexdigest()[:16]}"


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_id_is_the_hash_of_instrument_answers_and_copy_number(name: str) -> None:
    responses = people(name)
    found = ids(responses, name=name)
    assert found == [by_hand(name, row) for row in responses]
    assert all(re.fullmatch(PREFIXES[name] + "-[0-9a-f]{16}", each) for each in found)


def test_leading_zeros_are_digits_too() -> None:
    small = np.array([0, 1, 2**64 - 1], dtype=np.uint64)
    assert id_texts(small, instrument(DARK_TRIAD)) == ["sd3-" + "0" * 16, "sd3-" + "0" * 15 + "1", "sd3-" + "f" * 16]


def test_one_answer_more_or_less_is_another_person() -> None:
    responses = np.repeat(people(IPIP_120, 1), 121, axis=0)
    for j in range(120):
        responses[j, j] = (responses[j, j] + 1) % 6
    assert len(set(ids(responses))) == 121


@given(order=st.permutations(range(12)))
@quickly
def test_the_order_of_the_file_does_not_matter(order: list[int]) -> None:
    responses = people(IPIP_120)
    assert ids(responses[order]) == [ids(responses)[i] for i in order]


@given(order=st.permutations(range(6)))
@quickly
def test_copies_are_numbered_in_the_order_of_their_demographics_wherever_they_stand(order: list[int]) -> None:
    """Sex is compared first, then age band; what is not known comes before everything."""
    sexes = [None, None, "male", "male", "female", "female"]
    bands = [None, "65+", "<18", "18-24", None, "<18"]
    copies = np.repeat(people(IPIP_120, 1), 6, axis=0)
    known = demographics([sexes[i] for i in order], [bands[i] for i in order])
    assert ids(copies, known) == [by_hand(IPIP_120, copies[0], copy) for copy in order]
    assert subject_ids(copies, known, instrument(IPIP_120)).copy_number.tolist() == order


@given(order=st.permutations(range(5)))
@quickly
def test_copies_with_the_same_demographics_have_the_same_ids_together(order: list[int]) -> None:
    responses = np.vstack([np.repeat(people(IPIP_120, 1), 3, axis=0), people(IPIP_120, 3)[1:]])[order]
    expected = {by_hand(IPIP_120, responses[order.index(0)], copy) for copy in range(3)}
    assert expected < set(ids(responses))
    assert len(set(ids(responses))) == 5


def test_the_same_answers_to_another_instrument_are_another_id() -> None:
    responses = people(IPIP_120, 2)
    assert ids(responses)[0][8:] != by_hand(IPIP_300, responses[0])[8:]


def test_memory_layout_and_number_of_people_change_nothing() -> None:
    responses = people(DARK_TRIAD, 40)
    several = ids(np.ascontiguousarray(responses), name=DARK_TRIAD)
    assert several == ids(np.asfortranarray(responses), name=DARK_TRIAD)
    assert several == [ids(responses[i : i + 1], name=DARK_TRIAD)[0] for i in range(40)]


def test_ids_depend_neither_on_case_nor_on_time(simulated_raw: Path) -> None:
    content = (simulated_raw / "IPIP300.dat").read_bytes()
    fields = record_fields(IPIP_300)
    assert (fields["case"].start, fields["case"].stop) == (0, 6)
    records = content.split(b"\r\n")
    other = [
        b"%6d" % (i + 1) + record[6:9] + b"010203040506"[:10] + b"107" + record[22:] for i, record in enumerate(records)
    ]
    assert other != records
    found = []
    for lines in (records, other[::-1]):
        table = read_ipip_dat(b"\r\n".join(lines), IPIP_300, "IPIP300.dat")
        found.append(respondents(table, instrument(IPIP_300), "simulated", 500).respondents)
    assert (found[0].ids == found[1].ids).all()
    assert (found[0].responses == found[1].responses).all()
    assert found[0].columns["sex"].equals(found[1].columns["sex"])
