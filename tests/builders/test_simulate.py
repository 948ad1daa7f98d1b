"""Simulated raw files: the bytes of the originals' conventions, and the readers read them back."""

from __future__ import annotations

import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest

from builders.raw.countries import KEY_LENGTH, complete_name
from builders.raw.files import find_raw_files
from builders.raw.ipip_dat import read_ipip_dat, record_fields, record_length
from builders.raw.item_key import read_codebook, read_item_key
from builders.raw.sd3_data import read_sd3_data
from builders.raw.table import RawTable
from builders.simulate import SimulatedRaw, simulate, simulated_item_key
from builders.simulate_demographics import case_numbers_of, facts_of
from papi import files
from papi.errors import EnvironmentProblem, UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import responses_from_stored
from papi.tables import read_csv
from validation.psychometrics import alphas
from validation.reference import SIMULATED

SEED = 5
COUNTS = {IPIP_300: 3_000, IPIP_120: 4_000, DARK_TRIAD: 5_000}
FORMS = {IPIP_300: "IPIP300.dat", IPIP_120: "IPIP120.dat"}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> SimulatedRaw:
    return simulate(tmp_path_factory.mktemp("simulated") / "raw", COUNTS, SEED)


@pytest.fixture(scope="module")
def tables(raw: SimulatedRaw) -> dict[str, RawTable]:
    return {form: read_ipip_dat((raw.folder / file).read_bytes(), form, file) for form, file in FORMS.items()}


@pytest.fixture(scope="module")
def dark_triad(raw: SimulatedRaw) -> RawTable:
    return read_sd3_data(member(raw, "SD3/data.csv"), "data.csv")


def member(raw: SimulatedRaw, name: str) -> bytes:
    return zipfile.ZipFile(raw.folder / "SD3.zip").read(name)


def records(raw: SimulatedRaw, form: str) -> list[bytes]:
    return (raw.folder / FORMS[form]).read_bytes().removesuffix(b"\r\n").split(b"\r\n")


def field(raw: SimulatedRaw, form: str, name: str) -> list[bytes]:
    return [record[record_fields(form)[name]] for record in records(raw, form)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_summary_says_what_is_there(raw: SimulatedRaw) -> None:
    assert raw.people == COUNTS
    assert raw.seed == SEED
    assert raw.files == {name: len(content) for name, content in contents(raw.folder).items()}
    assert set(raw.files) == {"IPIP300.dat", "IPIP120.dat", "IPIP-NEO-ItemKey.xls", "SD3.zip"}


def test_every_file_is_recognised(raw: SimulatedRaw) -> None:
    found = find_raw_files(raw.folder)
    kinds = {"ipip-neo-300-dat", "ipip-neo-120-dat", "item-key", "dark-triad-data", "codebook"}
    assert {file.kind for file in found.files} == kinds
    assert found.ignored == ()


@pytest.mark.parametrize("form", FORMS)
def test_records_have_the_original_length_and_line_ends(raw: SimulatedRaw, form: str) -> None:
    content = (raw.folder / FORMS[form]).read_bytes()
    assert content.endswith(b"\r\n") == (form == IPIP_120)
    assert content.count(b"\n") == content.count(b"\r\n") == COUNTS[form] - (form == IPIP_300)
    assert {len(record) for record in records(raw, form)} == {record_length(form)}


def test_full_size_files_would_have_the_published_bytes() -> None:
    sizes = {form: (record_length(form) + 2) * instrument(form).published_people for form in FORMS}
    assert sizes == {IPIP_300: 102_949_853 + 2, IPIP_120: 94_729_950}


@pytest.mark.parametrize("form", FORMS)
def test_readers_find_nothing_impossible(tables: dict[str, RawTable], form: str) -> None:
    assert len(tables[form]) == COUNTS[form]
    assert not tables[form].impossible
    assert tables[form].impossible_rows == 0


@pytest.mark.parametrize("form", FORMS)
def test_negative_items_are_stored_reversed(tables: dict[str, RawTable], form: str) -> None:
    of, own = instrument(form), (SEED, INSTRUMENTS.index(form))
    drawn = draw_responses(draw_people(of, COUNTS[form], own), of, own)
    assert (responses_from_stored(tables[form].answers, of) == drawn).all()
    assert min(alphas(tables[form].answers, of).values()) > 0.55


def test_read_as_responses_the_stored_answers_contradict_themselves(tables: dict[str, RawTable]) -> None:
    of = instrument(IPIP_300)
    wrong = alphas(responses_from_stored(tables[IPIP_300].answers, of), of)
    assert np.mean(list(wrong.values())) < 0.1


def test_the_dark_triad_is_as_answered(dark_triad: RawTable) -> None:
    of, own = instrument(DARK_TRIAD), (SEED, INSTRUMENTS.index(DARK_TRIAD))
    assert (dark_triad.answers == draw_responses(draw_people(of, COUNTS[DARK_TRIAD], own), of, own)).all()


@pytest.mark.parametrize("form", FORMS)
def test_case_numbers_ascend_with_time(tables: dict[str, RawTable], form: str) -> None:
    people = tables[form].people
    assert (np.diff(people["case"]) > 0).all()
    numbers = {name: people[name].to_numpy(dtype=np.int64) for name in ("year", "month", "day", "hour", "min", "sec")}
    scale = {"year": 12, "month": 31, "day": 24, "hour": 60, "min": 60, "sec": 1}
    moment = np.zeros(len(people), dtype=np.int64)
    for name, factor in scale.items():
        moment = (moment + numbers[name]) * factor
    assert (np.diff(moment) >= 0).all()


def test_no_case_is_in_both_forms(tables: dict[str, RawTable]) -> None:
    assert not set(tables[IPIP_300].people["case"]) & set(tables[IPIP_120].people["case"])
    ranges = [case_numbers_of(instrument(form)) for form in FORMS]
    assert ranges[0].stop <= ranges[1].start
    assert ranges[1].stop <= 1_000_000
    assert all(len(r) >= instrument(form).published_people for r, form in zip(ranges, FORMS, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_months_count_from_0_and_years_from_1900(raw: SimulatedRaw, form: str) -> None:
    assert {int(month) for month in field(raw, form, "month")} == set(range(12))
    years = {int(year) + 1900 for year in field(raw, form, "year")}
    facts = facts_of(form)
    assert years == set(range(facts["first_day"].year, facts["last_day"].year + 1))


@pytest.mark.parametrize("form", FORMS)
def test_days_would_be_impossible_with_months_from_1(raw: SimulatedRaw, form: str) -> None:
    days = zip(field(raw, form, "day"), field(raw, form, "month"), strict=True)
    lengths = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    assert any(int(day) > lengths.get(int(month), 31) for day, month in days)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_are_right_justified_in_blanks(raw: SimulatedRaw, form: str) -> None:
    for name in ("case", "sex", "age", "sec", "min", "hour", "day", "month", "year"):
        values = field(raw, form, name)
        assert all(value == value.strip().rjust(len(value)) for value in values), name
        assert not any(len(v.strip()) > 1 and v.strip().startswith(b"0") for v in values), name
    assert b" 0" in field(raw, form, "sec")


@pytest.mark.parametrize(("form", "width"), [(IPIP_300, 11), (IPIP_120, 9)])
def test_countries_are_left_justified_and_cut(raw: SimulatedRaw, form: str, width: int) -> None:
    found = {country.decode() for country in field(raw, form, "country")}
    assert all(len(name) == width and name == name.strip().ljust(width) for name in found)
    for name in ("USA", "Netherlands", "Philippines", "South Africa", "New Zealand"):
        assert name[:width].ljust(width) in found


def test_every_long_country_name_can_be_completed() -> None:
    for name in facts_of("ipip")["countries"]:
        assert len(name) <= KEY_LENGTH or complete_name(name[:KEY_LENGTH]) == name


def test_some_people_do_not_say_who_they_are(tmp_path: Path) -> None:
    """Rare by their shares, so more people are needed than elsewhere."""
    raw = simulate(tmp_path / "raw", {IPIP_120: 30_000}, 1)
    for name in ("sex", "age", "country"):
        blank = sum(not value.strip() for value in field(raw, IPIP_120, name))
        assert 5 <= blank <= 150, name
    ages = field(raw, IPIP_120, "age")
    assert 0 < ages.count(b" 0") < 40
    assert 0 < ages.count(b"99") < 40
    table = read_ipip_dat((raw.folder / "IPIP120.dat").read_bytes(), IPIP_120, "IPIP120.dat")
    assert not table.impossible
    shares = table.people["country"].value_counts(normalize=True)
    assert 0.62 < shares["USA"] < 0.68
    assert list(shares.index[:4]) == ["USA", "UK", "Canada", "Australia"]


def test_the_item_key_is_the_simulators(raw: SimulatedRaw) -> None:
    key = read_item_key((raw.folder / "IPIP-NEO-ItemKey.xls").read_bytes(), "key")
    assert key.content == SIMULATED


def test_the_committed_item_key_is_what_its_script_makes() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_simulated_key.py"))
    assert script["key_workbook"]() == simulated_item_key()


def test_the_dark_triads_table_is_tab_separated_with_lf(raw: SimulatedRaw) -> None:
    content = member(raw, "SD3/data.csv")
    lines = content.decode("ascii").splitlines()
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert lines[0].split("\t") == [*instrument(DARK_TRIAD).item_names, "country", "source"]
    assert {line.count("\t") for line in lines} == {28}
    assert len(lines) == COUNTS[DARK_TRIAD] + 1


def test_namibia_and_nothing_stay_apart(dark_triad: RawTable) -> None:
    countries = dark_triad.people["country"]
    assert {"US", "GB", "A1", "EU", "NA"} <= set(countries.dropna())
    assert 0 < countries.isna().sum() < 20
    assert set(dark_triad.people["source"]) == {1, 2, 3}


def test_the_codebook_is_cp1252_and_says_that_nobody_is_real(raw: SimulatedRaw) -> None:
    content = member(raw, "SD3/codebook.txt")
    intro = content[: content.index(b"M1\t")]
    assert b"\x92" in intro
    assert b"simulated people" in intro
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    book = read_codebook(content, "codebook.txt")
    assert book.content == SIMULATED
    statements = {row["item"]: row["statement"] for row in read_csv("papi", "simulated_statements_sd3.csv")}
    assert dict(book.texts) == statements


def test_the_archive_holds_no_clock_time(raw: SimulatedRaw) -> None:
    members = zipfile.ZipFile(raw.folder / "SD3.zip").infolist()
    assert [info.filename for info in members] == ["SD3/data.csv", "SD3/codebook.txt"]
    assert {info.date_time for info in members} == {(2000, 1, 1, 0, 0, 0)}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    few = dict.fromkeys(INSTRUMENTS, 200)
    first, again, other = (contents(simulate(tmp_path / str(i), few, s).folder) for i, s in enumerate((1, 1, 2)))
    assert first == again
    assert {name for name in first if first[name] == other[name]} == {"IPIP-NEO-ItemKey.xls"}


def test_an_instruments_bytes_do_not_depend_on_the_others(raw: SimulatedRaw, tmp_path: Path) -> None:
    alone = simulate(tmp_path / "raw", {IPIP_120: COUNTS[IPIP_120]}, SEED)
    assert contents(alone.folder)["IPIP120.dat"] == contents(raw.folder)["IPIP120.dat"]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_one_person_is_enough_and_other_instruments_are_left_out(tmp_path: Path, name: str) -> None:
    raw = simulate(tmp_path / "raw", dict.fromkeys(INSTRUMENTS, 0) | {name: 1}, 0)
    expected = {facts_of(name)["file"]} | ({"IPIP-NEO-ItemKey.xls"} if name in FORMS else set())
    assert set(contents(raw.folder)) == expected
    assert raw.people == {name: 1}


def test_progress_is_told_of_each_file(tmp_path: Path) -> None:
    told: list[str] = []
    raw = simulate(tmp_path / "raw", dict.fromkeys(INSTRUMENTS, 2), 0, told.append)
    assert sorted(message.split(":")[0] for message in told) == sorted(raw.files)


@pytest.mark.parametrize(
    ("people", "seed"),
    [
        ({}, 0),
        ({IPIP_120: 0}, 0),
        ({IPIP_120: -1}, 0),
        ({"neo": 5}, 0),
        ({IPIP_300: 340_001}, 0),
        ({IPIP_120: 1}, -1),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path: Path, people: dict[str, int], seed: int) -> None:
    with pytest.raises(UsageError):
        simulate(tmp_path / "raw", people, seed)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_used_and_an_occupied_one_refused(tmp_path: Path) -> None:
    out = tmp_path / "raw"
    out.mkdir()
    simulate(out, {DARK_TRIAD: 3}, 0)
    before = contents(out)
    with pytest.raises(UsageError, match="already there"):
        simulate(out, {DARK_TRIAD: 3}, 1)
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def stop(handle: int) -> None:
        raise interruption(28, "stopped")

    monkeypatch.setattr(files.os, "fsync", stop)
    with pytest.raises(EnvironmentProblem if interruption is OSError else KeyboardInterrupt):
        simulate(tmp_path / "raw", {IPIP_120: 50}, 0)
    assert not list(tmp_path.iterdir())
