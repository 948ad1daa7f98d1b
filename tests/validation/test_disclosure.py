"""Cells of the quasi-identifiers, and that nobody is published in one of fewer than eleven people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.privacy import published_demographics
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.sd3_data import read_sd3_data
from builders.raw.table import RawTable
from papi.columns import OTHER_COUNTRY
from papi.instruments import DARK_TRIAD, IPIP_120, IPIP_300
from validation.disclosure import QUASI_IDENTIFIERS, SMALLEST_CELL, cell_sizes, smallest_cell, tells_nothing

COUNTRIES = ("Chile", "Ghana", "Japan", None)
Cell = tuple[str | None, ...]


def frame(*cells: Cell) -> pd.DataFrame:
    columns = zip(*cells, strict=True)
    return pd.DataFrame({name: pd.Categorical(list(c)) for name, c in zip(QUASI_IDENTIFIERS, columns, strict=True)})


def raw(sex: list[int | None], age: list[int | None], country: list[str | None]) -> RawTable:
    people = {"sex": pd.array(sex, dtype="Int32"), "age": pd.array(age, dtype="Int32")}
    answers = np.ones((len(sex), 300), dtype=np.int8)
    return RawTable(IPIP_300, answers, pd.DataFrame(people | {"country": pd.Categorical(country)}))


def test_a_cell_is_counted_for_each_of_its_people_and_null_is_a_value_of_its_own() -> None:
    woman, unknown = ("female", "18-24", "Japan"), ("female", "18-24", None)
    people = frame(woman, unknown, woman, ("male", "18-24", "Japan"), unknown, woman)
    assert cell_sizes(people).tolist() == [3, 2, 3, 1, 2, 3]
    assert smallest_cell(people) == 1


def test_cells_of_which_all_is_null_or_other_do_not_count() -> None:
    nothing: tuple[Cell, ...] = ((None, None, None), (None, None, OTHER_COUNTRY))
    assert tells_nothing(frame(*nothing)).all()
    assert smallest_cell(frame(*nothing)) is None
    people = frame(*nothing, ("male", None, OTHER_COUNTRY), ("male", None, OTHER_COUNTRY))
    assert tells_nothing(people).tolist() == [True, True, False, False]
    assert smallest_cell(people) == 2


def test_the_dark_triad_has_only_countries() -> None:
    people = frame(*(("male", "18-24", country) for country in ("US", "US", OTHER_COUNTRY)))[["country"]]
    assert cell_sizes(people).tolist() == [2, 2, 1]
    assert smallest_cell(people) == 2


@pytest.mark.parametrize(
    ("age", "band"),
    [(1, "<18"), (17, "<18"), (18, "18-24"), (24, "18-24"), (25, "25-34"), (54, "45-54"), (64, "55-64"), (65, "65+")],
)
def test_an_age_falls_into_its_band(age: int, band: str) -> None:
    published = published_demographics(raw([1] * 20, [age] * 20, ["Chile"] * 20), min_country=1).people
    assert set(published["age_band"]) == {band}
    assert set(published["sex"]) == {"male"}


people_of = st.tuples(st.sampled_from([1, 2, None]), st.sampled_from([15, 30, 70, None]), st.sampled_from(COUNTRIES))


@given(people=st.lists(people_of, min_size=1, max_size=120), min_country=st.sampled_from([1, 5, 30, 500]))
@settings(max_examples=80, deadline=None)
def test_no_published_cell_is_smaller_than_the_limit_and_nothing_is_invented(
    people: list[tuple[int | None, int | None, str | None]], min_country: int
) -> None:
    sex, age, country = map(list, zip(*people, strict=True))
    table = raw(sex, age, country)
    published = published_demographics(table, min_country).people
    found = smallest_cell(published)
    assert found is None or found >= min(SMALLEST_CELL, min_country)
    for before, after in zip(country, published["country"], strict=True):
        assert after in (before, OTHER_COUNTRY) or (pd.isna(before) and pd.isna(after))
    for before, after in zip(sex, published["sex"], strict=True):
        assert pd.isna(after) or after == {1: "male", 2: "female"}[before]
    named = pd.Series(country).value_counts()
    assert set(published["country"].dropna()) - {OTHER_COUNTRY} <= set(named[named >= min_country].index)


def test_a_rare_country_becomes_other_and_then_age_and_sex_go_in_this_order() -> None:
    """Twenty women of one cell stay; ten men lose age band and then, still too few, their sex."""
    table = raw([2] * 20 + [1] * 10, [30] * 20 + [70] * 10, ["Chile"] * 20 + ["Ghana"] * 10)
    published = published_demographics(table, min_country=11)
    women, men = published.people.iloc[:20], published.people.iloc[20:]
    assert (set(women["sex"]), set(women["age_band"]), set(women["country"])) == ({"female"}, {"25-34"}, {"Chile"})
    assert men["sex"].isna().all()
    assert men["age_band"].isna().all()
    assert set(men["country"]) == {OTHER_COUNTRY}
    assert [published.changed[name] for name in ("country_rare", "small_cells", "people_in_small_cells")] == [10, 1, 10]
    assert [published.changed[f"{name}_blunted"] for name in QUASI_IDENTIFIERS] == [10, 10, 0]


def test_places_that_are_no_countries_are_other_however_frequent() -> None:
    table = raw([1] * 60, [30] * 60, ["A1", "EU", "Chile"] * 20)
    assert set(published_demographics(table, min_country=1).people["country"]) == {OTHER_COUNTRY, "Chile"}


def test_a_country_that_is_reported_as_other_is_other() -> None:
    published = published_demographics(raw([1] * 60, [30] * 60, ["Other", "Chile"] * 30), min_country=20).people
    assert set(published["country"]) == {OTHER_COUNTRY, "Chile"}


@pytest.mark.parametrize("name", [IPIP_300, IPIP_120])
def test_of_the_real_people_seventeen_are_in_four_small_cells(real_data: Path, name: str) -> None:
    file = "IPIP300.dat" if name == IPIP_300 else "IPIP120.dat"
    table = read_ipip_dat((real_data / "raw" / "ipip" / file).read_bytes(), name, file)
    published = published_demographics(table, min_country=500)
    assert (published.changed["small_cells"], published.changed["people_in_small_cells"]) == (4, 17)
    assert smallest_cell(published.people) is not None
    assert (smallest_cell(published.people) or 0) >= SMALLEST_CELL


def test_the_real_dark_triad_has_one_small_cell_and_keeps_namibia_on_request(real_data: Path) -> None:
    table = read_sd3_data((real_data / "raw" / "sd3" / "data.csv").read_bytes(), "data.csv")
    assert table.instrument == DARK_TRIAD
    default, everything = (published_demographics(table, least) for least in (500, 1))
    assert (default.changed["small_cells"], default.changed["people_in_small_cells"]) == (1, 1)
    assert "NA" not in set(default.people["country"])
    assert (everything.people["country"] == "NA").sum() == 1
    assert everything.people["country"].isna().sum() == 1
    assert everything.changed["country_blunted"] == 0
