"""results.json: everything that is measured of the methods of a run. This is its schema, `papi-results-1`.

| field | |
|---|---|
| `format` | `papi-results-1` |
| `release` | `version`, `simulated`, `manifest_sha256`, `revision` and `commit` (null for a folder) |
| `config`, `split`, `labels` | as in run.json |
| `subjects` | people of whom any method has answers |
| `reference` | null without ridge; `method`, and in `decodes` which decode of it each decode is compared with |
| `intervals` | `resamples`, `seed`, `coverage` |
| `runs` | a list: `model` (null for floors), `option_order`, `min_mass`, `seed`, `subjects` (asked for), `methods` |
| `methods.NAME` | by row name: METHOD, or METHOD (MODEL) where several models were compared |
| – `method`, `model`, `sees_dev`, `leaky`, `floor` | as in run.json; `model` is its name, null for a floor |
| – `n`, `pending`, `excluded` | answered subjects; neither answered nor failed; the failed ones with their reasons |
| – `seeds` | how often it was trained for each subject; 1 for a method without training |
| – `option_mass` | mean probability of the five letters; null for a floor |
| – `option_lock` | null for a floor; most frequent `option` of argmax, its `share`; most frequent `letter` in all |
| | orders of the options, its `letter_share` (null where not counted); `locked` where either share is .9 or more |
| – `unparseable` | replies of a server without a letter; they count as every option alike |
| – `parsed` | replies of a server without probabilities; the letter in the text has all |
| – `seconds`, `tokens` | mean a subject, null where not measured |
| – `refused` | null, or why there is no result; then `decodes` is empty, as it is without answers |
| – `decodes.DECODE` | `argmax`, `median`, `expected`; of a floor `value` and `rounded`; of `uniform` only `value` |
| – – `sum`, `sum_low`, `sum_high` | of the domains' errors (the published measure), with its interval |
| – – `by_seed` | the sum of each seed, null for one seed; the sum itself is their mean |
| – – `mean` | of the domains' errors |
| – – `accuracy`, `within_one` | shares of a person's answered items, mean over people |
| – – `domains.X`, `facets.X` | `mae`, `low`, `high`, and `r`, null if undefined; the Dark Triad has no facets |
| – – `difference_to_ridge` | null without ridge; `mean`, `low`, `high` of `sum` minus ridge's, over people of both |

Numbers have six decimals; null stands for what is undefined. A predicted value between the options counts as the
nearest one for accuracy. Options (argmax, median) are compared with ridge rounded to options, other values with ridge
as it is: ridge rounded has the smaller error, so that nothing beats it by rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignment.decoding import argmax
from alignment.measures import (
    RESAMPLES,
    SEED,
    TAIL,
    Asked,
    Decoded,
    Resamples,
    by_scale,
    decodes_of_floor,
    decodes_of_model,
    drawn,
    mean_known,
    option_lock,
    over_seeds,
    score_correlations,
    share,
)
from alignment.prompts import LETTERS
from alignment.report.rows import Row, Rows
from alignment.report.runs import Run
from papi.floors import Matrix

FORMAT = "papi-results-1"
RIDGE = "ridge"  # fixed beforehand
COMPARED = {
    "argmax": "rounded",
    "median": "rounded",
    "expected": "value",
    "value": "value",
    "rounded": "rounded",
}
LOCKED = 0.9
DECIMALS = 6


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Measured:
    """A method with its decodes, the errors (people, domains) of each, and its entry in results.json."""

    row: Row
    decodes: Mapping[str, Decoded]
    errors: Mapping[str, Matrix]
    facts: Mapping[str, Any]


@dataclass(frozen=True, repr=False)  # a repr of all answers would take minutes
class Results:
    """Everything measured: `document` is results.json, `methods` by row name hold what figures need beside it."""

    rows: Rows
    document: Mapping[str, Any]
    methods: Mapping[str, Measured]


def measure_rows(rows: Rows, resamples: Resamples | None = None) -> Results:
    """Measure every method of some runs; the resamples are of their people, made here unless given."""
    draws = resamples or Resamples(len(rows.subjects))
    found = {row.name: _decodes(row) for row in rows.rows}
    errors = {
        name: {decode: by_scale(each.errors, rows.asked.domains) for decode, each in decodes.items()}
        for name, decodes in found.items()
    }
    reference = errors.get(RIDGE, {})
    methods = {}
    for row in rows.rows:
        decodes = {
            name: _measured(each, row, rows.asked, draws)
            | {"difference_to_ridge": _difference(errors[row.name][name], reference.get(COMPARED[name]), draws)}
            for name, each in found[row.name].items()
        }
        methods[row.name] = Measured(row, found[row.name], errors[row.name], _facts(row) | {"decodes": decodes})
    document = _head(rows, bool(reference)) | {"methods": {name: each.facts for name, each in methods.items()}}
    return Results(rows, document, methods)


def plain(value: float | np.floating[Any] | None) -> float | None:
    """A number as it is stored: six decimals, null for what is undefined."""
    if value is None or np.isnan(value):
        return None
    return round(float(value), DECIMALS) + 0.0


def _head(rows: Rows, has_reference: bool) -> dict[str, Any]:
    facts = rows.facts
    release = {k: facts["release"].get(k) for k in ("version", "simulated", "manifest_sha256", "revision", "commit")}
    return {
        "format": FORMAT,
        "release": release,
        **{name: facts[name] for name in ("config", "split", "labels")},
        "subjects": len(rows.subjects),
        "reference": {"method": RIDGE, "decodes": COMPARED} if has_reference else None,
        "intervals": {"resamples": RESAMPLES, "seed": SEED, "coverage": 1 - 2 * TAIL},
        "runs": [_run(run) for run in rows.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    names = ("model", "option_order", "min_mass", "seed", "subjects")
    return {name: run.facts.get(name) for name in names} | {"methods": list(run.facts["methods"])}


def _refusal(row: Row) -> str | None:
    mass, least = mean_known(row.mass, axis=0), row.run.facts["min_mass"]
    if np.isnan(mass) or mass >= least:
        return None
    return f"the mean probability of the five letters is {mass:.3f}, under {least:g}: the model does not answer"


def _decodes(row: Row) -> dict[str, Decoded]:
    """What a method is measured by: nothing where it is refused or has no answers."""
    if _refusal(row) is not None:
        return {}
    if row.probabilities is not None:
        if row.floor:
            return {"value": drawn(row.probabilities[:, 0], row.answers)}
        by_seed = [decodes_of_model(row.probabilities[:, seed], row.answers) for seed in range(row.seeds)]
        return {name: over_seeds([each[name] for each in by_seed]) for name in by_seed[0]}
    return {} if row.values is None else decodes_of_floor(row.values, row.answers)


def _facts(row: Row) -> dict[str, Any]:
    model = row.run.model
    return {
        "method": row.method,
        "model": None if row.floor or model is None else model["name"],
        **{name: row.facts.get(name) for name in ("sees_dev", "leaky", "floor")},
        "n": row.n,
        "seeds": row.seeds,
        "pending": row.pending,
        "excluded": dict(row.excluded),
        "option_mass": plain(float(mean_known(row.mass, axis=0))),
        "option_lock": _lock(row),
        "unparseable": row.unparseable,
        "parsed": row.parsed,
        "seconds": plain(row.seconds),
        "tokens": plain(row.tokens),
        "refused": _refusal(row),
    }


def _lock(row: Row) -> dict[str, Any] | None:
    if row.floor or row.probabilities is None:
        return None
    option, share_ = option_lock(argmax(row.probabilities))
    letter, letter_share = None, None
    if row.letters is not None and row.letters.sum():
        letter = LETTERS[int(row.letters.argmax())]
        letter_share = float(row.letters.max() / row.letters.sum())
    return {
        "option": option,
        "share": plain(share_),
        "letter": letter,
        "letter_share": plain(letter_share),
        "locked": max(share_, letter_share or 0) >= LOCKED,
    }


def _measured(decode: Decoded, row: Row, asked: Asked, draws: Resamples) -> dict[str, Any]:
    domains = by_scale(decode.errors, asked.domains)
    samples = draws.means(np.hstack([domains, by_scale(decode.errors, asked.facets)]))
    low, high = draws.interval(samples)
    sum_low, sum_high = draws.interval(samples[:, : len(asked.domains)].sum(axis=1, keepdims=True))
    maes = _mean_errors(decode.errors, asked)
    parts = {}
    for name, scales, first in (("domains", asked.domains, 0), ("facets", asked.facets, len(asked.domains))):
        mae = mean_known(by_scale(decode.errors, scales), axis=0)
        r = score_correlations(decode.predicted, row.answers, asked, scales)
        parts[name] = {
            scale: dict(zip(("mae", "low", "high", "r"), map(plain, each), strict=True))
            for scale, *each in zip(scales, mae, low[first:], high[first:], r, strict=False)
        }
    return {
        "sum": plain(maes.sum()),
        "by_seed": [plain(_mean_errors(errors, asked).sum()) for errors in decode.by_seed] or None,
        "sum_low": plain(sum_low[0]),
        "sum_high": plain(sum_high[0]),
        "mean": plain(maes.mean()),
        "accuracy": plain(share(decode.hits)),
        "within_one": plain(share(decode.near)),
        **parts,
    }


def _mean_errors(errors: Matrix, asked: Asked) -> Matrix:
    """The error of each domain, the mean over people, (domains,)."""
    return mean_known(by_scale(errors, asked.domains), axis=0)


def _difference(errors: Matrix, reference: Matrix | None, draws: Resamples) -> dict[str, float | None] | None:
    """The sum of a method's domain errors minus that of ridge, over the people whom both have answers of."""
    if reference is None:
        return None
    lacking = [np.isnan(each).all(axis=1, keepdims=True) for each in (errors, reference)]
    neither = lacking[0] | lacking[1]
    if neither.all():
        return None
    pair = np.where(neither, np.nan, np.hstack([errors, reference]))
    signs = np.repeat([1.0, -1.0], errors.shape[1])
    apart = mean_known(pair, axis=0) @ signs
    low, high = draws.interval((draws.means(pair) @ signs)[:, None])
    return {"mean": plain(float(apart)), "low": plain(low[0]), "high": plain(high[0])}
