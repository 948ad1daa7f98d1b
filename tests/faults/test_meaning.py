"""Files that can be read and mean something else: a gate stops the build, by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fault_table import FaultTable
from numpy.typing import NDArray
from outcomes import FORM_FILES, assert_build_refused, papi

from builders.raw.ipip_dat import record_fields, record_length
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300, Instrument, instrument
from papi.manifest import read_manifest
from papi.scoring import Answers, turned

Damage = Callable[[Answers, Instrument], Answers]
Matrix = NDArray[np.uint8]


def reversed_again(answers: Answers, of: Instrument) -> Answers:
    return turned(answers, of.keyed < 0)


def half_reversed_again(answers: Answers, of: Instrument) -> Answers:
    return np.where(np.arange(len(answers))[:, None] % 2, reversed_again(answers, of), answers)


def shifted(by: int) -> Damage:
    return lambda answers, of: np.roll(answers, by, axis=1)


def in_the_order_of_names(answers: Answers, of: Instrument) -> Answers:
    return answers[:, np.argsort(of.item_names)]


def with_domains_swapped(answers: Answers, of: Instrument) -> Answers:
    result, (one, other) = answers.copy(), (domain.positions for domain in of.domains[:2])
    result[:, one], result[:, other] = answers[:, other], answers[:, one]
    return result


MEANINGS: dict[str, tuple[Damage, str]] = {
    "reversed again": (reversed_again, "keying"),
    "columns shifted by +1": (shifted(1), "fingerprint"),
    "columns shifted by −1": (shifted(-1), "fingerprint"),
    "columns shifted by 30": (shifted(30), "fingerprint"),
    "order i1, i10, i100": (in_the_order_of_names, "fingerprint"),
    "domains swapped": (with_domains_swapped, "fingerprint"),
    "half the rows of the other convention": (half_reversed_again, "row-keying"),
}


def records_of(path: Path, form: str) -> Matrix:
    """The records of a `.dat` with CRLF, (people, record length)."""
    content = path.read_bytes().removesuffix(b"\r\n") + b"\r\n"
    return np.frombuffer(content, np.uint8).reshape(-1, record_length(form) + 2)[:, :-2].copy()


def write_records(path: Path, records: Matrix) -> None:
    path.write_bytes(b"".join(record.tobytes() + b"\r\n" for record in records))


@pytest.mark.parametrize("form", FORM_FILES)
@pytest.mark.parametrize("kind", MEANINGS)
def test_an_ipip_file_with_another_meaning_fails_its_gate(
    raw: Path, form: str, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, gate = MEANINGS[kind]
    records, items = records_of(raw / FORM_FILES[form], form), record_fields(form)["items"]
    answers = (records[:, items] - ord("0")).astype(np.int8)
    records[:, items] = damage(answers, instrument(form)).astype(np.uint8) + ord("0")
    write_records(raw / FORM_FILES[form], records)
    with faults.case("meaning: reversed, shifted, reordered, swapped, mixed"):
        assert_build_refused(raw, 4, gate, capsys, "--only", form)


@pytest.mark.parametrize(
    "kind", ["reversed again", "columns shifted by +1", "columns shifted by −1", "domains swapped"]
)
def test_a_dark_triad_with_another_meaning_fails_a_gate(
    raw: Path, kind: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = zipfile.ZipFile(io.BytesIO((raw / "SD3.zip").read_bytes()))
    head, *lines = archive.read("SD3/data.csv").decode().splitlines()
    cells = np.array([line.split("\t") for line in lines])
    answers = MEANINGS[kind][0](cells[:, :27].astype(np.int8), instrument(DARK_TRIAD))
    cells[:, :27] = answers.astype(str)
    (raw / "data.csv").write_text("\n".join([head, *("\t".join(row) for row in cells.tolist())]) + "\n")
    (raw / "codebook.txt").write_bytes(archive.read("SD3/codebook.txt"))
    (raw / "SD3.zip").unlink()
    with faults.case("meaning: reversed, shifted, reordered, swapped, mixed"):
        assert_build_refused(raw, 4, "gate", capsys, "--only", DARK_TRIAD)


@pytest.mark.parametrize("form", FORM_FILES)
def test_a_file_appended_to_itself(
    raw: Path, form: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    path = raw / FORM_FILES[form]
    write_records(path, np.concatenate([records_of(path, form)] * 2))
    with faults.case("meaning: a file appended to itself, a case twice"):
        assert_build_refused(raw, 4, "duplicates", capsys, "--only", form)


@pytest.mark.parametrize("form", FORM_FILES)
def test_one_case_number_twice(raw: Path, form: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]) -> None:
    path = raw / FORM_FILES[form]
    records = records_of(path, form)
    records[7, record_fields(form)["case"]] = records[3, record_fields(form)["case"]]
    write_records(path, records)
    with faults.case("meaning: a file appended to itself, a case twice"):
        assert_build_refused(raw, 4, "duplicates", capsys, "--only", form)


# impossible fields

WRONG = {"sex": b"7", "age": b" 5", "month": b"12", "day": b"32", "year": b"090", "hour": b"24", "min": b"60"}


@pytest.mark.parametrize("field", WRONG)
def test_many_impossible_values_fail_their_gate_and_one_in_a_thousand_does_not(
    simulated_raw: Path, tmp_path: Path, field: str, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "key.xls").write_bytes((simulated_raw / "IPIP-NEO-ItemKey.xls").read_bytes())
    records = records_of(simulated_raw / "IPIP120.dat", IPIP_120)
    where = record_fields(IPIP_120)[field]
    records[:3, where] = np.frombuffer(WRONG[field], np.uint8)
    write_records(tmp_path / "raw" / "IPIP120.dat", records)
    with faults.case("raw: impossible fields, many"):
        assert_build_refused(tmp_path / "raw", 4, "impossible-values", capsys, "--only", IPIP_120)
    with faults.case("raw: impossible fields, allowed"):
        out = tmp_path / "release"
        options = ("--only", IPIP_120, "--no-figures", "--allow-gate", "impossible-values")
        assert papi("build", tmp_path / "raw", out, *options) == 0
        manifest = read_manifest(out)
        assert manifest["allowed_gates"] == ["impossible-values"]
        assert manifest["configs"][IPIP_120]["people"] == len(records)


def test_few_impossible_values_become_null_and_are_counted(tmp_path: Path, faults: FaultTable) -> None:
    assert papi("simulate", tmp_path / "raw", "--people", "0,4000,0", "--seed", "3") == 0
    records = records_of(tmp_path / "raw" / "IPIP120.dat", IPIP_120)
    for row, (field, wrong) in enumerate(list(WRONG.items())[:4]):
        records[row, record_fields(IPIP_120)[field]] = np.frombuffer(wrong, np.uint8)
    write_records(tmp_path / "raw" / "IPIP120.dat", records)
    with faults.case("raw: impossible fields, few"):
        assert papi("build", tmp_path / "raw", tmp_path / "release", "--only", IPIP_120, "--no-figures") == 0
        found = [g for g in read_manifest(tmp_path / "release")["gates"] if g["gate"] == "impossible-values"]
        assert [(g["value"], g["verdict"]) for g in found] == [(0.001, "passed")]


def test_the_form_of_300_items_is_named_where_the_gate_is_its_own(
    raw: Path, faults: FaultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only there are facets long enough that the key's alignment shows by itself."""
    records, items = records_of(raw / "IPIP300.dat", IPIP_300), record_fields(IPIP_300)["items"]
    records[:, items] = np.roll(records[:, items], 1, axis=1)
    write_records(raw / "IPIP300.dat", records)
    with faults.case("meaning: the key's alignment"):
        assert_build_refused(raw, 4, "key-alignment", capsys, "--only", IPIP_300)
