"""Which raw files a folder holds: by name where the name is known, else by content; the rest is listed and ignored."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xlrd

from builders.raw.ipip_csv import INDEX_NAMES, csv_columns
from builders.raw.ipip_dat import record_length
from builders.raw.item_key import HEADER, ITEM_LINE
from builders.raw.sd3_data import data_columns
from builders.raw.signatures import GZIP, OLE, UTF8_BOM, ZIP
from builders.sources import sources
from papi.errors import InputRejected, MissingFile
from papi.files import read_bytes, read_head, sha256_of, translated
from papi.instruments import IPIP_120, IPIP_300
from papi.tables import read_csv

HEAD_BYTES = 64 << 10
GZ = ".gz"
BROKEN_ARCHIVE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class RawFile:
    """One recognised raw file: `kind` says what it holds, `member` is its name inside a zip archive."""

    path: Path
    label: str
    kind: str
    member: str | None = None

    @property
    def name(self) -> str:
        """Its name without folders, `ARCHIVE:MEMBER` inside an archive; what the manifest records."""
        return self.path.name if self.member is None else f"{self.path.name}:{self.member}"

    def content(self) -> bytes:
        """Its bytes, unpacked. `InputRejected` where an archive is damaged."""
        packed = read_bytes(self.path)
        try:
            if self.member is not None:
                return zipfile.ZipFile(io.BytesIO(packed)).read(self.member)
            return gzip.decompress(packed) if self.path.name.lower().endswith(GZ) else packed
        except BROKEN_ARCHIVE as error:
            advice = "fetch it again (papi fetch)"
            raise InputRejected(
                f"{self.label} cannot be unpacked", where=self.label, got=str(error), next_step=advice
            ) from error


@dataclass(frozen=True)
class RawFolder:
    """The recognised files of a folder in the order of their paths, and the names of the others."""

    files: tuple[RawFile, ...]
    ignored: tuple[str, ...]

    def of_kind(self, *kinds: str) -> list[RawFile]:
        """The files of some kinds, in the order of the kinds."""
        return [file for kind in kinds for file in self.files if file.kind == kind]


def find_raw_files(*folders: Path) -> RawFolder:
    """Search folders recursively. `MissingFile` where one is not there, `InputRejected` where it is no folder."""
    files: list[RawFile] = []
    ignored: list[str] = []
    for folder in folders:
        for path in _paths(folder):
            label = path.relative_to(folder).as_posix()
            found = list(recognised(path, label))
            files.extend(found)
            if not found:
                ignored.append(label)
    return RawFolder(tuple(dict.fromkeys(files)), tuple(ignored))


def is_pinned(content: bytes) -> bool:
    """Whether a content is one that is known by its hash, as a file of its own or inside an archive."""
    return origin_of(sha256_of(content)) is not None


def origin_of(digest: str) -> str | None:
    """Where the file with a known hash comes from, or the archive that holds it; None for an unknown one."""
    known = (s.url for s in sources() if digest in s.sha256 or digest in s.members.values())
    return next(known, None)


def _paths(folder: Path) -> list[Path]:
    if not folder.exists():
        advice = "name a folder with raw files; papi fetch downloads them, papi simulate makes artificial ones"
        raise MissingFile(f"{folder} is not there", where=str(folder), next_step=advice)
    if not folder.is_dir():
        raise InputRejected(f"{folder} is no folder", where=str(folder), expected="a folder with raw files")
    with translated(folder, "search"):
        walked = [Path(parent, name) for parent, _, names in os.walk(folder, onerror=_raise) for name in names]
        return sorted(path for path in walked if path.is_file() and not path.name.startswith("."))


def _raise(error: OSError) -> None:
    """A folder that cannot be read is no empty one."""
    raise error


def recognised(path: Path, label: str) -> Iterator[RawFile]:
    """What a file is: nothing, one raw file, or the members of an archive."""
    kind = _known_name(path.name) or _kind_by_content(path, label)
    if kind == "dark-triad-zip":
        yield from _members(path, label)
    elif kind:
        yield RawFile(path, label, kind)


def _known_name(name: str) -> str | None:
    plain = name.lower().removesuffix(GZ)
    return next((row["kind"] for row in read_csv("builders", "raw_names.csv") if row["name"] == plain), None)


def _members(path: Path, label: str) -> list[RawFile]:
    """The data and the codebook inside an archive that should hold them."""
    try:
        names = zipfile.ZipFile(path).namelist()
    except BROKEN_ARCHIVE as error:
        expected, advice = "a zip archive with data.csv and codebook.txt", "fetch it again (papi fetch)"
        raise InputRejected(
            f"{label} is no readable zip archive", where=label, expected=expected, got=str(error), next_step=advice
        ) from error
    kinds = {name: _known_name(name.rsplit("/", 1)[-1]) for name in names}
    inside = ("dark-triad-data", "codebook")
    if not set(inside) & set(kinds.values()):
        expected = "data.csv and codebook.txt"
        raise InputRejected(f"{label} lacks its files", where=label, expected=expected, got=", ".join(names))
    return [RawFile(path, f"{label}:{name}", str(kind), name) for name, kind in kinds.items() if kind in inside]


def _kind_by_content(path: Path, label: str) -> str | None:
    head = read_head(path, HEAD_BYTES)
    if head.startswith(ZIP):
        return "dark-triad-zip" if _holds_dark_triad(path) else None
    if head.startswith(OLE):
        return "item-key" if _is_item_key(path) else None
    if head.startswith(GZIP) and path.name.lower().endswith(GZ):
        head = _unpacked_head(path)
    return _kind_of_text(head.removeprefix(UTF8_BOM))


def _holds_dark_triad(path: Path) -> bool:
    try:
        return any(name.rsplit("/", 1)[-1].lower() == "data.csv" for name in zipfile.ZipFile(path).namelist())
    except BROKEN_ARCHIVE:
        return False


def _is_item_key(path: Path) -> bool:
    try:
        return tuple(xlrd.open_workbook(path, logfile=io.StringIO()).sheet_by_index(0).row_values(0)) == HEADER
    except Exception:  # xlrd raises whatever a damaged workbook makes it stumble over
        return False


def _unpacked_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(HEAD_BYTES)
    except BROKEN_ARCHIVE:
        return b""


def _kind_of_text(head: bytes) -> str | None:
    line = head.split(b"\n", 1)[0].rstrip(b"\r")
    for form in (IPIP_300, IPIP_120):
        if len(line) == record_length(form) and line[-100:].isdigit():
            return f"{form}-dat"
        names = tuple(name.strip(b'" ').decode("latin-1").lower() for name in line.split(b","))
        if csv_columns(form) in (names, names[1:] if names[0] in INDEX_NAMES else names):
            return f"{form}-csv"
    if line.split(b"\t") == [name.encode() for name in data_columns()]:
        return "dark-triad-data"
    if len(ITEM_LINE.findall(head.decode("latin-1").replace("\r\n", "\n"))) == len(data_columns()) - 2:
        return "codebook"
    return _kind_of_json(head)


def _kind_of_json(head: bytes) -> str | None:
    start = b"".join(head[:2000].split())
    if start.startswith(b'[{"case":'):
        return "published-ipip"
    return "published-dark-triad" if start.startswith(b'[{"M1":') else None
