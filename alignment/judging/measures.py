"""What judgements come to: means with intervals, agreement of two judges, agreement with the chosen options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alignment.judging.judges import HIGHEST, LOWEST, Key
from alignment.measures import Resamples, correlation, mean_known
from alignment.runs.folder import Line
from papi.floors import Matrix

FORMAT = "papi-judged-1"


def measure(lines: Sequence[Line], options: Mapping[Key, float] | None = None) -> dict[str, Any]:
    """`judged.json`: by judge and method the mean score of a text with its 95 % interval over subjects, counts of
    refusals and of replies without a number, the agreement of judges, and with the errors of the options.

    A subject's score is the mean over its texts that have one; refusals have none and are counted. `options` are the
    absolute errors of the options that the same methods chose for the same items.
    """
    subjects = sorted({line["subject"] for line in lines})
    resamples = Resamples(len(subjects)) if subjects else None
    judges = sorted({line["judge"] for line in lines})
    found: dict[str, Any] = {"format": FORMAT, "subjects": len(subjects), "judges": {}}
    for judge in judges:
        own = [line for line in lines if line["judge"] == judge]
        methods = sorted({line["method"] for line in own})
        found["judges"][judge] = {
            method: _of_method([line for line in own if line["method"] == method], subjects, resamples)
            for method in methods
        }
    scores = {judge: _scores(lines, judge) for judge in judges}
    found["kappa"] = {
        f"{one} and {other}": _plain(weighted_kappa(*_common(scores[one], scores[other])))
        for place, one in enumerate(judges)
        for other in judges[place + 1 :]
    }
    found["with_options"] = None if options is None else {j: _with_options(scores[j], options) for j in judges}
    return found


def weighted_kappa(one: Sequence[int], other: Sequence[int]) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen 1968) of scores 1 to 6; None where both always say the same."""
    if not len(one):
        return None
    options = np.arange(LOWEST, HIGHEST + 1)
    table = np.zeros((len(options), len(options)))
    np.add.at(table, (np.asarray(one) - LOWEST, np.asarray(other) - LOWEST), 1 / len(one))
    weights = (options[:, None] - options) ** 2
    chance = (weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()
    return None if chance == 0 else float(1 - (weights * table).sum() / chance)


def _of_method(lines: Sequence[Line], subjects: Sequence[str], resamples: Resamples | None) -> dict[str, Any]:
    by_subject = np.full((len(subjects), 1), np.nan)
    for row, subject in enumerate(subjects):
        scores = [line["score"] for line in lines if line["subject"] == subject and line["score"] is not None]
        by_subject[row] = np.mean(scores) if scores else np.nan
    low, high = _interval(by_subject, resamples)
    scored = sum(line["score"] is not None for line in lines)
    refused = sum(bool(line["refused"]) for line in lines)
    return {
        "mean": _plain(float(mean_known(by_subject, axis=0)[0])),
        "low": _plain(low),
        "high": _plain(high),
        "texts": len(lines),
        "scored": scored,
        "refused": refused,
        "unparseable": len(lines) - scored - refused,
    }


def _interval(values: Matrix, resamples: Resamples | None) -> tuple[float, float]:
    if resamples is None or np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = resamples.interval(resamples.means(values))
    return float(low[0]), float(high[0])


def _scores(lines: Sequence[Line], judge: str) -> dict[Key, int]:
    return {
        (line["method"], line["subject"], line["situation"]): line["score"]
        for line in lines
        if line["judge"] == judge and line["score"] is not None
    }


def _common(one: Mapping[Key, int], other: Mapping[Key, int]) -> tuple[list[int], list[int]]:
    both = sorted(one.keys() & other.keys())
    return [one[key] for key in both], [other[key] for key in both]


def _with_options(scores: Mapping[Key, int], errors: Mapping[Key, float]) -> dict[str, Any]:
    """Over the texts whose item the same method answered: the correlation of score and −|option − answer|."""
    both = sorted(scores.keys() & errors.keys())
    x, y = (np.array([each[key] for key in both], dtype=np.float64) for each in (scores, errors))
    r = correlation(x, -y) if len(both) > 1 else None
    return {"texts": len(both), "r": _plain(r)}


def _plain(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 6)
