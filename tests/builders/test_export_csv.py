"""The predecessor's CSVs come back from a release and its raw files, with a crosswalk on request."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import papi
from builders.export_csv import export_papi_csv
from builders.options import BuildOptions
from builders.raw.ipip_csv import csv_columns, read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.release import build_release
from builders.simulate import simulate
from papi.errors import InputRejected, UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument

FILES = {IPIP_300: ("IPIP300.dat", "IPIP_NEO_300.csv"), IPIP_120: ("IPIP120.dat", "IPIP_NEO_120.csv")}


@pytest.fixture(scope="module")
def exported(release: Path, simulated_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "csv"
    export_papi_csv(release, simulated_raw, out, with_subject_id=True)
    return out


@pytest.mark.parametrize("form", FILES)
def test_the_rebuilt_csv_is_the_raw_file_in_another_form(
    release: Path, simulated_raw: Path, tmp_path: Path, form: str
) -> None:
    export_papi_csv(release, simulated_raw, tmp_path / "csv", with_subject_id=False)
    dat, csv = FILES[form]
    original = read_ipip_dat((simulated_raw / dat).read_bytes(), form, dat)
    rebuilt = read_ipip_csv((tmp_path / "csv" / csv).read_bytes(), form, csv)
    assert (rebuilt.answers == original.answers).all()
    kept = [name for name in original.people if name != "country"]
    pd.testing.assert_frame_equal(rebuilt.people[kept], original.people[kept])
    assert rebuilt.people["country"].astype(object).equals(original.people["country"].astype(object))


@pytest.mark.parametrize("form", FILES)
def test_the_columns_are_the_predecessors_and_the_id_comes_last(exported: Path, form: str) -> None:
    frame = pd.read_csv(exported / FILES[form][1], keep_default_na=False)
    assert tuple(frame) == (*csv_columns(form), "subject_id")
    assert form != IPIP_300 or len(frame.columns) == 311


@pytest.mark.parametrize("form", FILES)
def test_the_crosswalk_leads_to_the_same_answers(release: Path, exported: Path, form: str) -> None:
    of = instrument(form)
    crosswalk = pd.read_csv(exported / FILES[form][1]).set_index("subject_id")
    published = pd.concat(papi.load(release, form, values="scores").values()).set_index("subject_id")
    assert set(crosswalk.index) == set(published.index)
    stored = crosswalk.loc[published.index, list(of.item_names)]
    assert (stored.to_numpy() == published[list(of.item_names)].fillna(0).to_numpy()).all()


def test_raw_files_of_other_people_are_refused_and_nothing_is_written(release: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "others", dict.fromkeys(INSTRUMENTS, 400), 8)
    with pytest.raises(InputRejected, match="not those of the release"):
        export_papi_csv(release, tmp_path / "others", tmp_path / "csv", with_subject_id=True)
    assert not (tmp_path / "csv").exists()


def test_a_folder_in_use_and_a_release_without_ipip_are_refused(
    release: Path, simulated_raw: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(UsageError, match="already there"):
        export_papi_csv(release, simulated_raw, tmp_path / "mine", with_subject_id=False)
    (tmp_path / "raw").mkdir()
    shutil.copy(simulated_raw / "SD3.zip", tmp_path / "raw")
    build_release(tmp_path / "raw", tmp_path / "dark", BuildOptions(only=(DARK_TRIAD,), figures=False))
    with pytest.raises(UsageError, match="no IPIP form"):
        export_papi_csv(tmp_path / "dark", tmp_path / "raw", tmp_path / "csv", with_subject_id=False)
