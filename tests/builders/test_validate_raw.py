"""Raw files are validated without a build, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.options import BuildOptions
from builders.release import build_release
from builders.validate_raw import validate_raw
from papi.errors import InputRejected
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300
from validation.report import Report


def failed(report: Report) -> set[tuple[str, str]]:
    return {(check.subject, check.what) for check in report.failed}


def test_sound_raw_files_pass(simulated_raw: Path) -> None:
    report = validate_raw(simulated_raw)
    assert (report.exit_code, report.kind, failed(report)) == (0, "raw folder", set())
    assert {check.subject for check in report.checks} >= {"IPIP300.dat", IPIP_300, IPIP_120, DARK_TRIAD}


def test_everything_wrong_is_told_not_only_the_first(raw_copy: Path) -> None:
    (raw_copy / "IPIP300.dat").write_bytes((raw_copy / "IPIP300.dat").read_bytes()[:-7])
    content = bytearray((raw_copy / "IPIP120.dat").read_bytes())
    content[40] = ord("9")
    (raw_copy / "IPIP120.dat").write_bytes(content)
    (raw_copy / "IPIP-NEO-ItemKey.xls").write_bytes(b"no workbook")
    report = validate_raw(raw_copy)
    assert failed(report) == {
        ("IPIP300.dat", "schema"),
        ("IPIP120.dat", "schema"),
        ("IPIP-NEO-ItemKey.xls", "wordings"),
    }
    assert report.exit_code == InputRejected.exit_code
    (short,) = [check for check in report.failed if check.subject == "IPIP120.dat"]
    assert "line 1, byte 40, column 41" in " ".join(short.places)


def test_impossible_values_are_shown_with_their_places(raw_copy: Path) -> None:
    content = bytearray((raw_copy / "IPIP120.dat").read_bytes())
    content[6] = ord("7")
    (raw_copy / "IPIP120.dat").write_bytes(content)
    report = validate_raw(raw_copy / "IPIP120.dat")
    (note,) = [check for check in report.checks if check.what == "impossible values, become null"]
    assert note.detail == "sex 1"
    assert "line 1, byte 6, column 7: expected 1, 2 or nothing, got '7'" in note.places[0]
    assert report.exit_code == 4  # one of 400 is more than one in a thousand


def test_a_single_file_is_compared_with_the_means_it_is_nearer_to(simulated_raw: Path, real_data: Path) -> None:
    for path, whose in ((simulated_raw / "IPIP120.dat", "simulated"), (real_data / "raw/ipip/IPIP120.dat", "real")):
        report = validate_raw(path)
        assert (report.kind, report.exit_code) == ("raw file", 0)
        assert [check.detail for check in report.checks if check.what == "no item key beside it"] == [
            f"compared with the {whose} item means"
        ]


def test_copies_that_disagree_are_found(real_data: Path, tmp_path: Path) -> None:
    for name in ("IPIP120.dat", "IPIP_NEO_120.csv", "IPIP-NEO-ItemKey.xls"):
        (tmp_path / name).write_bytes((real_data / "raw" / "ipip" / name).read_bytes())
    assert validate_raw(tmp_path).exit_code == 0
    content = bytearray((tmp_path / "IPIP120.dat").read_bytes())
    content[40] = ord("1") if content[40] != ord("1") else ord("2")
    (tmp_path / "IPIP120.dat").write_bytes(content)
    assert failed(validate_raw(tmp_path)) == {("IPIP_NEO_120.csv", "the same answers as its other copy")}


def test_the_raw_files_of_a_release_are_recognised_and_others_are_not(
    release: Path, simulated_raw: Path, raw_copy: Path
) -> None:
    assert validate_raw(simulated_raw, release).exit_code == 0
    content = bytearray((raw_copy / "IPIP120.dat").read_bytes())
    content[40] = ord("1") if content[40] != ord("1") else ord("2")
    (raw_copy / "IPIP120.dat").write_bytes(content)
    report = validate_raw(raw_copy, release)
    assert {subject for subject, _ in failed(report)} == {"against"}
    assert "IPIP120.dat" in report.failed[0].places[0]


def test_what_holds_nothing_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputRejected, match="nothing that can be validated"):
            validate_raw(path)


def test_the_real_folder_passes_with_its_lists(real_data: Path) -> None:
    report = validate_raw(real_data)
    assert (report.exit_code, failed(report)) == (0, set())
    details = [check.detail for check in report.checks if check.what == "published list"]
    assert sorted(details) == ["200 of 200 people found", "300 of 300 people found"]


def test_a_release_made_of_them_says_so(real_data: Path, tmp_path: Path) -> None:
    build_release(real_data / "raw", tmp_path / "release", BuildOptions(only=(DARK_TRIAD,), figures=False))
    assert validate_raw(real_data / "raw" / "SD3.zip", tmp_path / "release").exit_code == 0
