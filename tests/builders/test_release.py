"""A build: what goes in comes out, the same whatever the circumstances, and only whole."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from builders.options import BuildOptions
from builders.raw.ipip_dat import read_ipip_dat
from builders.release import build_release
from papi import load
from papi.errors import GateFailed, InputRejected, MissingFile, UsageError
from papi.files import sha256_of_file
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument
from papi.manifest import read_manifest


def data_hashes(release: Path) -> dict[str, str]:
    return {str(p.relative_to(release)): sha256_of_file(p) for p in sorted(release.rglob("*.parquet"))}


def shuffled_dat(path: Path) -> None:
    """The same records in another order, with the line ends they had."""
    content = path.read_bytes()
    records = content.split(b"\r\n")
    trailing = records[-1] == b""
    records = records[:-1] if trailing else records
    random.Random(3).shuffle(records)
    path.write_bytes(b"\r\n".join(records) + (b"\r\n" if trailing else b""))


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_everybody_is_in_exactly_one_split(release: Path, config: str) -> None:
    splits = load(release, config)
    ids = [set(frame["subject_id"]) for frame in splits.values()]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 400
    assert {name: len(frame) for name, frame in splits.items()} == {"dev": 324, "test": 40, "test_population": 36}


@pytest.mark.parametrize("config", [IPIP_300, IPIP_120])
def test_published_are_the_answers_to_the_statements(release: Path, simulated_raw: Path, config: str) -> None:
    of = instrument(config)
    name = "IPIP300.dat" if config == IPIP_300 else "IPIP120.dat"
    stored = read_ipip_dat((simulated_raw / name).read_bytes(), config, name).answers.astype(int)
    answered = np.where((of.keyed < 0) & (stored > 0), 6 - stored, stored)
    frames = load(release, config).values()
    published = np.concatenate([f[list(of.item_names)].astype("float").fillna(0).to_numpy() for f in frames]).astype(
        int
    )
    assert sorted(map(tuple, published)) == sorted(map(tuple, answered))
    assert sorted(map(tuple, published)) != sorted(map(tuple, stored))


def test_rows_of_a_split_are_ordered_by_subject_id(release: Path) -> None:
    ids = load(release, DARK_TRIAD, split="dev")["subject_id"].tolist()
    assert ids == sorted(ids)


def test_the_order_of_a_file_leaves_no_trace(release: Path, raw_copy: Path, tmp_path: Path) -> None:
    for name in ("IPIP300.dat", "IPIP120.dat"):
        shuffled_dat(raw_copy / name)
    build_release(raw_copy, tmp_path / "again", BuildOptions(figures=False))
    assert data_hashes(tmp_path / "again") == data_hashes(release)


def test_compressed_and_renamed_files_give_the_same_release(release: Path, raw_copy: Path, tmp_path: Path) -> None:
    (raw_copy / "deep").mkdir()
    dat = raw_copy / "IPIP300.dat"
    (raw_copy / "deep" / "johnson.bin.gz").write_bytes(gzip.compress(dat.read_bytes()))
    dat.unlink()
    with zipfile.ZipFile(raw_copy / "SD3.zip") as archive:
        archive.extractall(raw_copy / "unpacked")
    (raw_copy / "SD3.zip").unlink()
    build_release(raw_copy, tmp_path / "again", BuildOptions(figures=False))
    assert data_hashes(tmp_path / "again") == data_hashes(release)


def test_nothing_of_the_machine_is_in_the_manifest(release: Path, simulated_raw: Path) -> None:
    text = (release / "manifest.json").read_text() + (release / "README.md").read_text()
    assert str(release.parent) not in text
    assert str(simulated_raw.parent) not in text
    assert "date" not in json.loads((release / "manifest.json").read_text())


def test_the_manifest_has_the_hash_of_every_file(release: Path) -> None:
    listed = read_manifest(release)["files"]
    there = {p.relative_to(release).as_posix(): p for p in release.rglob("*") if p.is_file()}
    assert set(listed) == set(there) - {"manifest.json"}
    assert all(listed[name]["sha256"] == sha256_of_file(there[name]) for name in listed)


def test_simulated_people_are_called_so_everywhere(release: Path) -> None:
    assert read_manifest(release)["simulated"] is True
    readme = (release / "README.md").read_text()
    assert "simulated" in readme.split("---")[1]
    assert "These people are simulated" in readme


def test_clean_simulated_people_pass_every_gate(release: Path) -> None:
    assert {finding["verdict"] for finding in read_manifest(release)["gates"]} == {"passed", "not assessed"}


def test_one_instrument_needs_only_its_own_files(raw_copy: Path, tmp_path: Path) -> None:
    for name in ("IPIP300.dat", "IPIP120.dat", "IPIP-NEO-ItemKey.xls"):
        (raw_copy / name).unlink()
    with pytest.raises(MissingFile, match="item key"):
        build_release(raw_copy, tmp_path / "release", BuildOptions())
    manifest, _ = build_release(raw_copy, tmp_path / "release", BuildOptions(only=(DARK_TRIAD,), figures=False))
    assert list(manifest["configs"]) == [DARK_TRIAD]
    assert len(load(tmp_path / "release", "items", split="items")) == 27


def test_an_unpinned_file_is_recorded_or_refused(simulated_raw: Path, release: Path, tmp_path: Path) -> None:
    assert not any(record["pinned"] for record in read_manifest(release)["raw"])
    with pytest.raises(InputRejected, match="not a known file"):
        build_release(simulated_raw, tmp_path / "release", BuildOptions(require_pinned=True))


def test_an_allowed_gate_is_recorded(raw_copy: Path, tmp_path: Path) -> None:
    content = (raw_copy / "IPIP120.dat").read_bytes()
    (raw_copy / "IPIP120.dat").write_bytes(content + content[: 20 * 153])
    with pytest.raises(GateFailed, match="duplicates"):
        build_release(raw_copy, tmp_path / "release", BuildOptions())
    manifest, _ = build_release(
        raw_copy, tmp_path / "release", BuildOptions(allow_gates=("duplicates",), figures=False)
    )
    assert manifest["allowed_gates"] == ["duplicates"]
    assert manifest["configs"][IPIP_120]["people"] == 420
    assert load(tmp_path / "release", IPIP_120, split="dev")["subject_id"].is_unique


def test_options_that_mean_nothing_are_refused(simulated_raw: Path, tmp_path: Path) -> None:
    for options in (BuildOptions(only=("mmpi",)), BuildOptions(allow_gates=("pearly",)), BuildOptions(min_country=0)):
        with pytest.raises(UsageError):
            build_release(simulated_raw, tmp_path / "release", options)
    assert not (tmp_path / "release").exists()


def test_two_files_of_the_same_people_must_agree(raw_copy: Path, tmp_path: Path) -> None:
    content = bytearray((raw_copy / "IPIP300.dat").read_bytes())
    content[40] = ord("1") + (content[40] - ord("0")) % 5
    (raw_copy / "other_copy.txt").write_bytes(bytes(content))
    with pytest.raises(InputRejected, match=r"IPIP300.dat and other_copy.txt|other_copy.txt and IPIP300.dat"):
        build_release(raw_copy, tmp_path / "release", BuildOptions())


def test_under_thirty_people_there_are_no_splits(raw_copy: Path, tmp_path: Path) -> None:
    dat = raw_copy / "IPIP300.dat"
    dat.write_bytes(dat.read_bytes()[: 29 * 335])
    with pytest.raises(InputRejected, match="too few people"):
        build_release(raw_copy, tmp_path / "release", BuildOptions(only=(IPIP_300,)))
