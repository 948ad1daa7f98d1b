"""Writers of raw files in the byte conventions of the originals (FACTS §1), for simulated people."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builders.raw.ipip_dat import SPACE, ZERO, record_fields, record_length
from builders.raw.sd3_data import data_columns
from builders.simulate_demographics import Coded, IpipDemographics, facts_of
from papi.files import open_output, write_bytes
from papi.instruments import Instrument
from papi.scoring import Answers
from papi.tables import read_csv
from validation.raw_schemas import BLANK

BLOCK_ROWS = 20_000
LINE_END = b"\r\n"
TAB = ord("\t")
ARCHIVE_TIME = (2000, 1, 1, 0, 0, 0)  # fixed, or the same people would give other bytes
ARCHIVE_MODE = 0o100644 << 16
UNIX = 3
Bytes = NDArray[np.uint8]


def write_ipip_records(path: Path, of: Instrument, stored: Answers, people: IpipDemographics) -> None:
    """Write a `.dat` of an IPIP form: answers as stored, shape (n, items), demographics in the same order."""
    with open_output(path) as file:
        for start in range(0, len(stored), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            content = ipip_records(of, stored[rows], people, rows)
            is_last = start + BLOCK_ROWS >= len(stored)
            open_end = is_last and not facts_of(of.name)["ends_last_line"]
            file.write(content[: -len(LINE_END)] if open_end else content)


def ipip_records(of: Instrument, stored: Answers, people: IpipDemographics, rows: slice) -> bytes:
    """Some people's fixed-width records, each with its line end."""
    length, fields = record_length(of.name), record_fields(of.name)
    records = np.full((len(stored), length + len(LINE_END)), SPACE, dtype=np.uint8)
    for name, values in people.numbers.items():
        fill_numbers(records[:, fields[name]], values[rows])
    country = fields["country"]
    names = fixed_width(people.country.names, country.stop - country.start)
    records[:, country] = names[people.country.codes[rows]]
    np.add(stored, ZERO, out=records[:, fields["items"]], casting="unsafe")
    records[:, length:] = np.frombuffer(LINE_END, dtype=np.uint8)
    return records.tobytes()


def fill_numbers(block: Bytes, values: NDArray[np.int64]) -> None:
    """Write numbers right-justified into a block of blanks, shape (n, width); `BLANK` leaves it blank."""
    width = block.shape[1]
    for place in range(width):
        rest = values // 10**place
        shown = (values != BLANK) & ((rest > 0) | (place == 0))
        block[:, width - 1 - place] = np.where(shown, rest % 10 + ZERO, SPACE)


def fixed_width(names: tuple[str, ...], width: int) -> Bytes:
    """Names as bytes, left-justified and cut, shape (names, width)."""
    return np.frombuffer(b"".join(name.encode("ascii")[:width].ljust(width) for name in names), np.uint8).reshape(
        -1, width
    )


def write_sd3_archive(path: Path, responses: Answers, country: Coded, source: Coded) -> None:
    """Write `SD3.zip`: data.csv and codebook.txt; not compressed, since that depends on zlib's version."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name, content in (
            ("data.csv", sd3_data(responses, country, source)),
            ("codebook.txt", sd3_codebook()),
        ):
            member = zipfile.ZipInfo(f"SD3/{name}", date_time=ARCHIVE_TIME)
            member.create_system, member.external_attr = UNIX, ARCHIVE_MODE
            file.writestr(member, content)
    write_bytes(path, archive.getvalue())


def sd3_data(responses: Answers, country: Coded, source: Coded) -> bytes:
    """The table of the Dark Triad: TAB-separated, LF, answers as given."""
    cells = np.full((len(responses), 2 * responses.shape[1]), TAB, dtype=np.uint8)
    np.add(responses, ZERO, out=cells[:, ::2], casting="unsafe")
    ends = [[f"{name}\t{way}\n".encode() for way in source.names] for name in country.names]
    lines = [
        row.tobytes() + ends[place][way]
        for row, place, way in zip(cells, country.codes.tolist(), source.codes.tolist(), strict=True)
    ]
    return b"".join(["\t".join(data_columns()).encode() + b"\n", *lines])


def sd3_codebook() -> bytes:
    """The codebook of the simulated Dark Triad, cp1252."""
    facts = facts_of("codebook")
    items = [f"{row['item']}\t{row['statement']}\n" for row in read_csv("papi", "simulated_statements_sd3.csv")]
    return "".join([facts["intro"].lstrip(), "\n", *items, facts["outro"]]).encode("cp1252")
