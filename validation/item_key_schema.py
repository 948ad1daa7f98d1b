"""pandera schema of the item key's structure: what each row must say is what `papi.instruments` says of its item."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pandera.pandas as pandera
from pandera.errors import SchemaErrors

from papi.instruments import IPIP_120, IPIP_300, instrument

KEY_COLUMNS = ("Short#", "Sign", "Key", "Facet")  # of a sheet indexed by Full#; numbers and signs as text


@cache
def expected_key() -> pd.DataFrame:
    """The columns of the key but for the wordings, indexed by Full# as text."""
    short = {item.full_number: str(item.number) for item in instrument(IPIP_120).items}
    titles = {facet.name: facet.title for facet in instrument(IPIP_300).facets}
    rows = {
        str(item.number): (
            short.get(item.number, ""),
            ("+" if item.keyed > 0 else "-") + str(item.facet),
            str(item.facet),
            titles[str(item.facet)],
        )
        for item in instrument(IPIP_300).items
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(KEY_COLUMNS))


def key_breaches(key: pd.DataFrame) -> list[tuple[str, str]]:
    """Where a key, with known Full# as its index, differs from what it must be: Full# and column, row by row."""
    try:
        _schema().validate(key, lazy=True)
    except SchemaErrors as error:
        found = set(error.failure_cases[["index", "column"]].itertuples(index=False, name=None))
        return [(number, name) for number in key.index for name in KEY_COLUMNS if (number, name) in found]
    return []


@cache
def _schema() -> pandera.DataFrameSchema:
    return pandera.DataFrameSchema({name: pandera.Column(str, _same_as(name)) for name in KEY_COLUMNS}, strict=True)


def _same_as(name: str) -> pandera.Check:
    return pandera.Check(
        lambda column: column == expected_key()[name].reindex(column.index), name=f"{name} of the item"
    )
