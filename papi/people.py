"""The model of a simulated person: from traits to answer probabilities, and to answers.

Correlated domains give facets, and facets give answers by a graded (ordered probit) model (Samejima 1969):
latent = keyed × loading × facet + acquiescence + noise, response = 1 + the number of thresholds below it.
Some people are careless and some answers are missing (`papi.imperfect_answers`). Nothing here describes a
real person; the parameters are such that published reliabilities come out (scripts/calibrate_people.py).

Everything is a function of the seed: random streams belong to blocks of a fixed number of rows, never to
threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from papi.errors import UsageError
from papi.imperfect_answers import answer_carelessly, leave_answers_out
from papi.instruments import MAXIMUM, MINIMUM, Instrument
from papi.people_parameters import (
    CarelessKind,
    Floats,
    ItemParameters,
    TraitParameters,
    careless_kinds,
    item_parameters,
    missing_parameters,
    trait_parameters,
)
from papi.scoring import Answers

BLOCK_ROWS = 16_384  # a part of the model: another number would give other answers for the same seed
PEOPLE_STREAM, RESPONSES_STREAM = 0, 1
Seed = int | Sequence[int]


@dataclass(frozen=True)
class People:
    """Simulated people, one a row; traits have mean 0 and variance 1.

    `domains` (n, domains) and `facets` (n, facets; the scales of the Dark Triad) are float32 in Fortran
    order, `acquiescence` (n,) float32; `careless` (n,) int8 is the position in `careless_kinds()`, 0 =
    attentive.
    """

    domains: Floats
    facets: Floats
    acquiescence: Floats
    careless: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.careless)

    def rows(self, rows: slice) -> People:
        """Some of the people, as views."""
        return People(self.domains[rows], self.facets[rows], self.acquiescence[rows], self.careless[rows])


def draw_people(of: Instrument, n: int, seed: Seed, *, traits: TraitParameters | None = None) -> People:
    """`n` people as they take an instrument. The same seed gives the same people to both IPIP forms.

    `traits` replaces the project's own parameters. Raises `UsageError` for a negative `n` or seed.
    """
    _refuse_negative(n, seed)
    traits = traits or trait_parameters(of)
    random = _generator(seed, PEOPLE_STREAM)
    domains = _correlated(random, n, traits.factor)
    facets = np.empty((n, len(traits.weights)), dtype=np.float32, order="F")
    unique = np.sqrt(1 - traits.weights**2)
    for f, domain in enumerate(traits.domain_of):
        facets[:, f] = traits.weights[f] * domains[:, domain] + unique[f] * _normal(random, n)
    acquiescence = np.float32(traits.acquiescence) * _normal(random, n)
    return People(domains, facets, acquiescence, _careless_codes(random, n, careless_kinds()))


def answer_probabilities(people: People, of: Instrument, *, items: ItemParameters | None = None) -> Floats:
    """Probability of each response 1-5 to each statement, answered attentively; (n, items, 5), float32.

    Given a person's facets and acquiescence the answers are independent; carelessness and omissions are left
    aside.
    """
    items = items or item_parameters(of)
    result = np.empty((len(people), len(items.trait), MAXIMUM), dtype=np.float32)
    for j, trait in enumerate(items.trait):
        expected = items.slope[j] * people.facets[:, trait].astype(np.float64) + people.acquiescence
        below = ndtr((items.thresholds[j][:, None] - expected) / items.noise[j])
        result[:, j] = np.diff(below, axis=0, prepend=0.0, append=1.0).T
    return result


def draw_responses(people: People, of: Instrument, seed: Seed, *, items: ItemParameters | None = None) -> Answers:
    """Responses to the statements (not reversed), shape (n, items), int8, Fortran order; 0 = missing.

    `people` must be of the instrument's family. `items` replaces the project's own parameters.
    """
    _refuse_negative(0, seed)
    items = items or item_parameters(of)
    kinds, missing = careless_kinds(), missing_parameters(of)
    responses = np.empty((len(people), len(items.trait)), dtype=np.int8, order="F")
    for number, rows in enumerate(_blocks(len(people))):
        random = _generator(seed, RESPONSES_STREAM, number)
        block = _attentive_answers(people.rows(rows), items, random)
        answer_carelessly(block, people.careless[rows], kinds, random)
        leave_answers_out(block, missing, random)
        responses[rows] = block
    return responses


def _attentive_answers(people: People, items: ItemParameters, random: np.random.Generator) -> Answers:
    """Item by item, so that what is worked on stays in the processor's cache."""
    noise = random.standard_normal((len(items.trait), len(people)), dtype=np.float32)
    answers = np.full((len(people), len(items.trait)), MINIMUM, dtype=np.int8, order="F")
    for j, latent in enumerate(noise):
        latent *= items.noise[j]
        latent += items.slope[j] * people.facets[:, items.trait[j]]
        latent += people.acquiescence
        column = answers[:, j]
        for threshold in items.thresholds[j]:
            column += latent > threshold
    return answers


def _correlated(random: np.random.Generator, n: int, factor: Floats) -> Floats:
    """Normal variables with correlations L Lᵀ, summed term by term: BLAS rounds by machine and threads."""
    independent = [_normal(random, n) for _ in factor]
    result = np.zeros((n, len(factor)), dtype=np.float32, order="F")
    for i, row in enumerate(factor):
        for weight, variable in zip(row[: i + 1], independent, strict=False):
            result[:, i] += weight * variable
    return result


def _careless_codes(random: np.random.Generator, n: int, kinds: tuple[CarelessKind, ...]) -> NDArray[np.int8]:
    bounds = np.cumsum([kind.share for kind in kinds])[:-1]
    return np.searchsorted(bounds, random.random(n), side="right").astype(np.int8)


def _normal(random: np.random.Generator, n: int) -> Floats:
    return random.standard_normal(n, dtype=np.float32)


def _generator(seed: Seed, *stream: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK_ROWS, n)) for start in range(0, n, BLOCK_ROWS))


def _refuse_negative(n: int, seed: Seed) -> None:
    numbers = {"people": [n], "seed": [seed] if isinstance(seed, int) else list(seed)}
    for name, values in numbers.items():
        if min(values) < 0:
            raise UsageError(f"the {name} cannot be negative", expected="0 or more", got=str(min(values)))
