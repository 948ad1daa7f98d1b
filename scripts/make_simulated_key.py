"""Writes builders/tables/simulated_item_key.xls: the layout of the real item key with our own statements.

Needs xlwt (the dev extra). Run from the checkout after any change of the statements: python
scripts/make_simulated_key.py
"""

from __future__ import annotations

import io
from pathlib import Path

import xlwt

from papi.files import write_bytes
from papi.instruments import IPIP_120, IPIP_300, instrument
from papi.tables import read_csv

TARGET = Path(__file__).parents[1] / "builders" / "tables" / "simulated_item_key.xls"
SHEET = "IPIP-NEO-ItemKey"
HEADER = ("Full#", "Short#", "Sign", "Key", "Facet", "Item")


def main() -> None:
    write_bytes(TARGET, key_workbook())


def key_workbook() -> bytes:
    """The workbook; xlwt writes neither times nor names of users, so the same tables give the same bytes."""
    book = xlwt.Workbook()
    sheet = book.add_sheet(SHEET)
    for line, row in enumerate((HEADER, *key_rows())):
        for column, value in enumerate(row):
            if value != "":  # the real key has no cell there
                sheet.write(line, column, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def key_rows() -> list[tuple[float | str, ...]]:
    """The 300 rows: the items of the short form in its order, then the others by Full#."""
    long_form, short_form = instrument(IPIP_300), instrument(IPIP_120)
    texts = {int(row["number"]): row["statement"] for row in read_csv("papi", "simulated_statements_ipip.csv")}
    titles = {facet.name: facet.title for facet in long_form.facets}
    short = {item.full_number: float(item.number) for item in short_form.items}
    rows: list[tuple[float | str, ...]] = []
    for item in sorted(long_form.items, key=lambda item: (short.get(item.number, 301.0), item.number)):
        facet = str(item.facet)
        sign = ("+" if item.keyed > 0 else "-") + facet
        rows.append((float(item.number), short.get(item.number, ""), sign, facet, titles[facet], texts[item.number]))
    return rows


if __name__ == "__main__":
    main()
