"""Who is in which split: the published protocol's test subjects, people like the population, everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.population_sample import population_sample
from builders.published_recipe import nearest_to_centres
from builders.raw.published import PublishedList, find_people
from builders.raw.table import RawTable
from builders.respondents import Respondents
from papi.errors import InputRejected
from papi.instruments import DEV, SPLITS, TEST, TEST_POPULATION
from validation.likeness import Likeness, Portrait, likeness, portrait

FEWEST_PEOPLE = 30
TEST_PEOPLE = 300
SHARE = 10  # a test split takes at most every tenth person


@dataclass(frozen=True)
class Splits:
    """Rows of each split that has people, ascending; how they were chosen and what they look like (for the manifest).

    `sample` is the likeness of `test_population`, None where it has nobody.
    """

    rows: dict[str, NDArray[np.intp]]
    definition: dict[str, Any]
    likeness: dict[str, Any]
    sample: Likeness | None


def assign_splits(people: Respondents, table: RawTable, listed: PublishedList | None) -> Splits:
    """The splits of one instrument: disjoint, together everybody. Refused under 30 people."""
    if len(people) < FEWEST_PEOPLE:
        raise InputRejected(
            f"{people.instrument.name} has too few people for splits",
            expected=f"at least {FEWEST_PEOPLE} people",
            got=f"{len(people)}",
            next_step="build from a file with more people, or leave the instrument out with --only",
        )
    everybody = _portrait(people, np.flatnonzero(~people.flagged))
    test, test_definition = _published(people, table, listed) if listed else _recipe(people)
    free = np.ones(len(people), dtype=bool)
    free[test] = False
    sample = _population(people, free, everybody)
    free[sample] = False
    rows = {name: r for name, r in zip(SPLITS, (np.flatnonzero(free), test, sample), strict=True) if len(r)}
    likenesses = {name: likeness(_portrait(people, r), everybody) for name, r in rows.items() if name != DEV}
    definition = {TEST: test_definition, TEST_POPULATION: {"protocol": "systematic sample", "found": len(sample)}}
    measured = {name: one.described() for name, one in likenesses.items()}
    described = {"all_unflagged": everybody.described()} | measured
    return Splits(rows, definition, described, likenesses.get(TEST_POPULATION))


def _published(people: Respondents, table: RawTable, listed: PublishedList) -> tuple[NDArray[np.intp], dict[str, Any]]:
    """The people of the published list, as rows of the sorted table."""
    found = find_people(listed, table)
    if not len(found):
        raise InputRejected(
            f"nobody of the published test list of {people.instrument.name} is in its file",
            expected=f"some of {len(listed)} people with the same answers",
            got="none",
            next_step="the list belongs to other data: leave it out, the k-means recipe then picks the test subjects",
        )
    chosen = np.zeros(len(people), dtype=bool)
    chosen[found] = True
    definition = {"protocol": "published list", "listed": len(listed), "found": len(found)}
    return np.flatnonzero(chosen[people.rows]), definition


def _recipe(people: Respondents) -> tuple[NDArray[np.intp], dict[str, Any]]:
    """The published recipe, done deterministically."""
    count = min(TEST_PEOPLE, len(people) // SHARE)
    n_missing = people.columns["n_missing"].to_numpy()
    rows = nearest_to_centres(people.responses, n_missing <= people.instrument.missing_limit, count)
    return rows, {"protocol": "k-means recipe", "wanted": count, "found": len(rows)}


def _population(people: Respondents, free: NDArray[np.bool_], everybody: Portrait) -> NDArray[np.intp]:
    """People who look like the population, from whoever is left."""
    candidates = np.flatnonzero(free & ~people.flagged)
    count = min(TEST_PEOPLE, int(free.sum()) // SHARE, len(candidates))
    if not count:
        return np.empty(0, dtype=np.intp)
    traits, sex = people.traits(), people.codes("sex")
    return population_sample(people.responses, traits, sex, candidates, everybody, count, people.instrument)


def _portrait(people: Respondents, rows: NDArray[np.intp]) -> Portrait:
    return portrait(people.responses, people.traits(), rows, people.instrument)
