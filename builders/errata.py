"""Recompute from raw files every number that the errata of the predecessor state.

The predecessor takes the stored answer, already reversed where an item is keyed −1, for the answer to the statement.
Here both readings of the same people stand beside each other. Errors are those of its own measure (`papi.floors`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from builders.raw.demographics import DAYS_LEFT, with_days_left
from builders.raw.files import find_raw_files
from builders.raw.inputs import RawInputs
from builders.raw.published import find_people
from builders.raw.table import RawTable
from papi import floors
from papi.instruments import DARK_TRIAD, IPIP_300, MAXIMUM, MISSING, Instrument, instrument
from papi.scoring import Answers, responses_from_stored, rows_of, scores_from_responses, turned
from validation.psychometrics import alphas

SUBJECTS = 300
PUBLISHED_SUM = 4.41  # Zhu et al. (2025), table 1: PAS with Llama-3-8B-Instruct, summed over the five domains
DECIMALS = 4


def errata(raw: Path, published: Path | None = None) -> dict[str, Any]:
    """The numbers of both instruments of the benchmark, as far as their answers are among the raw files.

    The people are those of the published test list; without a list every k-th person, at most 300. Raises what reading
    raw files raises.
    """
    folder = find_raw_files(raw, *([published] if published else []))
    inputs = RawInputs(folder)
    of, dark = instrument(IPIP_300), instrument(DARK_TRIAD)
    stored, people, who = _subjects(inputs, of)
    result = {"ipip-neo-300": {"subjects": who} | _ipip(stored, people, of)}
    if folder.of_kind("dark-triad-data"):
        answers, _, who = _subjects(inputs, dark)
        result["dark-triad"] = {"subjects": who} | _dark_triad(answers, dark)
    return {"published_sum": PUBLISHED_SUM, **result}


def _subjects(inputs: RawInputs, of: Instrument) -> tuple[Answers, pd.DataFrame, dict[str, Any]]:
    """Stored answers and demographics of the subjects, and who they are."""
    table, _ = inputs.answers(of)
    listed = inputs.published(of)
    rows = find_people(listed, table) if listed else _spread(table)
    who = f"published list, {len(rows)} of {len(listed)} found" if listed else "no published list: every k-th person"
    return rows_of(table.answers, rows), table.people.iloc[rows], {"people": len(rows), "who": who}


def _spread(table: RawTable) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, len(table) - 1, min(SUBJECTS, len(table))).astype(np.intp))


def _ipip(stored: Answers, people: pd.DataFrame, of: Instrument) -> dict[str, Any]:
    responses = responses_from_stored(stored, of)
    again = turned(stored, of.keyed < 0)
    return {
        "labels": _labels(stored, responses, of),
        "alpha": {"as_stored": _mean_alpha(stored, of), "reversed_again": _mean_alpha(again, of)},
        "impossible_dates": _impossible_dates(people, of),
        "floors": {
            "published_labels": _floors(stored, stored, of),
            "responses": _floors(responses, stored, of),
        },
    }


def _dark_triad(answers: Answers, of: Instrument) -> dict[str, Any]:
    """Its answers are as given, so its published labels are the responses."""
    scores = scores_from_responses(answers, of)
    as_answered, in_direction = (
        {name: round(alpha, DECIMALS) for name, alpha in alphas(each, of).items()} for each in (answers, scores)
    )
    return {
        "alpha": {"as_answered": as_answered, "in_the_direction_of_the_trait": in_direction},
        "floors": {"responses": _floors(answers, scores, of)},
    }


def _labels(stored: Answers, responses: Answers, of: Instrument) -> dict[str, Any]:
    """Items and cells whose published label (the stored answer) is not the answer to the statement."""
    off = np.abs(stored - responses)
    answered = stored != MISSING
    negative = of.keyed < 0
    held_out = [item.role == "held_out" for item in of.items]
    return {
        "items": len(of.items),
        "contradicting_items": int(negative.sum()),
        "cells": int(answered.size),
        "wrong_cells": int((off > 0).sum()),
        "wrong_share": round(float((off > 0).sum() / answered.size), DECIMALS),
        "mean_distance_on_negative_items": round(float(off[:, negative][answered[:, negative]].mean()), DECIMALS),
        "missing_answers_among_held_out": int((~answered)[:, held_out].sum()),
    }


def _mean_alpha(scores: Answers, of: Instrument) -> float:
    return round(float(np.mean(list(alphas(scores, of).values()))), DECIMALS)


def _impossible_dates(people: pd.DataFrame, of: Instrument) -> dict[str, int]:
    """Dates that cannot be, with the stored months read as 1-12 and as 0-11."""
    known = people[["day", "month", "year"]].dropna().astype(int)
    stored = {name: known[name].to_numpy() for name in ("day", "month", "year")}
    earlier = stored | {"month": stored["month"] - 1}  # a stored 1 read as January
    return {
        "months_as_1_12": int(((with_days_left(earlier, of)[DAYS_LEFT] < 0) | (stored["month"] == 0)).sum()),
        "months_as_0_11": int((with_days_left(stored, of)[DAYS_LEFT] < 0).sum()),
    }


def _floors(labels: Answers, scores: Answers, of: Instrument) -> dict[str, Any]:
    """Errors against labels in one convention, summed over domains; `scores` are the same people's item scores."""
    given, asked = (np.array([item.role == role for item in of.items]) for role in ("given", "held_out"))
    answers = floors.as_matrix(labels[:, asked])
    scales = [str(item.facet or item.domain) for item in of.items]
    domains = [item.domain for item, wanted in zip(of.items, asked, strict=True) if wanted]
    own = floors.facet_means(floors.as_matrix(scores[:, given]), _of(scales, given), _of(scales, asked))
    ridge = floors.ridge_from_others(labels[:, given], labels[:, asked])
    predictions = {f"constant-{k}": np.array(float(k)) for k in range(1, MAXIMUM + 1)}
    predictions |= {"item-median": floors.item_medians_of_others(answers)}
    errors = {name: floors.summed_error(predicted, answers, domains) for name, predicted in predictions.items()}
    errors["uniform"] = floors.uniform_error(answers, domains)
    in_scores = floors.as_matrix(scores[:, asked])
    errors["facet-mean"] = floors.summed_error(own, in_scores, domains)
    errors["facet-mean, rounded"] = floors.summed_error(floors.rounded(own), in_scores, domains)
    errors["ridge"] = floors.summed_error(ridge, answers, domains)
    errors["ridge, rounded"] = floors.summed_error(floors.rounded(ridge), answers, domains)
    return {name: round(error, DECIMALS) for name, error in errors.items()}


def _of(names: list[str], wanted: NDArray[np.bool_]) -> list[str]:
    return [name for name, is_wanted in zip(names, wanted, strict=True) if is_wanted]
