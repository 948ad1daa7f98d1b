"""Does more knowledge of a person give fewer errors, on the pocket respondent? Every method, one release, intervals.

    python benchmarks/pocket_ladder.py [--people 20000] [--subjects 100] [--out FOLDER]

A release is simulated from a seed that training never used; then all methods run on `test_population`. The decode is
the median (a floor's: its value, not rounded). Differences are of the mean absolute error over domains, paired over
subjects, with 95 % bootstrap intervals. Prints a table, the order that is required, and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from alignment.decoding import median
from alignment.measures import Resamples, asked_of, by_scale, mean_known
from alignment.model_settings import POCKET, ModelSettings
from alignment.report.runs import Run, read_run
from alignment.runs.settings import UNTRAINED, RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import IPIP_300, TEST_POPULATION

SEED = 4711  # training used 2024, the tuning of PAS 77
LADDER = ("constant-5", "no-change", "item-median", "trait-levels", "few-shot-120")
PAIRS = (  # first − second, and what is required of the interval
    *((*pair, "above 0") for pair in pairwise(LADDER)),
    ("no-change", "pas", "above 0"),
    ("pas-published-cv", "pas", "above 0"),
    ("pas-published-cv-neutral", "pas", "above 0"),
    ("no-change", "trait-vectors", "above 0"),
    ("few-shot-120", "pas-few-shot", "above -0.01"),
    ("few-shot-120", "pas-published-cv", ""),
    ("few-shot-120", "pas-published", ""),
    ("ridge", "few-shot-120", ""),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("pocket-ladder"))
    chosen = parser.parse_args()
    release = release_in(chosen.out, chosen.people)
    settings = RunSettings(str(release), UNTRAINED, ModelSettings(POCKET), IPIP_300, TEST_POPULATION, chosen.subjects)
    run(settings, chosen.out / "run", Share(), lambda text: print(text, file=sys.stderr))
    show(read_run(chosen.out / "run"))


def release_in(folder: Path, people: int) -> Path:
    """The release of so many simulated people, made at the first call."""
    release = folder / "release"
    if not release.is_dir():
        simulate(folder / "raw", {IPIP_300: people}, SEED)
        build_release(folder / "raw", release, BuildOptions(only=(IPIP_300,), figures=False))
    return release


def show(found: Run) -> None:
    """Tables on stdout, then the JSON line."""
    errors, strengths = subject_errors(found), chosen_strengths(found)
    print(f"{'method':26} error   subjects  steered")
    for name, values in sorted(errors.items(), key=lambda item: np.mean(list(item[1].values()))):
        steered = f"{strengths[name]:.0%}" if name in strengths else ""
        print(f"{name:26} {np.mean(list(values.values())):.4f}  {len(values):8}  {steered:>7}")
    differences = {f"{one} - {other}": difference(errors[one], errors[other]) for one, other, _ in PAIRS}
    for (one, other, required), (mean, low, high) in zip(PAIRS, differences.values(), strict=True):
        limit = float(required.removeprefix("above ")) if required else None
        verdict = "" if limit is None else f"{required}: {'reached' if low > limit else 'NOT reached'}"
        print(f"{one} − {other}: {mean:+.4f} ({low:+.4f} to {high:+.4f})  {verdict}")
    means = {name: round(float(np.mean(list(values.values()))), 4) for name, values in errors.items()}
    print(f"few-shot-120 is {means['few-shot-120'] / means['ridge']:.3f} × ridge (required: at most 1.10)")
    print(json.dumps({"errors": means, "differences": differences, "steered": strengths}))


def difference(one: dict[str, float], other: dict[str, float]) -> tuple[float, float, float]:
    """The mean over the subjects that both have, and its 95 % interval."""
    values = np.array([one[subject] - other[subject] for subject in sorted(one.keys() & other.keys())])[:, None]
    resamples = Resamples(len(values))
    low, high = resamples.interval(resamples.means(values))
    return round(float(values.mean()), 4), round(float(low[0]), 4), round(float(high[0]), 4)


def subject_errors(found: Run) -> dict[str, dict[str, float]]:
    """By method and subject the mean absolute error over the domains."""
    asked = asked_of(found.facts["config"], found.facts["labels"])
    result: dict[str, dict[str, float]] = {}
    for (method, subject), answer in found.answers.items():
        if answer.values is None and answer.mass is None:
            continue  # `uniform` draws
        said = median(answer.probabilities) if answer.values is None else answer.values
        error = np.abs(said - answer.expected)[None]
        mean = float(mean_known(by_scale(error, asked.domains), axis=1)[0])
        result.setdefault(method, {})[subject] = mean
    return result


def chosen_strengths(found: Run) -> dict[str, float]:
    """By steering method the share of subjects that are steered at all."""
    chosen: dict[str, list[bool]] = {}
    for (method, _), answer in found.answers.items():
        if answer.fit and "alpha" in answer.fit:
            chosen.setdefault(method, []).append(answer.fit["alpha"] > 0)
    return {name: round(float(np.mean(values)), 3) for name, values in chosen.items()}


if __name__ == "__main__":
    main()
