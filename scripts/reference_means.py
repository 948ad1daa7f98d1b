"""Make `validation/tables/reference_means.csv`: the item means by which answers are matched to their item key.

Real ones come from the people of a folder of real raw files (PAPI_REAL_DATA, else ../shared), simulated ones from a
large sample of simulated people. Only means are kept.

    python scripts/reference_means.py
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.sd3_data import read_sd3_data
from papi.instruments import DARK_TRIAD, IPIP_300, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers, scores_from_responses
from validation.moments import moments_of
from validation.reference import REAL, SIMULATED

TARGET = Path(__file__).parents[1] / "validation" / "tables" / "reference_means.csv"
REAL_DATA = Path(os.environ.get("PAPI_REAL_DATA", Path(__file__).parents[2] / "shared"))
SIMULATED_PEOPLE, SEED = 200_000, 20_260_101
DECIMALS = 4


def main() -> None:
    """Compute all four lists and write the table."""
    rows = [*_real(), *_simulated()]
    with TARGET.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["content", "family", "item", "mean"])
        writer.writerows(rows)


def _real() -> list[tuple[str, str, str, str]]:
    ipip = (REAL_DATA / "raw" / "ipip" / "IPIP300.dat").read_bytes()
    sd3 = (REAL_DATA / "raw" / "sd3" / "data.csv").read_bytes()
    dark = scores_from_responses(read_sd3_data(sd3, "data.csv").answers, instrument(DARK_TRIAD))
    return [
        *_rows(REAL, IPIP_300, read_ipip_dat(ipip, IPIP_300, "IPIP300.dat").answers),
        *_rows(REAL, DARK_TRIAD, dark),
    ]


def _simulated() -> list[tuple[str, str, str, str]]:
    rows = []
    for name in (IPIP_300, DARK_TRIAD):
        of = instrument(name)
        responses = draw_responses(draw_people(of, SIMULATED_PEOPLE, SEED), of, SEED)
        rows += _rows(SIMULATED, name, scores_from_responses(responses, of))
    return rows


def _rows(content: str, name: str, scores: Answers) -> list[tuple[str, str, str, str]]:
    of = instrument(name)
    keys = [str(item.full_number) if of.is_ipip else item.name for item in of.items]
    return [
        (content, of.family, key, f"{mean:.{DECIMALS}f}")
        for key, mean in zip(keys, moments_of(scores).means, strict=True)
    ]


if __name__ == "__main__":
    main()
