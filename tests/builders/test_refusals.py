"""A wrong file is refused with the right exit code, and the old release stays byte for byte what it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders.options import BuildOptions
from builders.raw.ipip_dat import record_fields
from builders.release import build_release
from papi.errors import PapiError
from papi.files import sha256_of_file
from papi.instruments import IPIP_300, instrument

Records = np.ndarray
FIELDS = record_fields(IPIP_300)


def tree(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_of_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def records(path: Path) -> Records:
    return np.frombuffer(path.read_bytes() + b"\r\n", dtype=np.uint8).reshape(-1, 335).copy()


def rewritten(change: Callable[[Records], Records | None]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        matrix = records(path)
        changed = change(matrix)
        path.write_bytes((matrix if changed is None else changed).tobytes()[:-2])

    return damage


def reverse_again(matrix: Records) -> None:
    items = matrix[:, FIELDS["items"]]
    columns = instrument(IPIP_300).keyed < 0
    items[:, columns] = np.where(items[:, columns] > ord("0"), 2 * ord("3") - items[:, columns], ord("0"))


def shift(by: int) -> Callable[[Records], None]:
    def shifted(matrix: Records) -> None:
        matrix[:, FIELDS["items"]] = np.roll(matrix[:, FIELDS["items"]], by, axis=1)

    return shifted


def one_based_months(matrix: Records) -> None:
    matrix[:, FIELDS["month"]] = np.frombuffer(b"12", dtype=np.uint8)


DAMAGES: dict[str, tuple[int, str, Callable[[Path], None]]] = {
    "one byte too many": (
        3,
        "wrong length",
        lambda p: p.write_bytes(replaced(p, 1000, b"33")),
    ),
    "truncated": (3, "wrong length", lambda p: p.write_bytes(p.read_bytes()[:-70])),
    "the other form": (3, "as in ipip-neo-120", lambda p: shutil.copy(p.with_name("IPIP120.dat"), p)),
    "a letter among the answers": (3, "line 3, byte 770", lambda p: p.write_bytes(replaced(p, 770, b"x"))),
    "a web page": (3, "web page", lambda p: p.write_bytes(b"<!DOCTYPE html><html>not found</html>")),
    "empty": (3, "is empty", lambda p: p.write_bytes(b"")),
    "a gzip file": (3, "gzip", lambda p: p.write_bytes(b"\x1f\x8b\x08\x00" + bytes(100))),
    "gone": (3, "lack the answers", lambda p: p.unlink()),
    "reversed again": (4, "keying", rewritten(reverse_again)),
    "columns shifted by one": (4, "fingerprint", rewritten(shift(1))),
    "columns shifted by thirty": (4, "fingerprint", rewritten(shift(30))),
    "people twice": (4, "duplicates", rewritten(lambda m: np.concatenate([m, m]))),
    "months from 1": (4, "impossible-values", rewritten(one_based_months)),
}


def replaced(path: Path, at: int, byte: bytes) -> bytes:
    content = path.read_bytes()
    return content[:at] + byte + content[at + 1 :]


@pytest.mark.parametrize("name", DAMAGES)
def test_is_refused_and_leaves_the_old_release_alone(name: str, raw_copy: Path, release: Path, tmp_path: Path) -> None:
    code, words, damage = DAMAGES[name]
    old = Path(shutil.copytree(release, tmp_path / "out" / "release"))
    before = tree(old.parent)
    damage(raw_copy / "IPIP300.dat")
    with pytest.raises(PapiError) as caught:
        build_release(raw_copy, old, BuildOptions())
    assert caught.value.exit_code == code
    assert words in str(caught.value)
    assert tree(old.parent) == before


def test_the_same_raw_files_undamaged_replace_it(raw_copy: Path, release: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(release, tmp_path / "out" / "release"))
    build_release(raw_copy, old, BuildOptions(version="1.2.3", figures=False))
    assert tree(old)["manifest.json"] != tree(release)["manifest.json"]
    assert sorted(p.name for p in old.parent.iterdir()) == ["release", "release.report.json"]
