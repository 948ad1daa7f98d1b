"""Read a release as a researcher does: frames with nullable types, items, scores, test subjects.

A release is a local folder or a dataset repository on the Hugging Face Hub (downloaded once, then cached).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
import pyarrow as pa

from papi.categories import categorical
from papi.columns import FLAG, columns_of, score_names
from papi.errors import UsageError
from papi.instruments import CONFIGS, DEFAULT_CONFIG, IPIP_120, ITEMS_CONFIG, MAXIMUM, MINIMUM, SPLITS, instrument
from papi.locating import local_release
from papi.manifest import read_manifest, shard_files
from papi.parquet import read_parquet

DEFAULT_RELEASE = "palign/papi"
Values = Literal["responses", "scores"]
NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


@dataclass(frozen=True)
class AnsweredItem:
    """One item and a subject's response to it (1-5, None = not answered), with the score in the trait's direction."""

    item: str
    statement: str
    domain: str
    facet: str | None
    keyed: int
    response: int | None

    @property
    def score(self) -> int | None:
        """6 − response for an item keyed −1, else the response."""
        if self.response is None:
            return None
        return self.response if self.keyed > 0 else MINIMUM + MAXIMUM - self.response


@dataclass(frozen=True)
class Subject:
    """A person of a test split: `given` items are known to a method, `held_out` items are asked."""

    subject_id: str
    given: tuple[AnsweredItem, ...]
    held_out: tuple[AnsweredItem, ...]


@overload
def load(
    path_or_repo: str | Path = ...,
    config: str = ...,
    *,
    split: str,
    revision: str | None = ...,
    values: Values = ...,
    unflagged: bool = ...,
) -> pd.DataFrame: ...
@overload
def load(
    path_or_repo: str | Path = ...,
    config: str = ...,
    *,
    split: None = ...,
    revision: str | None = ...,
    values: Values = ...,
    unflagged: bool = ...,
) -> dict[str, pd.DataFrame]: ...
def load(
    path_or_repo: str | Path = DEFAULT_RELEASE,
    config: str = DEFAULT_CONFIG,
    *,
    split: str | None = None,
    revision: str | None = None,
    values: Values = "responses",
    unflagged: bool = False,
) -> pd.DataFrame | dict[str, pd.DataFrame]:
    """The people of a config: a frame for one split, a dict of frames where no split is named.

    Args:
        path_or_repo: folder of a release, or the name of a dataset repository on the Hub.
        config: `ipip-neo-300`, `ipip-neo-120`, `dark-triad` or `items`.
        split: `dev`, `test`, `test_population` (of `items`: `items`).
        revision: tag, branch or commit of a repository; not for a folder.
        values: `responses` leaves item columns as answered (1-5); `scores` turns those keyed −1 to 6 − response.
        unflagged: leave out whoever has any flag of careless answering; the config `items` has none.

    Returns:
        One row a person with the columns of `papi.columns.columns_of(config)`: item columns Int8, scores Float32,
        flags boolean, classes categorical, nulls as `pd.NA`.

    Raises:
        UsageError: no such config, split or kind of values. MissingFile, ReleaseRejected: no release, or a damaged one.
        RemoteFailed: the Hub did not give it.
    """
    if values not in ("responses", "scores"):
        raise UsageError(f"no values are called {values!r}", expected="responses or scores", got=str(values))
    release = local_release(path_or_repo, revision)
    manifest = read_manifest(release)
    available = _splits(manifest, config)
    if split is not None and split not in available:
        expected = ", ".join(available)
        raise UsageError(f"{config} has no split {split!r}", where=str(release), expected=expected, got=split)
    wanted = available if split is None else [split]
    frames = {name: _frame(release, manifest, config, name, values) for name in wanted}
    if unflagged:
        frames = {name: without_flagged(frame) for name, frame in frames.items()}
    return frames if split is None else frames[split]


def without_flagged(people: pd.DataFrame) -> pd.DataFrame:
    """The people of a frame who have no flag of careless answering (any column `flag_…`), numbered anew."""
    flagged = people.filter(like=FLAG).to_numpy(dtype=bool).any(axis=1)
    return people.iloc[np.flatnonzero(~flagged)].reset_index(drop=True)


def items(
    path_or_repo: str | Path = DEFAULT_RELEASE, config: str | None = None, *, revision: str | None = None
) -> pd.DataFrame:
    """The items table of a release, all of it or the rows of one instrument; one row an item. Errors as in `load`."""
    frame = load(path_or_repo, ITEMS_CONFIG, split=ITEMS_CONFIG, revision=revision)
    if config is None:
        return frame
    return frame[frame["instrument"] == instrument(config).name].reset_index(drop=True)


def scores(
    path_or_repo: str | Path = DEFAULT_RELEASE,
    config: str = DEFAULT_CONFIG,
    *,
    split: str,
    revision: str | None = None,
) -> pd.DataFrame:
    """Domain and facet scores of a split, indexed by subject id: mean of the answered items, 1-5, Float32.

    Columns are named as in the release (`score_N`, … `score_C6`). Errors as in `load`.
    """
    names = list(score_names(instrument(config)))
    return load(path_or_repo, config, split=split, revision=revision).set_index("subject_id")[names]


def subjects(
    path_or_repo: str | Path = DEFAULT_RELEASE,
    split: str = "test",
    config: str = DEFAULT_CONFIG,
    *,
    revision: str | None = None,
) -> list[Subject]:
    """The people of a split with their given and held-out items, statements and responses.

    The protocol is that of Zhu et al. (ICLR 2025): of ipip-neo-300 the 120 items of the short form are given and 180
    held out, of dark-triad items 1-6 of each scale are given and 7-9 held out. ipip-neo-120 has no held-out items and
    is refused with `UsageError`. Other errors as in `load`.
    """
    refuse_without_held_out(config)
    of = instrument(config)
    people = load(path_or_repo, config, split=split, revision=revision)
    rows = [dict(row) for _, row in items(path_or_repo, config, revision=revision).iterrows()]
    answers = people[list(of.item_names)].astype(object).to_numpy()
    return [_subject(name, row, rows) for name, row in zip(people["subject_id"], answers.tolist(), strict=True)]


def refuse_without_held_out(config: str) -> None:
    """Raise `UsageError` for the config that has no held-out items."""
    if config == IPIP_120:
        advice = "use ipip-neo-300 or dark-triad"
        raise UsageError(f"{IPIP_120} has no held-out items: it is the given part of ipip-neo-300", next_step=advice)


def _splits(manifest: dict[str, Any], config: str) -> list[str]:
    if config not in CONFIGS:
        raise UsageError(f"no config is called {config!r}", expected=", ".join(CONFIGS), got=config)
    if config == ITEMS_CONFIG:
        return [ITEMS_CONFIG]
    if config not in manifest["configs"]:
        expected = ", ".join((*manifest["configs"], ITEMS_CONFIG))
        raise UsageError(f"this release has no config {config!r}", expected=expected, got=config)
    return [split for split in SPLITS if split in manifest["configs"][config]["splits"]]


def _frame(release: Path, manifest: dict[str, Any], config: str, split: str, values: Values) -> pd.DataFrame:
    paths = shard_files(release, manifest, config, split)
    frame: pd.DataFrame = read_parquet(paths, config).to_pandas(types_mapper=NULLABLE.get)
    for column in columns_of(config):
        if column.classes:
            frame[column.name] = categorical(frame[column.name].fillna(-1).to_numpy(), column.classes)
    if values == "scores" and config != ITEMS_CONFIG:
        turned = [item.name for item in instrument(config).items if item.keyed < 0]
        frame[turned] = (MINIMUM + MAXIMUM - frame[turned]).astype(pd.Int8Dtype())
    return frame


def _subject(subject_id: str, answers: Sequence[Any], rows: list[dict[str, Any]]) -> Subject:
    by_role: dict[str, list[AnsweredItem]] = {"given": [], "held_out": []}
    for row, answer in zip(rows, answers, strict=True):
        facet = None if pd.isna(row["facet"]) else row["facet"]
        response = None if pd.isna(answer) else int(answer)
        item = AnsweredItem(row["item"], row["statement"], row["domain"], facet, int(row["keyed"]), response)
        by_role[row["role"]].append(item)
    return Subject(subject_id, tuple(by_role["given"]), tuple(by_role["held_out"]))
