"""The order of the methods, and their measures as a table: cells for people, columns for machines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from alignment.report.results import Measured, Results
from papi.words import number

SHOWN = {False: "median", True: "value"}  # the decode that is ranked, of a model and of a floor
BESIDE = {False: "argmax", True: "rounded"}
NOTHING = "–"
NOT_BROKEN = "\N{NO-BREAK SPACE}"
HEADER = (
    "method",
    "kind",
    "sum of errors (95 %)",
    "argmax / rounded",
    "less ridge (95 %)",
    "accuracy",
    "within one",
    "mean r",
    "option mass",
    "most frequent option",
    "sees of dev",
    "people",
    "s a subject",
    "tokens a subject",
)
BRIEF = ("method", "kind", "sum", "95 %", "less ridge", "95 %")
COLUMNS = (
    *("method", "model", "kind", "sees_dev", "n", "seeds", "excluded", "pending", "refused", "decode"),
    *("sum", "sum_low", "sum_high", "mean", "accuracy", "within_one", "mean_r"),
    *("less_ridge", "less_ridge_low", "less_ridge_high"),
    *("option_mass", "lock_option", "lock_share", "lock_letter", "lock_letter_share", "locked", "seconds", "tokens"),
)


def ranked(results: Results) -> list[Measured]:
    """The methods that have a result, the smallest error first."""
    return sorted((each for each in results.methods.values() if each.decodes), key=_place)


def without_result(results: Results) -> list[Measured]:
    """The methods that were refused or have no answers."""
    return [each for each in results.methods.values() if not each.decodes]


def shown(each: Measured) -> Mapping[str, Any]:
    """The measures of the decode that a method is ranked by."""
    facts: Mapping[str, Any] = each.facts["decodes"][SHOWN[each.row.floor]]
    return facts


def beside(each: Measured) -> Mapping[str, Any] | None:
    """The measures of the decode that stands beside; `uniform` has none."""
    facts: Mapping[str, Any] | None = each.facts["decodes"].get(BESIDE[each.row.floor])
    return facts


def kind(each: Measured) -> str:
    """What a method is, in a word: leaky if it uses answers that it is asked for."""
    return "leaky" if each.facts["leaky"] else "floor" if each.row.floor else "model"


def mean_r(measures: Mapping[str, Any]) -> float | None:
    """The mean of the domains' correlations that are defined."""
    defined = [domain["r"] for domain in measures["domains"].values() if domain["r"] is not None]
    return sum(defined) / len(defined) if defined else None


def cells(each: Measured) -> list[str]:
    """A row of the leaderboard in words, in the order of `HEADER`."""
    facts, main, other = each.facts, shown(each), beside(each)
    apart = main["difference_to_ridge"]
    return [
        each.row.name,
        kind(each),
        _with_interval(main["sum"], main["sum_low"], main["sum_high"]),
        _number(other["sum"]) if other else NOTHING,
        _with_interval(apart["mean"], apart["low"], apart["high"], signed=True) if apart else NOTHING,
        _percent(main["accuracy"]),
        _percent(main["within_one"]),
        _number(mean_r(main)),
        _number(facts["option_mass"]),
        _lock(facts["option_lock"]),
        facts["sees_dev"] or "no",
        f"{facts['n']} × {facts['seeds']} seeds" if facts["seeds"] > 1 else str(facts["n"]),
        NOTHING if facts["seconds"] is None else f"{facts['seconds']:.3g}",
        NOTHING if facts["tokens"] is None else f"{facts['tokens']:,.0f}",
    ]


def brief_cells(each: Measured) -> list[str]:
    """The most important of them, in the order of `BRIEF`, one number or interval a cell."""
    main = shown(each)
    apart = main["difference_to_ridge"] or dict.fromkeys(("mean", "low", "high"))
    intervals = [_interval(main["sum_low"], main["sum_high"]), _interval(apart["low"], apart["high"])]
    first, second = (interval.replace(" ", NOT_BROKEN) for interval in intervals)
    return [each.row.name, kind(each), _number(main["sum"]), first, _number(apart["mean"]), second]


def domain_cells(each: Measured, domains: Sequence[str]) -> list[str]:
    """A row of the table by domain: the name, each domain's error with its interval, the mean."""
    main = shown(each)
    parts = [main["domains"][domain] for domain in domains]
    return [each.row.name, *(_with_interval(p["mae"], p["low"], p["high"]) for p in parts), _number(main["mean"])]


def scales_csv(results: Results) -> str:
    """Every domain and facet for machines: a line for each method, decode and scale."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("method", "decode", "kind", "scale", "mae", "low", "high", "r"))
    for each in ranked(results):
        for decode, measures in each.facts["decodes"].items():
            for kind_, plural in (("domain", "domains"), ("facet", "facets")):
                for scale, found in measures[plural].items():
                    values = (found[name] for name in ("mae", "low", "high", "r"))
                    writer.writerow((each.row.name, decode, kind_, scale, *values))
    return buffer.getvalue()


def csv_of(results: Results) -> str:
    """The leaderboard for machines: a line for each method and decode, the ranked decode first."""
    domains = list(results.rows.asked.domains)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*COLUMNS, *domains], lineterminator="\n")
    writer.writeheader()
    for each in ranked(results):
        main = SHOWN[each.row.floor]
        for decode in sorted(each.decodes, key=lambda name: name != main):
            writer.writerow(_record(each, decode, domains))
    for each in without_result(results):
        writer.writerow(_of_method(each))
    return buffer.getvalue()


def _place(each: Measured) -> tuple[bool, float, str]:
    total = shown(each)["sum"]
    return total is None, total or 0, each.row.name


def _of_method(each: Measured) -> dict[str, Any]:
    facts, lock = each.facts, each.facts["option_lock"] or {}
    same = ("model", "sees_dev", "n", "seeds", "pending", "refused", "option_mass", "seconds", "tokens")
    return {name: facts[name] for name in same} | {
        "method": each.row.name,
        "kind": kind(each),
        "excluded": len(facts["excluded"]),
        "lock_option": lock.get("option"),
        "lock_share": lock.get("share"),
        "lock_letter": lock.get("letter"),
        "lock_letter_share": lock.get("letter_share"),
        "locked": lock.get("locked"),
    }


def _record(each: Measured, decode: str, domains: Sequence[str]) -> dict[str, Any]:
    measures = each.facts["decodes"][decode]
    same = ("sum", "sum_low", "sum_high", "mean", "accuracy", "within_one")
    apart = measures["difference_to_ridge"] or {}
    r = mean_r(measures)
    return {
        **_of_method(each),
        "decode": decode,
        **{name: measures[name] for name in same},
        "mean_r": None if r is None else round(r, 6),
        "less_ridge": apart.get("mean"),
        "less_ridge_low": apart.get("low"),
        "less_ridge_high": apart.get("high"),
        **{domain: measures["domains"][domain]["mae"] for domain in domains},
    }


def _number(value: float | None) -> str:
    return NOTHING if value is None else number(value)


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f} %"


def _with_interval(value: float | None, low: float | None, high: float | None, signed: bool = False) -> str:
    if value is None or low is None or high is None:
        return NOTHING
    sign = "+" if signed and round(value, 2) > 0 else ""
    return f"{sign}{number(value)} ({_interval(low, high)})"


def _interval(low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"{number(low)} to {number(high)}"


def _lock(lock: Mapping[str, Any] | None) -> str:
    if lock is None:
        return NOTHING
    by_letter = (lock["letter_share"] or 0) > lock["share"]
    what, of_all = (lock["letter"], lock["letter_share"]) if by_letter else (lock["option"], lock["share"])
    return f"{what}: {100 * of_all:.0f} %{', locked' if lock['locked'] else ''}"
