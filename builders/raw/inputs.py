"""The raw files of a build, read and checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from builders.raw.files import RawFile, RawFolder, origin_of
from builders.raw.ipip_csv import read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.item_key import ItemTexts, read_codebook, read_item_key
from builders.raw.published import PublishedList, read_published
from builders.raw.sd3_data import read_sd3_data
from builders.raw.table import RawTable
from papi.errors import InputRejected, MissingFile
from papi.files import sha256_of
from papi.instruments import Instrument

ANSWER_KINDS = {
    "ipip-neo-300": ("ipip-neo-300-dat", "ipip-neo-300-csv"),
    "ipip-neo-120": ("ipip-neo-120-dat", "ipip-neo-120-csv"),
    "dark-triad": ("dark-triad-data",),
}
TEXT_KINDS = {"ipip": "item-key", "sd3": "codebook"}
PUBLISHED_KINDS = {"ipip-neo-300": "published-ipip", "dark-triad": "published-dark-triad"}


@dataclass(frozen=True)
class RawRecord:
    """What the manifest says of one raw file; `use` is source, duplicate, wordings or published list.

    `origin` is the address that a file of known hash (`pinned`) comes from.
    """

    name: str
    kind: str
    use: str
    sha256: str
    bytes: int
    pinned: bool
    origin: str | None


@dataclass
class RawInputs:
    """Reads the files of a folder once each and keeps a record of every one that was used."""

    folder: RawFolder
    require_pinned: bool = False
    records: list[RawRecord] = field(default_factory=list)

    def described(self) -> list[dict[str, Any]]:
        """The records as plain values, in an order that does not depend on the folder's."""
        return sorted((asdict(record) for record in self.records), key=lambda r: (r["kind"], r["name"], r["use"]))

    def answers(self, of: Instrument) -> tuple[RawTable, bool]:
        """The people of an instrument and whether their file is pinned. Other files of the same people must agree."""
        files = sorted(self.folder.of_kind(*ANSWER_KINDS[of.name]), key=_source_first)
        if not files:
            raise self._nothing(f"the answers of {of.name}")
        pinned, content = self._read(files[0], "source")
        table = read_answers(content, of, files[0])
        for other in files[1:]:
            _, content = self._read(other, "duplicate")
            if not table.same_answers(read_answers(content, of, other)):
                raise _disagree(files[0], other, "answers")
        return table, pinned

    def texts(self, family: str) -> ItemTexts:
        """The wordings of a family, from the item key or the codebook."""
        return self._same(TEXT_KINDS[family], "wordings", read_item_key if family == "ipip" else read_codebook)

    def published(self, of: Instrument) -> PublishedList | None:
        """The published test list of an instrument, None where there is none. Several must be the same."""
        files = self.folder.of_kind(PUBLISHED_KINDS.get(of.name, ""))
        if not files:
            return None
        first, *others = [self._read(file, "published list")[1] for file in files]
        for file, other in zip(files[1:], others, strict=True):
            if other != first:
                raise _disagree(files[0], file, "list")
        return read_published(first, of.name, files[0].label)

    def _same(self, kind: str, use: str, read: Any) -> ItemTexts:
        files = self.folder.of_kind(kind)
        if not files:
            raise self._nothing("the item key (IPIP-NEO-ItemKey.xls)" if kind == "item-key" else "codebook.txt")
        first, *others = [read(self._read(file, use)[1], file.label) for file in files]
        for file, other in zip(files[1:], others, strict=True):
            if other != first:
                raise _disagree(files[0], file, "wordings")
        return first  # type: ignore[no-any-return]

    def _read(self, file: RawFile, use: str) -> tuple[bool, bytes]:
        content = file.content()
        digest = sha256_of(content)
        origin = origin_of(digest)
        pinned = origin is not None
        needs_pin = use != "duplicate" and file.kind != "codebook"  # no hash is known of a codebook
        if self.require_pinned and needs_pin and not pinned:
            got = f"sha256 {digest}"
            advice = "fetch the known file (papi fetch), or build without --require-pinned"
            raise InputRejected(f"{file.label} is not a known file", where=file.label, got=got, next_step=advice)
        self.records.append(RawRecord(file.name, file.kind, use, digest, len(content), pinned, origin))
        return pinned, content

    def _nothing(self, what: str) -> MissingFile:
        found = ", ".join(file.label for file in self.folder.files) or "nothing known"
        ignored = f"; ignored: {', '.join(self.folder.ignored[:10])}" if self.folder.ignored else ""
        advice = "add the file (papi fetch downloads it), or say with --only which instruments to build"
        return MissingFile(f"the raw files lack {what}", got=found + ignored, next_step=advice)


def instruments_found(folder: RawFolder) -> Iterator[str]:
    """The instruments whose answers are in a folder."""
    return (name for name, kinds in ANSWER_KINDS.items() if folder.of_kind(*kinds))


def _source_first(file: RawFile) -> tuple[bool, bool, str]:
    """The `.dat` and the zip are the source, other copies are checked against them."""
    return file.kind.endswith("-csv"), file.kind == "dark-triad-data" and file.member is None, file.label


def read_answers(content: bytes, of: Instrument, file: RawFile) -> RawTable:
    """The people of a file of answers. Raises `InputRejected`."""
    if not of.is_ipip:
        return read_sd3_data(content, file.label)
    reader = read_ipip_csv if file.kind.endswith("-csv") else read_ipip_dat
    return reader(content, of.name, file.label)


def _disagree(first: RawFile, other: RawFile, what: str) -> InputRejected:
    return InputRejected(
        f"{first.label} and {other.label} do not hold the same {what}",
        where=f"{first.label}, {other.label}",
        next_step="remove the one that is wrong; papi fetch brings the originals",
    )
