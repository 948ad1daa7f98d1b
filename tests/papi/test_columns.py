"""Columns are defined once, in the order of the design, and a built release has exactly them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from papi.columns import AGE_BANDS, Column, columns_of, score_names
from papi.errors import UsageError
from papi.instruments import CONFIGS, DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, ITEMS_CONFIG, instrument
from papi.parquet import arrow_schema

IPIP_SCORES = [
    *(f"score_{domain}" for domain in "NEOAC"),
    *(f"score_{domain}{number}" for domain in "NEOAC" for number in range(1, 7)),
]
IPIP_FLAGS = ["flag_missing", "flag_long_run", "flag_low_variance", "flag_inconsistent", "flag_duplicate"]


def ipip_order(items: int) -> list[str]:
    """The columns of an IPIP form, written out by hand."""
    responses = [f"i{number}" for number in range(1, items + 1)]
    indices = ["n_missing", "longest_run", "irv", "even_odd", "row_keying"]
    return ["subject_id", "sex", "age_band", "country", *responses, *IPIP_SCORES, *IPIP_FLAGS, *indices]


DARK_TRIAD_ORDER = [
    *("subject_id", "country", "source"),
    *(f"{scale}{number}" for scale in "MNP" for number in range(1, 10)),
    *("score_M", "score_N", "score_P"),
    *("flag_missing", "flag_long_run", "flag_low_variance", "flag_duplicate"),
    *("n_missing", "longest_run", "irv"),
]
ITEMS_ORDER = [
    *("instrument", "item", "number", "text", "statement"),
    *("domain", "facet", "facet_name", "keyed", "role", "ipip_neo_300_item"),
]
ORDERS = {IPIP_300: ipip_order(300), IPIP_120: ipip_order(120), DARK_TRIAD: DARK_TRIAD_ORDER, ITEMS_CONFIG: ITEMS_ORDER}


@pytest.mark.parametrize("config", CONFIGS)
def test_columns_stand_in_the_order_of_the_design(config: str) -> None:
    assert [column.name for column in columns_of(config)] == ORDERS[config]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_release_has_every_declared_column_and_no_other(release: Path, config: str) -> None:
    shards = sorted((release / "data" / config).glob("*.parquet"))
    assert shards
    assert {tuple(pq.read_schema(shard).names) for shard in shards} == {tuple(ORDERS[config])}


@pytest.mark.parametrize("config", CONFIGS)
def test_every_declared_column_says_something_of_somebody(release: Path, config: str) -> None:
    """A column of which every value is null would be declared and not used."""
    whole = pa.concat_tables(pq.read_table(shard) for shard in sorted((release / "data" / config).glob("*.parquet")))
    empty = {column.name for column in columns_of(config) if whole[column.name].null_count == len(whole)}
    assert not empty


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_scores_are_domains_first_and_facets_after(name: str) -> None:
    expected = ["score_M", "score_N", "score_P"] if name == DARK_TRIAD else IPIP_SCORES
    assert list(score_names(instrument(name))) == expected


def column(config: str, name: str) -> Column:
    return next(each for each in columns_of(config) if each.name == name)


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_kinds_are_those_of_the_design(config: str) -> None:
    of = instrument(config)
    for each in columns_of(config):
        if each.name in of.item_names:
            assert (each.kind, each.nullable, each.minimum, each.maximum) == ("int8", True, 1, 5)
        elif each.name.startswith("score_"):
            assert (each.kind, each.nullable) == ("float32", True)
        elif each.name.startswith("flag_"):
            assert (each.kind, each.nullable) == ("bool", False)
        elif each.name in ("n_missing", "longest_run"):
            assert (each.kind, each.nullable, each.maximum) == ("int16", False, len(of.items))
    assert not column(config, "subject_id").nullable


def test_classes_are_those_of_the_design() -> None:
    assert column(IPIP_300, "sex").classes == ("male", "female")
    assert column(IPIP_120, "age_band").classes == AGE_BANDS
    assert AGE_BANDS == ("<18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
    assert column(DARK_TRIAD, "source").classes == ("front_page", "search", "other")
    assert column(DARK_TRIAD, "country").kind == "string"


@pytest.mark.parametrize("config", CONFIGS)
def test_classes_are_codes_on_disk_and_every_column_says_what_it_means(config: str) -> None:
    schema = arrow_schema(config)
    for each in columns_of(config):
        kind = "int8" if each.kind == "class" else each.kind
        assert schema.field(each.name).type == pa.type_for_alias(kind)
        assert schema.field(each.name).nullable == each.nullable
        assert each.meaning
        assert bool(each.classes) == (each.kind == "class")


def test_a_config_that_is_none_has_no_columns() -> None:
    with pytest.raises(UsageError, match="no instrument is called 'people'"):
        columns_of("people")
