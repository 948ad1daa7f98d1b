"""Item key and codebook: two contents are right, and of any other the items that differ are named."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import xlrd
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_writers import SD3_NAMES, xls

from builders.raw.item_key import known_texts, read_codebook, read_item_key
from builders.simulate import simulated_item_key
from builders.simulate_files import sd3_codebook
from papi.errors import InputRejected, ItemKeyRejected
from validation.reference import REAL, SIMULATED

Rows = list[list[object]]
FULL, SHORT, SIGN, KEY, FACET, TEXT = range(6)
PINNED = "ca49c2d092c6b4367ca9b890aee847db09ea4a4ba3c7c3c3cfc8aa9db00c126b"


def rows_of(content: bytes) -> Rows:
    sheet = xlrd.open_workbook(file_contents=content).sheet_by_index(0)
    return [sheet.row_values(i) for i in range(sheet.nrows)]


@pytest.fixture(scope="module")
def simulated() -> Rows:
    return rows_of(simulated_item_key())


@pytest.fixture
def rows(simulated: Rows) -> Rows:
    return [list(row) for row in simulated]


@pytest.fixture
def real_key(real_data: Path) -> bytes:
    return (real_data / "raw/ipip/IPIP-NEO-ItemKey.xls").read_bytes()


@pytest.fixture
def codebook() -> str:
    return sd3_codebook().decode("cp1252")


def refusal(content: bytes, read: Callable[[bytes, str], object] = read_item_key) -> ItemKeyRejected:
    with pytest.raises(ItemKeyRejected) as caught:
        read(content, "a key")
    return caught.value


def names(error: ItemKeyRejected, number: str) -> bool:
    return any(re.search(rf"\b{number}\b", f"{place.expected} {place.got}") for place in error.places)


def turned(sign: object) -> str:
    return str(sign).translate(str.maketrans("+-", "-+"))


def put(row: list[object], column: int, value: object) -> None:
    assert row[column] != value
    row[column] = value


def swap(a: list[object], b: list[object], column: int) -> None:
    a[column], b[column] = b[column], a[column]


DAMAGES: dict[str, Callable[[Rows, list[object], list[object]], None]] = {
    "a row is missing": lambda rows, a, b: rows.remove(a),
    "a Full# is doubled": lambda rows, a, b: put(b, FULL, a[FULL]),
    "a row stands twice": lambda rows, a, b: rows.append(list(a)),
    "a sign is turned": lambda rows, a, b: put(a, SIGN, turned(a[SIGN])),
    "two texts are swapped": lambda rows, a, b: swap(a, b, TEXT),
    "one letter is changed": lambda rows, a, b: put(a, TEXT, f"{str(a[TEXT])[0]}\u0430{str(a[TEXT])[2:]}"),
    "a full stop is lost": lambda rows, a, b: put(a, TEXT, str(a[TEXT])[:-1]),
    "another facet": lambda rows, a, b: put(a, KEY, "N1" if a[KEY] != "N1" else "N2"),
    "another Short#": lambda rows, a, b: put(a, SHORT, 119.0 if a[SHORT] != 119.0 else 118.0),
    "a text is empty": lambda rows, a, b: put(a, TEXT, ""),
}
IN_BOTH_ROWS = ("a Full# is doubled", "two texts are swapped")


def change(rows: Rows, damage: str) -> list[str]:
    """Damage one or two rows of a key; the numbers of the items (Full#) that must be named."""
    a, b = rows[17], rows[203]
    numbers = [str(row[FULL]).removesuffix(".0") for row in (a, b)]
    DAMAGES[damage](rows, a, b)
    return numbers if damage in IN_BOTH_ROWS else numbers[:1]


# the simulator's key


def test_the_simulator_s_key_is_accepted_written_anew_and_in_any_order(rows: Rows) -> None:
    known = read_item_key(simulated_item_key(), "a key")
    assert known.content == SIMULATED
    assert read_item_key(xls([rows[0], *reversed(rows[1:])]), "a key") == known


@pytest.mark.parametrize("damage", DAMAGES)
def test_any_other_key_is_refused_and_the_items_are_named(rows: Rows, damage: str) -> None:
    named = change(rows, damage)
    error = refusal(xls(rows))
    assert error.exit_code == 3
    assert [number for number in named if not names(error, number)] == []
    assert error.total == len(named) + 4 * (damage == "a Full# is doubled")  # the four cells of its row are also wrong


def test_a_changed_row_is_placed_by_its_line_in_the_sheet(rows: Rows) -> None:
    change(rows, "one letter is changed")
    assert [place.line for place in refusal(xls(rows)).places] == [18]


def test_a_key_of_nobody_names_twenty_items_and_counts_all(rows: Rows) -> None:
    for row in rows[1:]:
        row[TEXT] = f"{row[TEXT]}!"
    error = refusal(xls(rows))
    assert (len(error.places), error.total) == (20, 300)


def test_a_number_beyond_300_is_refused(rows: Rows) -> None:
    assert "301" in str(refusal(xls([*rows, [301.0, *rows[-1][1:]]])))


def test_another_header_is_refused(rows: Rows) -> None:
    assert refusal(xls([rows[0][::-1], *rows[1:]])).places[0].line == 1


def test_a_changed_facet_name_is_refused(rows: Rows) -> None:
    rows[17][FACET] = "Another name"
    refusal(xls(rows))


@pytest.mark.parametrize(
    "content", [b"Full#,Short#\n", b"\xd0\xcf\x11\xe0" + b"\0" * 2_000, xls([["x"]]), xls([])[:900]]
)
def test_what_is_no_workbook_of_a_key_is_refused(content: bytes) -> None:
    refusal(content)


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"PK\x03\x04xlsx"])
def test_what_is_plainly_something_else_is_refused_as_that(content: bytes) -> None:
    with pytest.raises(InputRejected):
        read_item_key(content, "a key")


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_replaced_byte_of_the_workbook_raises_nothing_but_our_errors(data: st.DataObject) -> None:
    content = bytearray(simulated_item_key())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        texts = read_item_key(bytes(content), "a key")
    except InputRejected:
        return
    assert texts == read_item_key(simulated_item_key(), "a key")


def test_a_damaged_workbook_leaves_stdout_to_the_results() -> None:
    content = bytearray(simulated_item_key())
    content[64] = 1  # it counts a table of short sectors that it has no stream for
    program = (
        "import sys; from builders.raw.item_key import read_item_key; read_item_key(sys.stdin.buffer.read(), 'a key')"
    )
    done = subprocess.run([sys.executable, "-c", program], input=bytes(content), capture_output=True, check=False)
    assert done.stdout == b""


# the real key


def test_the_real_key_has_the_pinned_content(real_key: bytes) -> None:
    def text(value: object) -> str:
        return str(int(value)) if isinstance(value, float) else str(value)

    rows = sorted(rows_of(real_key)[1:], key=lambda row: float(str(row[FULL])))
    content = "\n".join("\t".join(map(text, row)) for row in rows)
    assert hashlib.sha256(content.encode()).hexdigest() == PINNED
    assert read_item_key(real_key, "the key").content == REAL


def test_the_real_key_has_the_documented_signs(real_key: bytes) -> None:
    rows = rows_of(real_key)[1:]
    signs = [str(row[SIGN])[0] for row in rows]
    short = [str(row[SIGN])[0] for row in rows if row[SHORT] != ""]
    assert (signs.count("+"), signs.count("-")) == (152, 148)
    assert (short.count("+"), short.count("-")) == (65, 55)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_real_key_damaged_is_refused_and_the_items_are_named(real_key: bytes, damage: str) -> None:
    rows = rows_of(real_key)
    named = change(rows, damage)
    error = refusal(xls(rows))
    assert [number for number in named if not names(error, number)] == []
    assert error.total == len(named) + 4 * (damage == "a Full# is doubled")  # the four cells of its row are also wrong


def test_a_mixture_of_both_keys_is_refused(real_key: bytes, rows: Rows) -> None:
    mixed = rows_of(real_key)
    mixed[5:8] = rows[5:8]
    assert refusal(xls(mixed)).total == 3


def test_a_changed_facet_name_of_the_real_key_is_refused(real_key: bytes) -> None:
    rows = rows_of(real_key)
    rows[17][FACET] = "Another name"
    refusal(xls(rows))


# the codebook


def line(codebook: str, item: str) -> str:
    return next(row for row in codebook.split("\n") if row.startswith(f"{item}\t"))


def damaged_codebook(codebook: str, damage: str) -> str:
    one, two = line(codebook, "N2"), line(codebook, "P7")
    return {
        "a line is missing": codebook.replace(one + "\n", ""),
        "two texts are swapped": codebook.replace(one[2:], "\0").replace(two[2:], one[2:]).replace("\0", two[2:]),
        "one letter is changed": codebook.replace(one, one[:-2] + "!" + one[-1]),
        "a text is empty": codebook.replace(one, "N2\t"),
        "an item has another name": codebook.replace(one, one.replace("N2", "N0")),
    }[damage]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_simulator_s_codebook_is_accepted(codebook: str, ends: str) -> None:
    texts = read_codebook(codebook.replace("\n", ends).encode("cp1252"), "codebook.txt")
    assert texts.content == SIMULATED
    assert list(texts.texts) == SD3_NAMES


@pytest.mark.parametrize(
    "damage",
    [
        "a line is missing",
        "two texts are swapped",
        "one letter is changed",
        "a text is empty",
        "an item has another name",
    ],
)
def test_any_other_codebook_is_refused_and_the_items_are_named(codebook: str, damage: str) -> None:
    error = refusal(damaged_codebook(codebook, damage).encode("cp1252"), read_codebook)
    named = ["N2", "P7"] if "swapped" in damage else ["N2"]
    assert [name for name in SD3_NAMES if any(f"item {name}," in str(place) for place in error.places)] == named


def test_a_codebook_with_two_texts_for_an_item_is_refused(codebook: str) -> None:
    one = line(codebook, "N2")
    refusal(codebook.replace(one, f"N2\tSomething else.\n{one}").encode("cp1252"), read_codebook)


@pytest.mark.parametrize("content", [b"", b"<html></html>"])
def test_what_is_no_codebook_is_refused(content: bytes) -> None:
    with pytest.raises(InputRejected):
        read_codebook(content, "codebook.txt")


def test_the_real_codebook_is_accepted_and_one_letter_is_not(real_data: Path) -> None:
    content = (real_data / "raw/sd3/codebook.txt").read_bytes()
    assert read_codebook(content, "codebook.txt").content == REAL
    one = line(content.decode("cp1252").replace("\r\n", "\n"), "M3").encode("cp1252").rstrip()
    refusal(content.replace(one, one[:-2] + b"!" + one[-1:]), read_codebook)


@pytest.mark.parametrize(("family", "n"), [("ipip", 300), ("sd3", 27)])
def test_no_wording_is_both_real_and_simulated_or_given_twice(family: str, n: int) -> None:
    known = known_texts(family)
    digests = [digest for texts in known.values() for digest in texts.values()]
    assert len(set(digests)) == len(digests) == 2 * n
