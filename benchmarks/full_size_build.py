"""The build at full size, beside what a user would write instead, in one run.

    python benchmarks/full_size_build.py [--raw FOLDER] [--runs 3]

Simulates 307,313 / 619,150 / 18,192 people (or takes a folder of raw files), measures `papi build`, reading, the size
of the answers in parquet and `papi --help`; then `pandas.read_fwf` and the published recipe (read_csv, StandardScaler,
KMeans(300), nearest by a loop) on stated parts of the same people.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from measure import Cost, cost_of_command, median_seconds, report
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from builders.published_recipe import nearest_to_centres
from builders.raw.ipip_csv import csv_columns
from builders.raw.ipip_dat import read_ipip_dat, record_fields
from papi.instruments import IPIP_120, IPIP_300, instrument
from papi.scoring import responses_from_stored

PAPI = [sys.executable, "-m", "papi"]
FWF_PEOPLE = 20_000
RECIPE_PEOPLE = 20_000
FILES = {IPIP_300: "IPIP300.dat", IPIP_120: "IPIP120.dat"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw = options.raw or Path(folder) / "raw"
        figures = {} if options.raw else {"simulate_seconds": round(_simulate(raw).seconds, 1)}
        figures |= _build(raw, Path(folder) / "release", options.runs)
        figures |= _read(raw) | _answers_alone(Path(folder)) | _help() | _read_fwf(raw) | _recipe(raw, Path(folder))
    report("build at full size", [(name, str(value)) for name, value in figures.items()], figures)


def _simulate(raw: Path) -> Cost:
    return cost_of_command([*PAPI, "simulate", str(raw), "--full"])


def _build(raw: Path, release: Path, runs: int) -> dict[str, float]:
    costs = [cost_of_command([*PAPI, "build", str(raw), str(release)]) for _ in range(runs)]
    return {
        "build_seconds_median": round(statistics.median(cost.seconds for cost in costs), 1),
        "build_seconds_max": round(max(cost.seconds for cost in costs), 1),
        "build_peak_megabytes": round(max(cost.megabytes for cost in costs)),
    }


def _read(raw: Path) -> dict[str, float]:
    def both() -> None:
        for form, name in FILES.items():
            table = read_ipip_dat((raw / name).read_bytes(), form, name)
            responses_from_stored(table.answers, instrument(form))

    return {"read_and_decode_both_dat_seconds": round(median_seconds(both), 2)}


def _answers_alone(folder: Path) -> dict[str, float]:
    """The ipip-neo-300 answers of the release, all splits, written with the release's own settings."""
    from papi.parquet import COMPRESSION, COMPRESSION_LEVEL, ROWS_PER_GROUP

    shards = sorted((folder / "release" / "data" / IPIP_300).glob("*.parquet"))
    names = list(instrument(IPIP_300).item_names)
    table = pq.ParquetDataset(shards).read(columns=names)
    settings = {"compression": COMPRESSION, "compression_level": COMPRESSION_LEVEL, "row_group_size": ROWS_PER_GROUP}
    pq.write_table(
        table, folder / "answers.parquet", write_page_index=True, use_content_defined_chunking=True, **settings
    )
    return {
        "ipip_neo_300_answers_parquet_megabytes": round((folder / "answers.parquet").stat().st_size / 1e6, 1),
        "ipip_neo_300_release_megabytes": round(sum(path.stat().st_size for path in shards) / 1e6, 1),
    }


def _help() -> dict[str, float]:
    return {"help_seconds": round(statistics.median(cost_of_command([*PAPI, "--help"]).seconds for _ in range(7)), 2)}


def _read_fwf(raw: Path) -> dict[str, float]:
    """`pandas.read_fwf` on the first people of IPIP300.dat, against our reader on the same bytes."""
    content = (raw / FILES[IPIP_300]).read_bytes()[: FWF_PEOPLE * 335]
    fields = record_fields(IPIP_300)
    first = fields["items"].start
    columns = [(f.start, f.stop) for name, f in fields.items() if name != "items"]
    columns += [(first + i, first + i + 1) for i in range(300)]
    part = raw.parent / "part.dat"
    part.write_bytes(content)
    theirs = median_seconds(lambda: pd.read_fwf(part, colspecs=columns, header=None), 1)
    ours = median_seconds(lambda: read_ipip_dat(content, IPIP_300, "part"))
    part.unlink()
    return {
        f"read_fwf_{FWF_PEOPLE}_people_seconds": round(theirs, 2),
        f"our_reader_{FWF_PEOPLE}_people_seconds": round(ours, 3),
        "reader_ratio": round(theirs / ours),
    }


def _recipe(raw: Path, folder: Path) -> dict[str, float]:
    """The published way to the test subjects on the first people, against ours on the same people."""
    content = (raw / FILES[IPIP_300]).read_bytes()[: RECIPE_PEOPLE * 335]
    table = read_ipip_dat(content, IPIP_300, "part")
    frame = table.people.rename(columns={"day": "date"})
    frame = pd.concat([frame, pd.DataFrame(table.answers, columns=list(instrument(IPIP_300).item_names))], axis=1)
    frame[list(csv_columns(IPIP_300))].to_csv(folder / "part.csv", index=False)
    theirs = median_seconds(lambda: _published_recipe(folder / "part.csv"), 1)
    everyone = np.ones(len(table), dtype=bool)
    ours = median_seconds(
        lambda: nearest_to_centres(read_ipip_dat(content, IPIP_300, "part").answers, everyone, 300), 1
    )
    return {
        f"published_recipe_{RECIPE_PEOPLE}_people_seconds": round(theirs, 1),
        f"our_recipe_{RECIPE_PEOPLE}_people_seconds": round(ours, 1),
        "recipe_ratio": round(theirs / ours, 2),
    }


def _published_recipe(csv: Path) -> list[int]:
    items = pd.read_csv(csv).filter(regex=r"^i\d+$").to_numpy(dtype=float)
    scaled = StandardScaler().fit_transform(items)
    centres = KMeans(n_clusters=300, random_state=0, n_init=1).fit(scaled).cluster_centers_
    return [int(np.argmin([np.linalg.norm(person - centre) for person in scaled])) for centre in centres]


if __name__ == "__main__":
    main()
