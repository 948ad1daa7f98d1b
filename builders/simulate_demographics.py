"""What simulated people report about themselves, and when they answered (`simulated_demographics.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.raw.demographics import YEAR_ZERO
from papi.instruments import Instrument
from papi.tables import read_toml
from validation.raw_schemas import BLANK

TABLE = "simulated_demographics.toml"
EPOCH_YEAR = 1970
CASE_SLACK = 1.08  # case numbers a person, as in the real files: some people began and did not finish
FIRST_MENU_AGE, LAST_MENU_AGE = 0, 99
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """Texts of people: `names[codes[i]]` is that of person i."""

    names: tuple[str, ...]
    codes: Whole


@dataclass(frozen=True)
class IpipDemographics:
    """`numbers` maps the fields of a record from case to year to shape (n,), `BLANK` where nothing stands."""

    numbers: Mapping[str, Whole]
    country: Coded


def facts_of(name: str) -> dict[str, Any]:
    """A section of the table: `ipip`, an instrument's name or `codebook`."""
    section: dict[str, Any] = read_toml("builders", TABLE)[name]
    return section


def case_numbers_of(of: Instrument) -> range:
    """The case numbers that an IPIP form may give away."""
    return range(facts_of(of.name)["first_case"], facts_of(of.name)["last_case"] + 1)


def draw_ipip_demographics(of: Instrument, n: int, random: np.random.Generator) -> IpipDemographics:
    """Demographics of `n` people in the order of their case numbers, of which there must be enough."""
    facts = facts_of("ipip")
    sex = np.where(random.random(n) < facts["male"], 1, 2)
    numbers = {
        "case": _cases(case_numbers_of(of), n, random),
        "sex": np.where(random.random(n) < facts["blank_sex"], BLANK, sex),
        "age": _ages(facts, n, random),
        **_moments_of_answering(facts_of(of.name), n, random),
    }
    return IpipDemographics(numbers, _draw_names({**facts["countries"], "": facts["blank_country"]}, n, random))


def draw_dark_triad_demographics(of: Instrument, n: int, random: np.random.Generator) -> tuple[Coded, Coded]:
    """Countries and sources (as digits) of `n` people."""
    facts = facts_of(of.name)
    sources = {str(code): share for code, share in enumerate(facts["sources"], start=1)}
    return _draw_names(facts["countries"], n, random), _draw_names(sources, n, random)


def _cases(allowed: range, n: int, random: np.random.Generator) -> Whole:
    span = min(len(allowed), int(np.ceil(CASE_SLACK * n)))
    return allowed.start + np.sort(random.choice(span, n, replace=False))


def _ages(facts: Mapping[str, Any], n: int, random: np.random.Generator) -> Whole:
    years = facts["median_years_above_youngest"] * np.exp(facts["spread_of_log_years"] * random.standard_normal(n))
    ages = np.minimum(facts["youngest"] + years.astype(np.int64), facts["oldest"])
    unusual = [facts[name] for name in ("blank_age", "zero_age", "ninety_nine_age")]
    which = np.searchsorted(np.cumsum(unusual), random.random(n), side="right")
    return np.choose(which, [np.full(n, BLANK), np.full(n, FIRST_MENU_AGE), np.full(n, LAST_MENU_AGE), ages])


def _moments_of_answering(facts: Mapping[str, Any], n: int, random: np.random.Generator) -> dict[str, Whole]:
    """Dates and times in ascending order; months count from 0, years from 1900."""
    first, last = (np.datetime64(facts[name], "s") for name in ("first_day", "last_day"))
    period = int((last - first) / np.timedelta64(1, "s"))
    moment = first + np.sort(random.integers(0, period, n)).astype("timedelta64[s]")
    day, month = moment.astype("datetime64[D]"), moment.astype("datetime64[M]")
    seconds = (moment - day).astype(np.int64)
    months = month.astype(np.int64)
    return {
        "sec": seconds % 60,
        "min": seconds // 60 % 60,
        "hour": seconds // 3600,
        "day": (day - month.astype("datetime64[D]")).astype(np.int64) + 1,
        "month": months % 12,
        "year": months // 12 + EPOCH_YEAR - YEAR_ZERO,
    }


def _draw_names(shares: Mapping[str, float], n: int, random: np.random.Generator) -> Coded:
    bounds = np.cumsum(list(shares.values()))
    codes = np.searchsorted(bounds[:-1] / bounds[-1], random.random(n), side="right")
    return Coded(tuple(shares), codes.astype(np.int64))
