"""The parameters of simulated people and their items, from the data files that calibration wrote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from papi.instruments import Instrument
from papi.tables import read_csv, read_toml

PARAMETERS = "simulated_people.toml"
FACTOR_DIGITS = 6  # of the Cholesky factor: absorbs what LAPACK versions differ in
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TraitParameters:
    """How traits vary: `factor` (domains, domains) is the Cholesky factor of the domains' correlations.

    Facet f is `weights[f]` × domain `domain_of[f]` + a unique part, unit variance in all; for the Dark Triad
    every scale is its own domain with weight 1. `acquiescence` is the sd of a person's shift of all answers.
    """

    factor: Floats
    weights: Floats
    domain_of: NDArray[np.intp]
    acquiescence: float


@dataclass(frozen=True)
class ItemParameters:
    """The graded (ordered probit) items of an instrument, in its order.

    `trait` (items,) is the column of the facets; `slope` (items,) keyed × loading; `noise` (items,) the sd of
    an answer about its trait; `thresholds` (items, 4), ascending.
    """

    trait: NDArray[np.intp]
    slope: Floats
    noise: Floats
    thresholds: Floats


@dataclass(frozen=True)
class CarelessKind:
    """A kind of people: `answers` replaces attentive ones to a share of the items from `least` to `most`."""

    name: str
    share: float
    answers: str
    least: float
    most: float


@dataclass(frozen=True)
class MissingParameters:
    """Missing answers: `chances[k]` of leaving out k items, and the share of people who answer nothing."""

    chances: NDArray[np.float64]
    empty: float


def trait_parameters(of: Instrument) -> TraitParameters:
    """Of the people who take an instrument; both IPIP forms have the same."""
    facts = read_toml("papi", PARAMETERS)[of.family]
    return TraitParameters(
        factor=correlation_factor(domain_correlations(of)),
        weights=np.array([facts["facet_weights"][facet.name] if of.is_ipip else 1 for facet in of.scales], np.float32),
        domain_of=np.array([_domain_position(of, scale.positions[0]) for scale in of.scales], dtype=np.intp),
        acquiescence=float(facts["acquiescence"]),
    )


def domain_correlations(of: Instrument) -> NDArray[np.float64]:
    """Correlations of the domains themselves (not of their scores), shape (domains, domains)."""
    names = [domain.name for domain in of.domains]
    matrix = np.eye(len(names))
    for row in read_csv("papi", "simulated_correlations.csv"):
        if row["family"] == of.family:
            i, j = names.index(row["first"]), names.index(row["second"])
            matrix[i, j] = matrix[j, i] = float(row["correlation"])
    return matrix


def correlation_factor(correlations: NDArray[np.float64]) -> Floats:
    """The lower triangle L with L Lᵀ = correlations; `LinAlgError` where that is no correlation matrix."""
    return np.round(np.linalg.cholesky(correlations), FACTOR_DIGITS).astype(np.float32)


def item_parameters(of: Instrument) -> ItemParameters:
    """The items of an instrument; those of the 120-item form are items of the 300-item form."""
    rows = {row["item"]: row for row in read_csv("papi", "simulated_items.csv") if row["family"] == of.family}
    chosen = [rows[str(item.full_number or item.name)] for item in of.items]
    return item_parameters_from(
        of,
        np.array([float(row["loading"]) for row in chosen]),
        np.array([[float(row[f"t{k}"]) for k in range(1, 5)] for row in chosen]),
    )


def item_parameters_from(
    of: Instrument, loadings: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> ItemParameters:
    """Item parameters from loadings (items,) and thresholds (items, 4)."""
    trait = np.empty(len(of.items), dtype=np.intp)
    for column, scale in enumerate(of.scales):
        trait[scale.positions] = column
    return ItemParameters(
        trait=trait,
        slope=(of.keyed * loadings).astype(np.float32),
        noise=np.sqrt(1 - loadings**2).astype(np.float32),
        thresholds=thresholds.astype(np.float32),
    )


def careless_kinds() -> tuple[CarelessKind, ...]:
    """The kinds of people by care; a person's code is the position here, 0 = attentive."""
    return tuple(CarelessKind(**row) for row in read_toml("papi", PARAMETERS)["careless"])


def missing_parameters(of: Instrument) -> MissingParameters:
    """How answers go missing in an instrument."""
    facts = read_toml("papi", PARAMETERS)["missing"][of.name]
    tail = np.arange(1, facts["most"] + 1) ** -float(facts["exponent"])
    chances = np.concatenate([[facts["complete"]], (1 - facts["complete"]) * tail / tail.sum()])
    return MissingParameters(chances, facts["empty"])


def _domain_position(of: Instrument, item: int) -> int:
    return [domain.name for domain in of.domains].index(of.items[item].domain)
