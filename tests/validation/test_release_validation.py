"""A sound release passes every check; whatever is changed in it is found by the check that is there for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from builders.options import BuildOptions
from builders.release import build_release
from papi.errors import MissingFile, ReleaseRejected
from papi.files import sha256_of_file
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300
from papi.manifest import MANIFEST
from validation.integrity import verify_release
from validation.release import validate_release
from validation.report import Check

FOLLOWS = "ids, scores, indices and flags follow from the answers"
DEV = f"data/{DARK_TRIAD}/dev-00000-of-00001.parquet"
ITEMS = "data/items/items-00000-of-00001.parquet"
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def dark(simulated_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dark") / "release"
    build_release(simulated_raw, folder, BuildOptions(only=(DARK_TRIAD,), figures=False))
    return folder


@pytest.fixture
def mine(dark: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(dark, tmp_path / "mine"))


def change(release: Path, file: str, by: Change) -> None:
    """Change a table and let the manifest agree, so that only what the tables say of each other can betray it."""
    path = release / file
    table = by(pq.read_table(path))
    pq.write_table(table, path)
    edit_manifest(release, lambda m: m["files"][file].update(facts(path, table)))


def facts(path: Path, table: pa.Table) -> dict[str, Any]:
    return {"sha256": sha256_of_file(path), "bytes": path.stat().st_size, "rows": len(table)}


def edit_manifest(release: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((release / MANIFEST).read_text())
    edit(manifest)
    (release / MANIFEST).write_text(json.dumps(manifest))


def with_column(name: str, values: Callable[[pa.ChunkedArray], Any]) -> Change:
    def changed(table: pa.Table) -> pa.Table:
        index = table.schema.get_field_index(name)
        column = pa.chunked_array([pa.array(values(table[name]), type=table.schema.field(name).type)])
        return table.set_column(index, table.schema.field(name), column)

    return changed


def first_as(value: object) -> Callable[[pa.ChunkedArray], list[object]]:
    return lambda column: [value, *column.to_pylist()[1:]]


def failures(release: Path) -> list[Check]:
    return validate_release(release).failed


def test_a_sound_release_passes_everything(release: Path) -> None:
    report = validate_release(release)
    assert (report.failed, report.exit_code) == ([], 0)
    whats = {(check.subject, check.what) for check in report.checks}
    assert {(IPIP_300, FOLLOWS), (IPIP_120, FOLLOWS), (DARK_TRIAD, FOLLOWS), ("files", "as in the manifest")} <= whats


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("M1", 6, "schema"),
        ("score_M", 2.123, FOLLOWS),
        ("longest_run", 2, FOLLOWS),
        ("irv", 0.5, FOLLOWS),
        ("flag_long_run", True, FOLLOWS),
        ("flag_duplicate", True, FOLLOWS),
        ("subject_id", "sd3-0000000000000000", FOLLOWS),
        ("source", 3, "schema"),
    ],
)
def test_one_changed_cell_is_found(mine: Path, column: str, value: object, what: str) -> None:
    change(mine, DEV, with_column(column, first_as(value)))
    found = failures(mine)
    assert [(check.subject, check.what) for check in found][:1] == [(DARK_TRIAD, what)]
    assert column in " ".join(found[0].places)
    assert validate_release(mine).exit_code == 3


def test_a_changed_answer_no_longer_fits_its_id_nor_its_score(mine: Path) -> None:
    change(mine, DEV, with_column("M1", lambda column: [6 - column[0].as_py(), *column.to_pylist()[1:]]))
    (check,) = [check for check in failures(mine) if check.what == FOLLOWS]
    assert "subject_id" in " ".join(check.places)
    assert "score_M" in " ".join(check.places)


def test_all_problems_of_a_table_are_told_at_once(mine: Path) -> None:
    change(mine, DEV, lambda table: with_column("N3", first_as(0))(with_column("M1", first_as(9))(table)))
    text = " ".join(failures(mine)[0].places)
    assert "M1" in text
    assert "N3" in text


def test_a_person_in_two_splits_is_found(mine: Path) -> None:
    test = pq.read_table(mine / f"data/{DARK_TRIAD}/test-00000-of-00001.parquet")
    change(mine, DEV, lambda table: pa.concat_tables([table, test.slice(0, 1)]).sort_by("subject_id"))
    whats = {(check.subject, check.what) for check in failures(mine)}
    assert (DARK_TRIAD, "splits as in the manifest") in whats


def test_rows_in_another_order_are_found(mine: Path) -> None:
    change(mine, DEV, lambda table: table.take(pa.array(range(len(table))[::-1])))
    (check,) = [check for check in failures(mine) if check.what == "splits as in the manifest"]
    assert "order" in check.places[0]


def test_an_item_with_another_key_is_found(mine: Path) -> None:
    change(mine, ITEMS, with_column("keyed", lambda column: [-column[0].as_py(), *column.to_pylist()[1:]]))
    assert [check.what for check in failures(mine)] == ["items and columns, one to one"]


def test_numbers_of_the_manifest_that_are_not_so_are_found(mine: Path) -> None:
    edit_manifest(mine, lambda m: m["configs"][DARK_TRIAD]["likeness"]["test"].update(alpha=0.99))
    (check,) = failures(mine)
    assert (check.subject, check.what) == (DARK_TRIAD, "gates, likeness, quality and disclosure as in the manifest")


def test_a_release_whose_answers_fail_a_gate_ends_with_four(mine: Path) -> None:
    """Scores published in place of responses: everything derived is made to follow, only the gates can see it."""
    for split in ("dev", "test", "test_population"):
        file = f"data/{DARK_TRIAD}/{split}-00000-of-00001.parquet"
        change(mine, file, with_column("N2", lambda column: pc.subtract(pa.scalar(6, pa.int8()), column)))
    gates = [check for check in failures(mine) if check.what.startswith("gate ")]
    assert {check.what for check in gates} >= {"gate item"}
    assert {check.exit_code for check in gates} == {4}


def test_a_schema_that_is_broken_is_told_with_its_file(mine: Path) -> None:
    change(mine, DEV, lambda table: table.drop_columns(["irv"]))
    (check,) = failures(mine)
    assert (check.subject, check.what, check.exit_code) == (DARK_TRIAD, "schema", 3)
    assert "dev-00000" in check.detail


# verify


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage_it", "words"),
    [
        (lambda release: damage(release / DEV), "sha256"),
        (lambda release: (release / "README.md").write_text("short"), "bytes"),
        (lambda release: (release / "LICENSE.md").unlink(), "nothing"),
        (lambda release: (release / "data" / "more.parquet").write_text("x"), "does not name"),
        (lambda release: (release / ".hidden").symlink_to("README.md"), "does not name"),
    ],
    ids=["one bit", "another size", "missing", "extra", "a link"],
)
def test_a_release_other_than_its_manifest_is_refused(
    mine: Path, damage_it: Callable[[Path], object], words: str
) -> None:
    damage_it(mine)
    with pytest.raises(ReleaseRejected, match=words):
        verify_release(mine)
    assert failures(mine)[0].subject == "files"


def test_every_difference_is_told_at_once(mine: Path) -> None:
    damage(mine / DEV)
    (mine / "README.md").unlink()
    with pytest.raises(ReleaseRejected) as caught:
        verify_release(mine)
    assert {place.file for place in caught.value.places} == {DEV, "README.md"}


def test_a_folder_without_manifest_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        verify_release(tmp_path)
