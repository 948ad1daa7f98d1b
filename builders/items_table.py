"""The `items` config: every item of every instrument with its wording, its direction and its role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from builders.raw.item_key import ItemTexts
from papi.columns import columns_of
from papi.instruments import IPIP_120, ITEMS_CONFIG, Instrument, Item
from papi.statements import second_person


def items_table(instruments: Iterable[Instrument], texts: Mapping[str, ItemTexts]) -> pd.DataFrame:
    """One row an item, in the order of the instruments; `texts` maps families to their wordings."""
    rows = [_row(of, item, texts[of.family]) for of in instruments for item in of.items]
    return pd.DataFrame(rows, columns=[column.name for column in columns_of(ITEMS_CONFIG)])


def _row(of: Instrument, item: Item, texts: ItemTexts) -> dict[str, object]:
    text = texts.texts[str(item.full_number) if of.is_ipip else item.name]
    titles = {facet.name: facet.title for facet in of.facets}
    return {
        "instrument": of.name,
        "item": item.name,
        "number": item.number,
        "text": text,
        "statement": second_person(text, implied_subject=of.is_ipip),
        "domain": item.domain,
        "facet": item.facet,
        "facet_name": titles.get(str(item.facet)),
        "keyed": item.keyed,
        "role": item.role,
        "ipip_neo_300_item": f"i{item.full_number}" if of.name == IPIP_120 else None,
    }
