"""The quality a release states of itself, counted by hand from the published tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import papi
from papi.instruments import INSTRUMENTS, instrument
from papi.manifest import read_manifest


def alpha(frame: pd.DataFrame) -> float:
    """Cronbach's alpha by the textbook, of the people who answered everything."""
    answered = frame.dropna().astype(float)
    k = answered.shape[1]
    return k / (k - 1) * (1 - answered.var().sum() / answered.sum(axis=1).var())


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_manifest_counts_what_the_tables_hold(release: Path, name: str) -> None:
    of, stated = instrument(name), read_manifest(release)["configs"][name]["quality"]
    people = pd.concat(papi.load(release, name, values="scores").values())
    missing = people[list(of.item_names)].isna()
    assert stated["missing_share"] == pytest.approx(missing.to_numpy().mean(), abs=1e-8)
    assert stated["complete"] == (~missing.any(axis=1)).sum()
    flags = people.filter(like="flag_").astype(bool)
    assert stated["flags"] == {column: int(flags[column].sum()) for column in flags}
    assert stated["flagged"] == flags.any(axis=1).sum()
    assert list(stated["alphas"]) == [scale.name for scale in of.scales]
    for scale in of.scales:
        items = [of.item_names[position] for position in scale.positions]
        assert stated["alphas"][scale.name] == pytest.approx(alpha(people[items]), abs=1e-4)
    assert 0.5 < np.mean(list(stated["alphas"].values())) < 0.95
