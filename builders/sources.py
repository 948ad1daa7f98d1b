"""The raw files: where each comes from and which contents are right, from `builders/tables/sources.toml`."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from papi.errors import Place, UsageError
from papi.files import BLOCK, read_bytes, sha256_of_file, translated
from papi.instruments import INSTRUMENTS
from papi.tables import read_toml

# What zipfile raises for a damaged archive; RuntimeError is its word for encrypted and for exotic ones.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Source:
    """One raw file.

    `only` names the instruments that need it; `bytes` is the size of the download, None where it is not
    known. Either `sha256` lists every content that is accepted, or, for an archive, `members` has the hash
    of each file inside: an archive may be packed anew without its data changing.
    """

    name: str
    kind: str
    only: tuple[str, ...]
    url: str
    bytes: int | None = None
    sha256: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@cache
def sources() -> tuple[Source, ...]:
    """Every raw file, in the order of the table. `ValueError` where the table itself is wrong."""
    table = tuple(_source(row) for row in read_toml("builders", "sources.toml")["source"])
    if problems := list(table_problems(table)):
        raise ValueError(f"builders/tables/sources.toml: {'; '.join(problems)}")
    return table


def wanted(only: Sequence[str], table: Sequence[Source]) -> tuple[Source, ...]:
    """The sources that the instruments of `only` need (all, if empty); `UsageError` for another word."""
    for name in only:
        if name not in INSTRUMENTS:
            raise UsageError(f"no instrument is called {name!r}", expected=", ".join(INSTRUMENTS), got=name)
    return tuple(source for source in table if not only or set(only) & set(source.only))


def content_problem(source: Source, path: Path) -> Place | None:
    """How the file at `path` differs from what `source` must be; None where it is right."""
    with translated(path, "read"):
        size = path.stat().st_size
    if source.bytes is not None and size != source.bytes:
        return Place(source.name, f"{source.bytes:,} bytes", f"{size:,} bytes")
    return _member_problem(source, path) if source.members else _hash_problem(source, path)


def _hash_problem(source: Source, path: Path) -> Place | None:
    got = sha256_of_file(path)
    return None if got in source.sha256 else Place(source.name, f"sha256 {' or '.join(source.sha256)}", f"sha256 {got}")


def _member_problem(source: Source, path: Path) -> Place | None:
    """Archives are compared by what they hold; one that cannot be read is as wrong as one with other data."""
    for member, expected in source.members.items():
        try:
            got = f"sha256 {_sha256_of_member(path, member)}"
        except BROKEN_ZIP as error:
            return Place(source.name, f"a zip archive with {member}", str(error) or type(error).__name__)
        except KeyError:
            return Place(source.name, f"a zip archive with {member}", "an archive without it")
        if got != f"sha256 {expected}":
            return Place(f"{source.name}, member {member}", f"sha256 {expected}", got)
    return None


def _sha256_of_member(path: Path, member: str) -> str:
    digest = hashlib.sha256()
    packed = io.BytesIO(read_bytes(path))  # so that an OSError is the disk's and never a damaged archive's
    with zipfile.ZipFile(packed) as archive, archive.open(member) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _source(row: Mapping[str, Any]) -> Source:
    lists = {"only": tuple(row["only"]), "sha256": tuple(row.get("sha256", ()))}
    return Source(**{**row, **lists, "members": MappingProxyType(dict(row.get("members", {})))})


def table_problems(table: Sequence[Source]) -> Iterable[str]:
    """What is wrong with a table of sources: each line names the source and the fault."""
    names = [source.name for source in table]
    yield from (f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1}))
    for source in table:
        hashes = (*source.sha256, *source.members.values())
        yield from (f"{source.name}: {h!r} is no sha256" for h in hashes if not re.fullmatch("[0-9a-f]{64}", h))
        if bool(source.sha256) == bool(source.members):
            yield f"{source.name}: needs either sha256 or members"
        if not source.only or not set(source.only) <= set(INSTRUMENTS):
            yield f"{source.name}: only must name instruments"
        if not source.url.startswith("https://"):
            yield f"{source.name}: the URL must be https"
