"""The wordings of the items: Johnson's item key (.xls) for both IPIP forms, the codebook for the Dark Triad.

Two contents are accepted of each: the real one (known by digests of its texts, `papi/tables/*_items.csv`) and the
simulator's. Structure (numbers, signs, facets) must be that of `papi.instruments`; any other content is refused, naming
the items that differ.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import xlrd

from builders.raw.signatures import OLE, refuse_foreign
from papi.errors import SHOWN_PLACES, ItemKeyRejected, Place
from papi.instruments import DARK_TRIAD, instrument
from papi.tables import read_csv
from validation.item_key_schema import KEY_COLUMNS, expected_key, key_breaches
from validation.reference import REAL, SIMULATED

HEADER = ("Full#", "Short#", "Sign", "Key", "Facet", "Item")
ITEM_LINE = re.compile(r"^([MNP][1-9])\t(.*)$", re.MULTILINE)
DIGEST_DIGITS = 12


@dataclass(frozen=True)
class ItemTexts:
    """The wordings of one family (`ipip` by Full#, `sd3` by item name) and whose they are: real or simulated."""

    family: str
    content: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class KeyRow:
    """A row of the item key as text; `line` is its line in the sheet."""

    line: int
    cells: tuple[str, ...]


def read_item_key(content: bytes, file: str) -> ItemTexts:
    """Read and check the `.xls` key of the IPIP forms."""
    rows = _sheet_rows(content, file)
    by_number = {row.cells[0]: row for row in rows}
    problems = [*_doubled(rows, file), *_structure_problems(by_number, file)]
    if problems:
        raise _rejected(file, problems)
    texts = {number: row.cells[5] for number, row in by_number.items()}
    lines = {number: row.line for number, row in by_number.items()}
    return ItemTexts("ipip", _whose("ipip", texts, file, lines), texts)


def read_codebook(content: bytes, file: str) -> ItemTexts:
    """Read and check the Dark Triad's codebook (cp1252)."""
    refuse_foreign(content, file, "the codebook of the Short Dark Triad")
    text = content.decode("cp1252", errors="replace").replace("\r\n", "\n")
    found = [(match[1], match[2].strip(), text.count("\n", 0, match.start()) + 1) for match in ITEM_LINE.finditer(text)]
    names = [name for name, _, _ in found]
    counts = [(name, names.count(name)) for name in instrument(DARK_TRIAD).item_names]
    problems = [Place(file, f"one line for item {name}", str(count)) for name, count in counts if count != 1]
    if problems:
        raise _rejected(file, problems)
    texts, lines = {name: words for name, words, _ in found}, {name: line for name, _, line in found}
    return ItemTexts("sd3", _whose("sd3", texts, file, lines), texts)


def known_texts(family: str) -> dict[str, dict[str, str]]:
    """Digests of every accepted wording: `{"real": {item: digest}, "simulated": {item: digest}}`."""
    if family == "ipip":
        real = {row["number"]: row["real_text"] for row in read_csv("papi", "ipip_items.csv")}
        simulated = {row["number"]: row["statement"] for row in read_csv("papi", "simulated_statements_ipip.csv")}
    else:
        real = {row["item"]: row["real_text"] for row in read_csv("papi", "sd3_items.csv")}
        simulated = {row["item"]: row["statement"] for row in read_csv("papi", "simulated_statements_sd3.csv")}
    return {REAL: real, SIMULATED: {item: text_digest(text) for item, text in simulated.items()}}


def text_digest(text: str) -> str:
    """The first digits of a wording's SHA-256, enough to tell wordings apart without holding them."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def _sheet_rows(content: bytes, file: str) -> list[KeyRow]:
    if not content.startswith(OLE):
        refuse_foreign(content, file, "an .xls workbook")
    try:
        sheet = xlrd.open_workbook(file_contents=content, logfile=io.StringIO()).sheet_by_index(0)
        rows = [tuple(_cell(value) for value in sheet.row_values(i)) for i in range(sheet.nrows)]
    except Exception as error:  # xlrd raises whatever a damaged workbook makes it stumble over
        raise ItemKeyRejected(
            f"{file} is no readable .xls workbook", where=file, got=str(error), next_step="fetch it again (papi fetch)"
        ) from error
    if not rows or rows[0] != HEADER:
        raise _rejected(file, [Place(file, ", ".join(HEADER), ", ".join(rows[0] if rows else ()), line=1)])
    return [KeyRow(line, cells) for line, cells in enumerate(rows[1:], start=2)]


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _doubled(rows: list[KeyRow], file: str) -> list[Place]:
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        if row.cells[0] in first:
            got = f"{row.cells[0]} again (first in line {first[row.cells[0]]})"
            problems.append(Place(file, "each Full# once", got, line=row.line, column="Full#"))
        first.setdefault(row.cells[0], row.line)
    return problems


def _structure_problems(by_number: Mapping[str, KeyRow], file: str) -> list[Place]:
    """Where numbers, signs and facets are not those of the instruments."""
    expected = expected_key()
    known = [number for number in by_number if number in expected.index]
    unknown = [
        Place(file, "Full# 1-300", repr(number), line=row.line, column="Full#")
        for number, row in by_number.items()
        if number not in expected.index
    ]
    missing = [Place(file, f"item {number}", "no row") for number in expected.index if number not in by_number]
    key = pd.DataFrame([by_number[n].cells[1:5] for n in known], index=known, columns=list(KEY_COLUMNS), dtype=str)
    differing = [
        Place(
            file,
            f"{expected.at[number, name]!r} for item {number}",
            repr(key.at[number, name]),
            line=by_number[number].line,
            column=name,
        )
        for number, name in key_breaches(key)
    ]
    return unknown + missing + differing


def _whose(family: str, texts: Mapping[str, str], file: str, lines: Mapping[str, int]) -> str:
    """Real or simulated; refuses a mixture or changed wordings, naming the items against the nearer of the two."""
    differing = {
        name: [item for item, digest in digests.items() if text_digest(texts[item]) != digest]
        for name, digests in known_texts(family).items()
    }
    nearest = min(differing, key=lambda name: len(differing[name]))
    if differing[nearest]:
        places = [
            Place(file, f"the {nearest} wording of item {item}", repr(texts[item]), line=lines[item])
            for item in differing[nearest]
        ]
        raise _rejected(file, places)
    return nearest


def _rejected(file: str, places: list[Place]) -> ItemKeyRejected:
    return ItemKeyRejected(
        f"{file} is neither the real item key nor the simulator's",
        places=places[:SHOWN_PLACES],
        total=len(places),
        where=file,
        next_step="fetch the key again (papi fetch), or simulate (papi simulate)",
    )
