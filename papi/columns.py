"""The columns of a release, each defined once.

The arrow schema of the parquet files (`papi.parquet`), the pandera schemas (`validation.schemas`), the features in
the front matter and the field tables (`cards`) all follow from these definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from papi.instruments import ITEMS_CONFIG, MAXIMUM, MINIMUM, Instrument, instrument

SEXES = ("male", "female")
AGE_BANDS = ("<18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
SOURCES = ("front_page", "search", "other")
ROLES = ("given", "held_out")
OTHER_COUNTRY = "Other"
FLAG = "flag_"  # how the names of all flags begin


@dataclass(frozen=True)
class Column:
    """One column: `kind` is an arrow type name, or `class` (int8 codes of `classes`, a ClassLabel for readers)."""

    name: str
    kind: str
    meaning: str
    nullable: bool = True
    classes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def codes(self) -> str:
        """What the numbers of a class mean: `0 male, 1 female`."""
        return ", ".join(f"{code} {name}" for code, name in enumerate(self.classes))


@cache
def columns_of(config: str) -> tuple[Column, ...]:
    """The columns of a config, in their order."""
    return _items_columns() if config == ITEMS_CONFIG else _respondent_columns(instrument(config))


def key_of(config: str) -> tuple[str, ...]:
    """The columns whose values together no two rows of a config share."""
    return ("instrument", "item") if config == ITEMS_CONFIG else ("subject_id",)


def score_names(of: Instrument) -> tuple[str, ...]:
    """Names of the score columns: domains, then facets."""
    return tuple(f"score_{scale.name}" for scale in (*of.domains, *of.facets))


def demographics_of(of: Instrument) -> tuple[Column, ...]:
    """The columns with what is published of a person beside the answers."""
    return _ipip_demographics() if of.is_ipip else _dark_triad_demographics()


def _respondent_columns(of: Instrument) -> tuple[Column, ...]:
    return (
        Column("subject_id", "string", "stable id, a hash of instrument, answers and copy number", nullable=False),
        *demographics_of(of),
        *(_response(name) for name in of.item_names),
        *(_score(name, of) for name in score_names(of)),
        *_flags(of),
        *_indices(of),
    )


def _ipip_demographics() -> tuple[Column, ...]:
    return (
        Column("sex", "class", "as reported; null = not known", classes=SEXES),
        Column("age_band", "class", "age in years, in bands; null = not known", classes=AGE_BANDS),
        Column("country", "string", "as reported; rare ones are Other; null = not known"),
    )


def _dark_triad_demographics() -> tuple[Column, ...]:
    return (
        Column("country", "string", "two-letter code from the IP address; rare ones are Other; null = not known"),
        Column("source", "class", "how the person came to the test; null = not known", classes=SOURCES),
    )


def _response(name: str) -> Column:
    meaning = f"response to the statement of item {name}, 1-5; null = not answered"
    return Column(name, "int8", meaning, minimum=MINIMUM, maximum=MAXIMUM)


def _score(name: str, of: Instrument) -> Column:
    titles = {scale.name: scale.title for scale in (*of.domains, *of.facets)}
    meaning = f"{titles[name.removeprefix('score_')]}: mean score of the answered items; null under half answered"
    return Column(name, "float32", meaning, minimum=MINIMUM, maximum=MAXIMUM)


def _flags(of: Instrument) -> tuple[Column, ...]:
    meanings = {
        "flag_missing": "more missing answers than the instrument's limit",
        "flag_long_run": "one option chosen many times in a row",
        "flag_low_variance": "hardly any variation between the responses",
        "flag_inconsistent": "even and odd, or + and − items contradict each other, or neither can be compared",
        "flag_duplicate": "another person with the same answers comes before",
    }
    return tuple(
        Column(name, "bool", meaning, nullable=False)
        for name, meaning in meanings.items()
        if of.is_ipip or name != "flag_inconsistent"
    )


def _indices(of: Instrument) -> tuple[Column, ...]:
    count = len(of.items)
    every = (
        Column("n_missing", "int16", "items not answered", nullable=False, minimum=0, maximum=count),
        Column("longest_run", "int16", "longest run of one response", nullable=False, minimum=0, maximum=count),
        Column("irv", "float32", "standard deviation of the person's responses", minimum=0),
    )
    consistency = (
        Column("even_odd", "float32", "even-odd consistency over facets, Spearman-Brown corrected", maximum=1),
        Column("row_keying", "float32", "correlation over facets of + and − item means", minimum=-1, maximum=1),
    )
    return (*every, *(consistency if of.is_ipip else ()))


def _items_columns() -> tuple[Column, ...]:
    return (
        Column("instrument", "string", "the config the item belongs to", nullable=False),
        Column("item", "string", "the item's column in that config", nullable=False),
        Column("number", "int16", "its number there, from 1", nullable=False, minimum=1, maximum=300),
        Column("text", "string", "the wording of the item key", nullable=False),
        Column("statement", "string", "the wording in the second person", nullable=False),
        Column("domain", "string", "letter of the domain", nullable=False),
        Column("facet", "string", "letter and number of the facet; null for the Dark Triad"),
        Column("facet_name", "string", "name of the facet; null for the Dark Triad"),
        Column(
            "keyed", "int8", "+1: agreeing means more of the trait; −1: less", nullable=False, minimum=-1, maximum=1
        ),
        Column("role", "string", "given or held_out in the benchmark; null: not in it"),
        Column("ipip_neo_300_item", "string", "for ipip-neo-120: the item of ipip-neo-300 with the same words"),
    )
