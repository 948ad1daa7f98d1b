"""Plain writers of small raw files, by the columns that the documentation of the originals gives.

Slow and obvious on purpose, and independent of `builders`: a test that reads what these write compares two accounts
of the same format. A person is a dictionary of the ten fields before the items and `answers`.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Sequence
from typing import Any

import xlwt
from hypothesis import strategies as st

LONG, SHORT = "ipip-neo-300", "ipip-neo-120"
FORMS = (LONG, SHORT)
ITEMS = {LONG: 300, SHORT: 120}
COLUMNS = {  # counted from 1, both ends included
    "case": (1, 6),
    "sex": (7, 7),
    "age": (8, 9),
    "sec": (10, 11),
    "min": (12, 13),
    "hour": (14, 15),
    "day": (16, 17),
    "month": (18, 19),
    "year": (20, 22),
}
COUNTRY = {LONG: (23, 33), SHORT: (23, 31)}
FIRST_ITEM = {LONG: 34, SHORT: 32}
LENGTH = {LONG: 333, SHORT: 151}
CONVENTIONS = {
    "CRLF": ("\r\n", True),
    "CRLF but the last": ("\r\n", False),
    "LF": ("\n", True),
    "LF open": ("\n", False),
}
SD3_NAMES = [f"{scale}{i}" for scale in "MNP" for i in range(1, 10)]
Person = dict[str, Any]


def person(form: str, number: int = 1, **changes: Any) -> Person:
    """Somebody with every demographic known; `changes` replaces fields."""
    answers = [(number + 7 * j) % 5 + 1 for j in range(ITEMS[form])]
    known = {"sex": 2, "age": 34, "sec": 5, "min": 59, "hour": 23, "day": 28, "month": 10, "year": 103}
    return {"case": number, **known, "country": "Netherlands", "answers": answers} | changes


def some_people(form: str, n: int = 3, **changes: Any) -> list[Person]:
    return [person(form, number, **changes) for number in range(1, n + 1)]


def dat_record(form: str, somebody: Person) -> str:
    record = [" "] * LENGTH[form]
    for name, (first, last) in COLUMNS.items():
        if somebody[name] is not None:
            record[first - 1 : last] = str(somebody[name]).rjust(last - first + 1)
    first, last = COUNTRY[form]
    width = last - first + 1
    record[first - 1 : last] = somebody["country"][:width].ljust(width)
    for j, answer in enumerate(somebody["answers"]):
        record[FIRST_ITEM[form] - 1 + j] = str(answer)
    assert len(record) == LENGTH[form]
    return "".join(record)


def dat(form: str, people: Iterable[Person], end: str = "\r\n", last: bool = True) -> bytes:
    """A `.dat`; `last` is whether a line end stands after the last record too."""
    return (end.join(dat_record(form, somebody) for somebody in people) + (end if last else "")).encode("latin-1")


def csv_header(form: str) -> list[str]:
    day = "date" if form == LONG else "day"
    fields = [day if name == "day" else name for name in COLUMNS]
    return [*fields, "country", *(f"i{i}" for i in range(1, ITEMS[form] + 1))]


def csv(
    form: str,
    people: Iterable[Person],
    end: str = "\n",
    bom: bool = False,
    index: bool = False,
    capitals: bool = False,
    floats: bool = False,
) -> bytes:
    """A PAPI CSV, with the liberties that copies of it take."""
    header = [name.upper() if capitals else name for name in csv_header(form)]
    rows = [",".join([""] * index + header)]
    for i, somebody in enumerate(people):
        numbers = [somebody[name] for name in COLUMNS]
        cells = [_cell(value, floats) for value in (*numbers, somebody["country"], *somebody["answers"])]
        rows.append(",".join([str(i)] * index + cells))
    return ("\ufeff" * bom + end.join(rows) + end).encode()


def _cell(value: object, floats: bool) -> str:
    if value is None:
        return ""
    return f"{value}.0" if floats and isinstance(value, int) else str(value)


def sd3(rows: Iterable[tuple[Sequence[int], str, object]], end: str = "\n") -> bytes:
    """data.csv of (27 answers, country, source)."""
    lines = [[*SD3_NAMES, "country", "source"], *([*answers, country, source] for answers, country, source in rows)]
    return "".join("\t".join(map(str, line)) + end for line in lines).encode()


def xls(rows: Iterable[Sequence[object]]) -> bytes:
    """An .xls workbook with one sheet; no cell where a value is empty."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("key")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value != "":
                sheet.write(i, j, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def people(form: str, min_size: int = 1, max_size: int = 5) -> st.SearchStrategy[list[Person]]:
    """People with possible or absent demographics and random answers, missing ones among them."""
    ranges = {"sex": (1, 2), "age": (10, 98), "sec": (0, 59), "min": (0, 59), "hour": (0, 23)}
    dates = {"day": (1, 28), "month": (0, 11), "year": (98, 118)}
    optional = {name: st.none() | st.integers(*limits) for name, limits in (ranges | dates).items()}
    countries = st.sampled_from(["", "UK", "USA", "Netherlands", "Antigua and Barbuda", "Atlantis"])
    cases = st.integers(0, 999_999)
    answers = st.integers(0, 2**32).map(lambda seed: random.Random(seed).choices(range(6), k=ITEMS[form]))
    one = st.fixed_dictionaries({"case": cases, **optional, "country": countries, "answers": answers})
    return st.lists(one, min_size=min_size, max_size=max_size)
