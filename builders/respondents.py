"""From one instrument's raw table to everything that is published of its people, in the order of their subject ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from builders.privacy import published_demographics
from builders.raw.table import RawTable
from papi.columns import columns_of
from papi.instruments import MISSING, Instrument
from papi.parquet import arrow_schema
from papi.scoring import Answers, responses_from_stored, rows_of, scale_score, scores_from_responses
from papi.subject_ids import id_texts, subject_ids
from validation.answer_evidence import AnswerEvidence
from validation.careless import Indices, careless_flags, careless_indices
from validation.disclosure import disclosure_table, minors
from validation.gates import Finding, assess
from validation.people_evidence import DisclosureEvidence
from validation.quality import quality


@dataclass(frozen=True)
class Respondents:
    """The people of a config, sorted by subject id.

    `responses` (people, items) int8, 0 = missing; `columns` holds every other published column but the id as an arrow
    array; `rows` are the rows of the raw table they come from; `flagged` is whether any flag is set. `changed` counts
    people whose demographics were blunted, by kind.
    """

    instrument: Instrument
    ids: NDArray[np.uint64]
    responses: Answers
    columns: dict[str, pa.Array]
    rows: NDArray[np.intp]
    flagged: NDArray[np.bool_]
    changed: dict[str, int]

    def __len__(self) -> int:
        return len(self.ids)

    def traits(self) -> dict[str, NDArray[np.float32]]:
        """Domain scores, one array (people,) a domain, NaN = none."""
        names = [domain.name for domain in self.instrument.domains]
        return {name: self.columns[f"score_{name}"].to_numpy(zero_copy_only=False) for name in names}

    def codes(self, name: str) -> NDArray[np.int64] | None:
        """Codes of a class column, −1 = null; None where the config has no such column."""
        if name not in self.columns:
            return None
        codes: NDArray[np.int64] = self.columns[name].fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes

    def table(self, rows: NDArray[np.intp]) -> pa.Table:
        """The published table of some people."""
        items = {name: j for j, name in enumerate(self.instrument.item_names)}
        arrays = []
        for column in columns_of(self.instrument.name):
            if column.name == "subject_id":
                arrays.append(pa.array(id_texts(self.ids[rows], self.instrument)))
            elif column.name in items:
                values = self.responses[rows, items[column.name]]
                arrays.append(pa.array(values, mask=values == MISSING))
            else:
                arrays.append(self.columns[column.name].take(pa.array(rows)))
        return pa.Table.from_arrays(arrays, schema=arrow_schema(self.instrument.name))


@dataclass(frozen=True)
class Assessed:
    """The people, what the gates found, the quality of the answers, how far demographics tell, how many are minors."""

    respondents: Respondents
    findings: list[Finding]
    quality: dict[str, Any]
    disclosure: list[dict[str, Any]]
    minors: dict[str, int] | None


def respondents(
    table: RawTable,
    of: Instrument,
    content: str,
    min_country: int,
    allowed: Sequence[str] = (),
    pinned_means: NDArray[np.float64] | None = None,
) -> Assessed:
    """Everything that is published of the people of a raw table, and the verdicts of the gates. Rows in = rows out."""
    responses = responses_from_stored(table.answers, of)
    scores = scores_from_responses(responses, of)
    demographics = published_demographics(table, min_country)
    ids = subject_ids(responses, demographics.people, of)
    indices = careless_indices(responses, scores, of)
    flags = careless_flags(indices, ids.copy_number, of)
    answers = AnswerEvidence(
        instrument=of,
        scores=scores,
        content=content,
        indices=indices,
        doubled_cases=int(table.people["case"].duplicated().sum()) if "case" in table.people else 0,
        copies=int(((ids.copy_number > 0) & (indices.irv > 0)).sum()),
        impossible_rows=table.impossible_rows,
        pinned_means=pinned_means,
    )
    findings = assess(answers, allowed) + assess(DisclosureEvidence(of, demographics.people), allowed)
    order = np.argsort(ids.numbers)
    columns = _columns(demographics.people, _scores(scores, of), flags, indices, order)
    flagged = np.logical_or.reduce(list(flags.values()))[order]
    sorted_responses = rows_of(responses, order)
    people = Respondents(of, ids.numbers[order], sorted_responses, columns, order, flagged, demographics.changed)
    told = disclosure_table(demographics.people), minors(demographics.people)
    return Assessed(people, findings, quality(answers, flags), *told)


def _scores(scores: Answers, of: Instrument) -> dict[str, NDArray[np.float32]]:
    return {f"score_{scale.name}": scale_score(scores, scale) for scale in (*of.domains, *of.facets)}


def _columns(
    demographics: pd.DataFrame,
    scores: dict[str, NDArray[np.float32]],
    flags: dict[str, NDArray[np.bool_]],
    indices: Indices,
    order: NDArray[np.intp],
) -> dict[str, pa.Array]:
    measured = {name: values for name, values in vars(indices).items() if values is not None}
    plain = {name: pa.array(values[order], from_pandas=True) for name, values in (scores | flags | measured).items()}
    return {name: _category(demographics[name], order) for name in demographics} | plain


def _category(column: pd.Series, order: NDArray[np.intp]) -> pa.Array:
    """Texts for a country, int8 codes for a class; null where the code is −1."""
    codes = column.cat.codes.to_numpy()[order]
    null = codes < 0
    if column.name != "country":
        return pa.array(codes.astype(np.int8), mask=null)
    texts = pa.array(column.cat.categories.tolist(), type=pa.string())
    return texts.take(pa.array(np.where(null, 0, codes), mask=null))
