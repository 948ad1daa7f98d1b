"""Finds the parameters with which simulated people reach the published figures, and writes them as tables.

Item difficulties and the spread of loadings are drawn once with a fixed seed. Then people are simulated,
careless ones included, and loadings and trait correlations are moved until alphas and domain correlations are
those of `papi/tables/facets.csv` and the targets of `simulated_people.toml`. Run from the checkout: python
scripts/calibrate_people.py
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from papi.files import write_text
from papi.instruments import DARK_TRIAD, IPIP_300, Instrument, Scale, instrument
from papi.people import draw_people, draw_responses
from papi.people_parameters import PARAMETERS, correlation_factor, item_parameters_from, trait_parameters
from papi.scoring import Answers, scale_score, scores_from_responses
from papi.tables import read_csv, read_toml
from validation.psychometrics import cronbach_alpha

TABLES = Path(__file__).parents[1] / "papi" / "tables"
PEOPLE, SEED, ROUNDS = 60_000, 20_240, 12
MOST_LOADING, LEAST_LOADING = 0.93, 0.25
LOADING_SPREAD = 0.06  # sd of an item's loading about its level, relative
BASE_THRESHOLDS = (
    -1.17,
    -0.40,
    0.27,
    1.14,
)  # about 30 % extreme answers, and a little more agreement than not
FACET_SHIFT, ITEM_SHIFT, THRESHOLD_SPREAD = 0.20, 0.41, 0.06  # sds on the latent scale
LEAST_GAP = 0.25  # between neighbouring thresholds
# People describe themselves favourably: how far they endorse a domain's items in its own direction (latent).
DOMAIN_SHIFTS = {"N": -0.15, "E": 0.25, "O": 0.45, "A": 0.35, "C": 0.35}
SD3_SHIFTS = {"M": 0.55, "N": 0.05, "P": -0.15}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Goal:
    """An alpha that the items of `scale` shall have, to be reached by the loadings at `moved`."""

    scale: Scale
    alpha: float
    moved: NDArray[np.intp]


def main() -> None:
    items: list[list[object]] = [["family", "item", "loading", "t1", "t2", "t3", "t4"]]
    correlations: list[list[object]] = [["family", "first", "second", "correlation"]]
    for of in (instrument(IPIP_300), instrument(DARK_TRIAD)):
        thresholds = draw_thresholds(of, np.random.default_rng(SEED))
        loadings, matrix = calibrate(of, thresholds)
        for item, loading, bounds in zip(of.items, loadings, thresholds, strict=True):
            items.append([of.family, item.full_number or item.name, f"{loading:.4f}", *(f"{t:.4f}" for t in bounds)])
        names = [domain.name for domain in of.domains]
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            correlations.append([of.family, names[i], names[j], f"{matrix[i, j]:.4f}"])
    write_table("simulated_items.csv", items)
    write_table("simulated_correlations.csv", correlations)


def calibrate(of: Instrument, thresholds: Floats) -> tuple[Floats, Floats]:
    """Loadings (items,) and trait correlations (domains, domains) that reach the targets."""
    wanted = target_correlations(of)
    matrix = wanted.copy()
    loadings = 0.6 * np.exp(LOADING_SPREAD * np.random.default_rng(SEED + 1).standard_normal(len(of.items)))
    for number in range(ROUNDS):
        scores = simulated_scores(of, loadings, thresholds, matrix)
        observed = score_correlations(of, scores)
        errors = [move_loadings(loadings, goal, scores) for goal in goals(of)]
        matrix += np.where(np.eye(len(matrix), dtype=bool), 0, wanted - observed)
        off = np.abs(wanted - observed).max()
        print(f"{of.family} {number}: alpha off by {max(errors):.4f}, correlation by {off:.4f}")
    return loadings, matrix


def simulated_scores(of: Instrument, loadings: Floats, thresholds: Floats, matrix: Floats) -> Answers:
    """Item scores of the same random people under these parameters."""
    traits = replace(trait_parameters(of), factor=correlation_factor(matrix))
    people = draw_people(of, PEOPLE, SEED, traits=traits)
    responses = draw_responses(people, of, SEED, items=item_parameters_from(of, loadings, thresholds))
    return scores_from_responses(responses, of)


def move_loadings(loadings: Floats, goal: Goal, scores: Answers) -> float:
    """Change the loadings towards a goal, in place; returns how far its alpha was off."""
    found, k = cronbach_alpha(scores, goal.scale), len(goal.scale.positions)
    step = np.sqrt(mean_correlation(goal.alpha, k) / mean_correlation(found, k))
    loadings[goal.moved] = np.clip(loadings[goal.moved] * step, LEAST_LOADING, MOST_LOADING)
    return abs(found - goal.alpha)


def mean_correlation(alpha: float, k: int) -> float:
    """The mean correlation between k items that gives an alpha (Spearman-Brown)."""
    return alpha / (k - (k - 1) * alpha)


def goals(of: Instrument) -> list[Goal]:
    targets = read_toml("papi", PARAMETERS)["targets"]
    if not of.is_ipip:
        return [Goal(scale, targets["sd3_alphas"][scale.name], scale.positions) for scale in of.scales]
    published = {row["facet"]: row for row in read_csv("papi", "facets.csv")}
    return [goal for facet in of.facets for goal in facet_goals(of, facet, published[facet.name], targets)]


def facet_goals(of: Instrument, facet: Scale, row: dict[str, str], targets: dict[str, float]) -> list[Goal]:
    """The short form's alpha sets its items' loadings, the long form's those of the other items."""
    in_short = np.array([of.items[i].role == "given" for i in facet.positions])
    short, others = facet.positions[in_short], facet.positions[~in_short]
    return [
        Goal(replace(facet, positions=short), float(row["alpha_120"] or targets["alpha_120"]), short),
        Goal(facet, float(row["alpha_300"] or targets["alpha_300"]), others),
    ]


def target_correlations(of: Instrument) -> Floats:
    names = [domain.name for domain in of.domains]
    matrix = np.eye(len(names))
    for pair, value in read_toml("papi", PARAMETERS)["targets"]["correlations"][of.family].items():
        i, j = map(names.index, pair.split("-"))
        matrix[i, j] = matrix[j, i] = value
    return matrix


def score_correlations(of: Instrument, scores: Answers) -> Floats:
    table = np.column_stack([scale_score(scores, domain) for domain in of.domains]).astype(np.float64)
    return np.corrcoef(table[~np.isnan(table).any(axis=1)].T)


def draw_thresholds(of: Instrument, random: np.random.Generator) -> Floats:
    """Thresholds (items, 4): facets and items differ in how readily people agree."""
    shifts = np.empty(len(of.items))
    for scale in of.scales:
        domain = of.items[scale.positions[0]].domain
        of_domain = (DOMAIN_SHIFTS if of.is_ipip else SD3_SHIFTS)[domain]
        shifts[scale.positions] = of_domain + FACET_SHIFT * random.standard_normal()
    agreement = of.keyed * shifts + ITEM_SHIFT * random.standard_normal(len(of.items))
    bounds = np.array(BASE_THRESHOLDS) + THRESHOLD_SPREAD * random.standard_normal((len(of.items), 4))
    for k in range(1, 4):
        bounds[:, k] = np.maximum(bounds[:, k], bounds[:, k - 1] + LEAST_GAP)
    return np.round(bounds - agreement[:, None], 4)


def write_table(name: str, rows: list[list[object]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(TABLES / name, text.getvalue())


if __name__ == "__main__":
    main()
