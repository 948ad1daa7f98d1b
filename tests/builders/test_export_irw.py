"""The long tables hold every response of a release and nothing else, and the warehouse's own validator takes them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import irw_validate
import irw_validate.cli
import pandas as pd
import pytest

import papi
from builders.export_irw import export_irw, table_name
from builders.options import BuildOptions
from builders.release import build_release
from papi.columns import demographics_of
from papi.errors import MissingFile, ReleaseRejected, UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, MAXIMUM, MINIMUM, instrument

CODEBOOK = {"permitted_values": range(MINIMUM, MAXIMUM + 1)}
A_FACET = "papi_simulated_ipip_neo_300_n1"
CONCENTRATED = "imputed_values*"  # a fact about the answers, not about the table: most people chose the same option


@pytest.fixture(scope="module")
def export(release: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    out = tmp_path_factory.mktemp("exported") / "irw"
    return out, export_irw(release, out)


@pytest.fixture(scope="module")
def exported(export: tuple[Path, dict[str, int]]) -> Path:
    return export[0]


def names_of(config: str) -> list[str]:
    of = instrument(config)
    return [table_name(of, scale, simulated=True) for scale in of.scales]


def long_tables(exported: Path, config: str) -> list[pd.DataFrame]:
    """As written: what is between two commas, nothing taken for a missing value but nothing."""
    paths = [exported / f"{name}.csv" for name in names_of(config)]
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths]


def published(release: Path, config: str, names: Sequence[str]) -> pd.DataFrame:
    frames = papi.load(release, config)
    parts = [frame[["subject_id", *names]].assign(split=split) for split, frame in frames.items()]
    return pd.concat(parts).set_index("subject_id")


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_the_tables_give_back_exactly_the_responses_of_the_release(release: Path, exported: Path, config: str) -> None:
    of = instrument(config)
    long = pd.concat(long_tables(exported, config))
    wide = long.pivot(index="id", columns="item", values="resp")
    responses = published(release, config, of.item_names)[list(of.item_names)].astype("Int64")
    assert 0 < responses.isna().to_numpy().sum() == responses.size - len(long)
    restored = wide.reindex(index=responses.index, columns=list(of.item_names)).astype("Int64")
    pd.testing.assert_frame_equal(restored, responses, check_names=False)


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_covariates_are_what_is_published_of_a_person_and_the_split(release: Path, exported: Path, config: str) -> None:
    demographics = [column.name for column in demographics_of(instrument(config))]
    people = published(release, config, demographics).astype(object).add_prefix("cov_").fillna("")
    for long in long_tables(exported, config):
        assert list(long) == ["id", "item", "resp", *people]
        each = long.drop_duplicates("id").set_index("id")[list(people)].fillna("")
        assert (each == people.loc[each.index]).all(axis=None)
        assert len(long.drop_duplicates(["id", *people])) == len(each)


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_a_table_has_the_items_of_its_scale_and_their_wordings_beside_it(
    release: Path, exported: Path, config: str
) -> None:
    of = instrument(config)
    known = papi.items(release, config).set_index("item")
    for name, scale, long in zip(names_of(config), of.scales, long_tables(exported, config), strict=True):
        items = pd.read_csv(exported / f"{name}__items.csv").set_index("item")
        assert list(items.index) == [of.item_names[position] for position in scale.positions]
        assert list(items.index) == list(long["item"].unique())
        assert set(items["table"]) == {name}
        rows = known.loc[items.index]
        assert items["item_text"].tolist() == rows["text"].tolist()
        assert items["keyed"].tolist() == rows["keyed"].tolist()
        assert set(items["facet" if of.is_ipip else "domain"]) == {scale.name}


def test_the_rows_are_counted_by_file(export: tuple[Path, dict[str, int]]) -> None:
    out, rows = export
    assert sorted(rows) == sorted(path.name for path in out.iterdir())
    assert len(rows) == 2 * (30 + 30 + 3)
    assert rows == {name: len(pd.read_csv(out / name)) for name in rows}


def test_names_are_those_that_the_warehouse_takes_and_tell_simulated_people() -> None:
    names = {
        simulated: [
            table_name(instrument(config), scale, simulated=simulated)
            for config in INSTRUMENTS
            for scale in instrument(config).scales
        ]
        for simulated in (False, True)
    }
    assert {"papi_ipip_neo_300_n1", "papi_ipip_neo_120_c6", "papi_dark_triad_p"} <= set(names[False])
    assert all(re.fullmatch(r"papi_simulated_[a-z0-9_]{1,25}", name) for name in names[True])
    assert len({*names[False], *names[True]}) == 2 * 63


def findings(path: Path, context: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    report = irw_validate.validate_file(path, context=context)
    return {(finding.severity, finding.check) for finding in report.findings}


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_the_validator_of_the_warehouse_finds_nothing_wrong(exported: Path, config: str) -> None:
    for name in names_of(config):
        report = irw_validate.validate_file(exported / f"{name}.csv", context=CODEBOOK)
        assert report.conforms
        assert {(finding.severity, finding.check) for finding in report.findings} <= {("warn", CONCENTRATED)}
        assert findings(exported / f"{name}__items.csv") == set()


def test_it_warns_of_a_concentration_only_where_there_is_one(exported: Path) -> None:
    for name, long in zip(names_of(IPIP_120), long_tables(exported, IPIP_120), strict=True):
        largest = long.groupby("item")["resp"].agg(lambda resp: resp.value_counts(normalize=True).max()).max()
        warned = ("warn", CONCENTRATED) in findings(exported / f"{name}.csv", CODEBOOK)
        assert warned == (largest > 0.6)


def test_its_command_ends_with_0(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert irw_validate.cli.main([str(exported)]) == 0
    assert capsys.readouterr().out.count("IRW upload gate: passes") == 63


@pytest.mark.parametrize(
    ("instead", "found"),
    [
        (MINIMUM - 1, ("error", "resp_outside_permitted")),
        (MAXIMUM + 1, ("error", "resp_outside_permitted")),
        (None, ("warn", "resp_na")),
    ],
)
def test_a_zero_a_six_and_an_empty_cell_for_a_missing_answer_would_be_found(
    exported: Path, tmp_path: Path, instead: int | None, found: tuple[str, str]
) -> None:
    long = pd.read_csv(exported / f"{A_FACET}.csv").astype({"resp": "Int64"})
    answered = pd.MultiIndex.from_frame(long[["id", "item"]])
    person, item = pd.MultiIndex.from_product([long["id"].unique(), long["item"].unique()]).difference(answered)[0]
    row = long[long["id"] == person].iloc[:1].assign(item=item, resp=pd.array([instead], dtype="Int64"))
    pd.concat([long, row]).to_csv(tmp_path / f"{A_FACET}.csv", index=False)
    assert found in findings(tmp_path / f"{A_FACET}.csv", CODEBOOK)
    assert found not in findings(exported / f"{A_FACET}.csv", CODEBOOK)


def test_a_release_of_one_instrument_gives_its_tables(simulated_raw: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    shutil.copy(simulated_raw / "SD3.zip", tmp_path / "raw")
    build_release(tmp_path / "raw", tmp_path / "dark", BuildOptions(only=(DARK_TRIAD,), figures=False))
    tables = [f"{name}{end}.csv" for name in names_of(DARK_TRIAD) for end in ("", "__items")]
    assert list(export_irw(tmp_path / "dark", tmp_path / "irw")) == tables


def test_a_folder_in_use_and_a_folder_that_is_no_release_are_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(UsageError, match="already there"):
        export_irw(release, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    with pytest.raises(MissingFile, match="no PAPI release"):
        export_irw(tmp_path / "mine", tmp_path / "irw")


def test_a_damaged_release_is_refused_and_nothing_is_written(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"] = {name: facts for name, facts in manifest["files"].items() if f"{IPIP_300}/dev" not in name}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ReleaseRejected, match="names no file of ipip-neo-300, dev"):
        export_irw(copy, tmp_path / "irw")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
