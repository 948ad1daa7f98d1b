"""The people of a config as a release publishes them, recomputed: does everything derived follow from the answers?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from papi.categories import categorical
from papi.columns import columns_of
from papi.errors import Place
from papi.instruments import MISSING, Instrument
from papi.scoring import Answers, scale_score, scores_from_responses
from papi.subject_ids import ids_follow
from validation.careless import Indices, careless_flags, careless_indices
from validation.disclosure import KNOWN_OF_PEOPLE
from validation.likeness import Portrait, portrait


@dataclass(frozen=True)
class PublishedConfig:
    """One table per split of an instrument, in the order of the manifest."""

    instrument: Instrument
    splits: dict[str, pa.Table]

    @cached_property
    def table(self) -> pa.Table:
        """Everybody."""
        return pa.concat_tables(self.splits.values())

    @cached_property
    def responses(self) -> Answers:
        """Responses, shape (people, items), 0 = missing, Fortran order."""
        names = self.instrument.item_names
        answers = np.empty((len(self.table), len(names)), dtype=np.int8, order="F")
        for j, name in enumerate(names):
            answers[:, j] = self.table[name].fill_null(MISSING).to_numpy()
        return answers

    @cached_property
    def scores(self) -> Answers:
        """Item scores, shape (people, items), 0 = missing."""
        return scores_from_responses(self.responses, self.instrument)

    @cached_property
    def indices(self) -> Indices:
        """The careless indices, computed anew."""
        return careless_indices(self.responses, self.scores, self.instrument)

    @property
    def flags(self) -> dict[str, NDArray[np.bool_]]:
        """Who has which flag, as published."""
        names = [column.name for column in columns_of(self.instrument.name) if column.kind == "bool"]
        return {name: self.table[name].to_numpy() for name in names}

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Who has any flag, as published."""
        flagged: NDArray[np.bool_] = np.logical_or.reduce(list(self.flags.values()))
        return flagged

    @property
    def demographics(self) -> pd.DataFrame:
        """The published demographics, categorical."""
        columns = {column.name: column for column in columns_of(self.instrument.name)}
        known = [name for name in KNOWN_OF_PEOPLE if name in columns]
        return pd.DataFrame({name: _categories(self.table[name], columns[name].classes) for name in known})

    def rows(self) -> dict[str, NDArray[np.intp]]:
        """The rows of each split among everybody."""
        ends = np.cumsum([len(table) for table in self.splits.values()])
        starts = [0, *ends[:-1].tolist()]
        return {name: np.arange(a, b) for name, a, b in zip(self.splits, starts, ends.tolist(), strict=True)}

    def portrait(self, rows: NDArray[np.intp]) -> Portrait:
        """What some of the people look like."""
        names = [domain.name for domain in self.instrument.domains]
        traits = {name: self.table[f"score_{name}"].to_numpy() for name in names}
        return portrait(self.responses, traits, rows, self.instrument)


def recomputed_problems(config: PublishedConfig) -> list[Place]:
    """Where ids, scores, indices or flags are not those that follow from the published answers."""
    of, name = config.instrument, config.instrument.name
    derived: dict[str, NDArray[np.generic]] = {
        f"score_{scale.name}": scale_score(config.scores, scale) for scale in (*of.domains, *of.facets)
    }
    derived |= {index: values for index, values in vars(config.indices).items() if values is not None}
    copies = config.table["flag_duplicate"].to_numpy().astype(np.int32)
    derived |= careless_flags(config.indices, copies, of)
    follows = ids_follow(config.responses, config.table["subject_id"].to_pylist(), of)
    problems = _wrong(~follows, config, "subject_id", f"the id that follows from a person's answers to {name}")
    for column, values in derived.items():
        published = config.table[column].to_numpy()
        same = (published == values) | ((published != published) & (values != values))
        problems += _wrong(~same, config, column, "the value that follows from the answers")
    return problems + _wrong_copies(config)


def _wrong(wrong: NDArray[np.bool_], config: PublishedConfig, column: str, expected: str) -> list[Place]:
    """One place for a column with wrong values: its first person and how many there are."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    person, value = (config.table[name][int(rows[0])].as_py() for name in ("subject_id", column))
    where = f"{config.instrument.name}, {person}"
    return [Place(where, expected, f"{value!r}, and {len(rows) - 1:,} more people", column=column)]


def _wrong_copies(config: PublishedConfig) -> list[Place]:
    """Of each answer vector all people but one are flagged as duplicates."""
    vectors = np.ascontiguousarray(config.responses).view(f"V{config.responses.shape[1]}").ravel()
    copies = len(vectors) - len(np.unique(vectors))
    flagged = int(config.table["flag_duplicate"].to_numpy().sum())
    if copies == flagged:
        return []
    return [Place(config.instrument.name, f"{copies:,} duplicates", f"{flagged:,}", column="flag_duplicate")]


def _categories(column: pa.ChunkedArray, classes: tuple[str, ...]) -> pd.Categorical:
    if classes:
        return categorical(column.fill_null(-1).to_numpy(), classes)
    return pd.Categorical(column.to_pandas())
