from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlrd
from hypothesis import given
from hypothesis import strategies as st

from papi.statements import second_person

LEFT_OVER = re.compile(r"\b(?:I|me|my|mine|myself|am)\b", re.IGNORECASE)
DOUBLED_WORD = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
TWO_STOPS_AT_END = re.compile(r"[.!?…][\"')\]” ]*[.!?…][\"')\]” ]*$")
ONE_STOP_AT_END = re.compile(r"[.!?…][\"')\]”]*$")
CODEBOOK_LINE = re.compile(r"^[MNP]\d\t(.*)$", re.MULTILINE)

FIRST_PERSON = ["I", "I'm", "I’ve", "I'd", "me", "my", "My", "mine", "myself", "am", "ME"]
OTHER_WORDS = ["paint", "fences", "with", "them", "army", "melon", "gleam", "theme,", "was", '"so"', "It"]
LINES = st.text(alphabet="IamyeYou tx.!?…\"')’”\t ", max_size=40).map("Word {}".format)


@pytest.mark.parametrize(
    ("item", "statement"),
    [
        ("Worry about things.", "You worry about things."),
        ("Am always prepared.", "You are always prepared."),
        ("Use others for my own ends.", "You use others for your own ends."),
        ("Water plants on Sundays.", "You water plants on Sundays."),
        ("Hope that I'm right and that I've paid.", "You hope that you're right and that you've paid."),
        ("Talk about what I am reading.", "You talk about what you are reading."),
        ("Was never good at chess.", "You were never good at chess."),
        ("Wasn't taught to swim.", "You weren't taught to swim."),
        ("Give more than what's wanted of me.", "You give more than what's wanted of you."),
        ("Bake for myself and the neighbours.", "You bake for yourself and the neighbours."),
        ("Treat a friend's debts as mine.", "You treat a friend's debts as yours."),
        ("Can't whistle.", "You can't whistle."),
        ("Would never sell my bicycle.", "You would never sell your bicycle."),
        ("Do not own a hat.", "You do not own a hat."),
        ("Rarely hum.", "You rarely hum."),
        ("Only sing when I am alone.", "You only sing when you are alone."),
        ("Interested in old maps.", "You are interested in old maps."),
        ("Willing to swap seats.", "You are willing to swap seats."),
        ("Think we pay too little for bread.", "You think we pay too little for bread."),
    ],
)
def test_an_item_without_its_subject_gets_one(item: str, statement: str) -> None:
    assert second_person(item, implied_subject=True) == statement


@pytest.mark.parametrize(
    ("item", "statement"),
    [
        ("I hate waiting for buses.", "You hate waiting for buses."),
        ("I am a slow reader.", "You are a slow reader."),
        ("I have lived by the sea.", "You have lived by the sea."),
        ("I’ll walk if I’m late, as I’ve always done.", "You'll walk if you're late, as you've always done."),
        ("I was told that I usually wasn't invited.", "You were told that you usually weren't invited."),
        ("I never was a dancer.", "You never were a dancer."),
        ("Somebody like me was asked.", "Somebody like you was asked."),
        ("Neighbours call me a good cook.", "Neighbours call you a good cook."),
        ("Guests who argue with me never come back.", "Guests who argue with you never come back."),
        ("My desk is tidy.", "Your desk is tidy."),
        ("Most roads lead somewhere.", "Most roads lead somewhere."),
        ("It’s best to lock your door.", "It's best to lock your door."),
        ("Keep the receipts.", "Keep the receipts."),
    ],
)
def test_a_whole_sentence_is_turned_where_it_speaks_of_its_speaker(item: str, statement: str) -> None:
    assert second_person(item, implied_subject=False) == statement


@pytest.mark.parametrize(
    ("untidy", "tidy"),
    [
        ("Rain falls", "Rain falls."),
        ("  Rain \t falls.  ", "Rain falls."),
        ("Rain falls..", "Rain falls."),
        ("Rain falls .", "Rain falls."),
        ("rain falls.", "Rain falls."),
        ("Does rain fall?", "Does rain fall?"),
        ("Rain falls!.", "Rain falls!"),
        ('They call it "wet."', 'They call it "wet."'),
        ('They call it "wet.".', 'They call it "wet."'),
        ('They call it "wet".', 'They call it "wet".'),
        ('They call it "wet"', 'They call it "wet".'),
        ("They call it “wet.” ", "They call it “wet.”"),
        ("Rain falls on the farmers’", "Rain falls on the farmers'."),
    ],
)
def test_the_wording_is_tidied(untidy: str, tidy: str) -> None:
    assert second_person(untidy, implied_subject=False) == tidy


@pytest.mark.parametrize("implied_subject", [True, False])
@pytest.mark.parametrize("text", ["", "  ", ".", ' ".." '])
def test_an_item_without_words_is_refused(text: str, implied_subject: bool) -> None:
    with pytest.raises(ValueError, match="no wording"):
        second_person(text, implied_subject=implied_subject)


@pytest.mark.parametrize("text", ["I hum.", "I'm humming.", " I’ve hummed."])
def test_a_second_subject_is_never_put_before_the_first(text: str) -> None:
    with pytest.raises(ValueError, match="subject of its own"):
        second_person(text, implied_subject=True)


@given(LINES, st.booleans())
def test_a_statement_ends_with_exactly_one_stop(line: str, implied_subject: bool) -> None:
    statement = second_person(line, implied_subject=implied_subject)
    assert ONE_STOP_AT_END.search(statement)
    assert not TWO_STOPS_AT_END.search(statement)


@given(LINES, st.booleans())
def test_a_statement_is_left_as_it_is(line: str, implied_subject: bool) -> None:
    statement = second_person(line, implied_subject=implied_subject)
    assert second_person(statement, implied_subject=False) == statement


@given(st.lists(st.sampled_from(FIRST_PERSON + OTHER_WORDS)))
def test_no_first_person_is_left_and_no_other_word_is_touched(words: list[str]) -> None:
    statement = second_person(" ".join(["Neighbours", *words, "here"]), implied_subject=False)
    turned = statement.removesuffix(".").split()[1:-1]
    assert not LEFT_OVER.search(statement)
    assert [new for new, old in zip(turned, words, strict=True) if old in OTHER_WORDS and old != "was"] == [
        word for word in words if word in OTHER_WORDS and word != "was"
    ]


@given(st.lists(st.sampled_from(FIRST_PERSON + OTHER_WORDS)))
def test_leaving_out_the_subject_makes_no_difference(words: list[str]) -> None:
    rest = " ".join(words)
    assert second_person(f"Draw {rest}", implied_subject=True) == second_person(f"I draw {rest}", implied_subject=False)


def test_every_real_item_becomes_a_clean_statement(real_data: Path) -> None:
    statements = list(_real_statements(real_data / "raw"))
    faulty = [one for one in statements if LEFT_OVER.search(one) or DOUBLED_WORD.search(one)]
    untidy = [one for one in statements if one.count(".") != 1 or not ONE_STOP_AT_END.search(one)]
    assert (len(statements), faulty, untidy) == (327, [], [])
    assert all(one.isascii() and one[0].isupper() for one in statements)
    assert all(one.startswith("You ") for one in statements[:300])


def _real_statements(raw: Path) -> Iterator[str]:
    sheet = xlrd.open_workbook(raw / "ipip" / "IPIP-NEO-ItemKey.xls").sheet_by_index(0)
    column = sheet.row_values(0).index("Item")
    for item in sheet.col_values(column, start_rowx=1):
        yield second_person(item, implied_subject=True)
    for item in CODEBOOK_LINE.findall((raw / "sd3" / "codebook.txt").read_text(encoding="cp1252")):
        yield second_person(item, implied_subject=False)
