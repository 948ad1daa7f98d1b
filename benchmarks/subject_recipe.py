"""Whether k-means on a sample of people picks test subjects like those of k-means on everybody.

    python benchmarks/subject_recipe.py IPIP300.dat ipip-neo-300 [--seeds 5]

For each seed: full k-means (float32, all threads) and ours; the item variance ratio, the share of extreme answers and
the mean alpha of the people each chooses. Targets: means over seeds within 5 %, extremes within 10 %.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from measure import report
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from builders.published_recipe import Standardised, _nearest_people, _one_each, cluster_centres, standardised
from builders.raw.ipip_dat import read_ipip_dat
from papi.instruments import MISSING, Instrument, instrument
from papi.scoring import Answers, responses_from_stored
from validation.likeness import portrait

CENTRES = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dat", type=Path)
    parser.add_argument("form")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    of = instrument(options.form)
    responses = responses_from_stored(read_ipip_dat(options.dat.read_bytes(), of.name, options.dat.name).answers, of)
    z = standardised(responses)
    candidates = np.flatnonzero((responses == MISSING).sum(axis=1) <= of.missing_limit)
    everybody = z.rows(slice(None)).astype(np.float32)
    results: dict[str, list[list[float]]] = {"ours": [], "full": []}
    for name in results:
        for seed in range(options.seeds):
            start = time.perf_counter()
            centres = _full(everybody, seed) if name == "full" else _ours(z, seed)
            seconds = time.perf_counter() - start
            chosen = _one_each(_nearest_people(z, centres, candidates))
            results[name].append([*_picture(responses, chosen, of), seconds])
            print(f"{name}, seed {seed}: {results[name][-1]}", flush=True)
    _report(of, results)


def _full(everybody: np.ndarray, seed: int) -> np.ndarray:
    return KMeans(n_clusters=CENTRES, n_init=1, random_state=seed).fit(everybody).cluster_centers_.astype(np.float64)


def _ours(z: Standardised, seed: int) -> np.ndarray:
    with threadpool_limits(limits=1):
        return cluster_centres(z, CENTRES, seed)


def _picture(responses: Answers, rows: np.ndarray, of: Instrument) -> list[float]:
    chosen, all_people = (portrait(responses, {}, r, of) for r in (rows, np.arange(len(responses))))
    return [float(chosen.variances.mean() / all_people.variances.mean()), chosen.extremes, chosen.alpha]


def _report(of: Instrument, results: dict[str, list[list[float]]]) -> None:
    names = ("variance_ratio", "extremes", "alpha", "fit_seconds")
    means = {
        kind: dict(zip(names, np.mean(rows, axis=0).round(4).tolist(), strict=True)) for kind, rows in results.items()
    }
    ratios = {name: round(means["ours"][name] / means["full"][name], 4) for name in names}
    rows = [(name, f"full {means['full'][name]}, ours {means['ours'][name]}, ratio {ratios[name]}") for name in names]
    report(f"test subjects of {of.name}", rows, {"instrument": of.name, **means, "ratio": ratios})


if __name__ == "__main__":
    main()
