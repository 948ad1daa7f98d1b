"""All methods: the table of what they are (`alignment/tables/methods.csv`), joined with their fits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from alignment.benchmark import Benchmark
from alignment.methods import contrastive, floors, pas, prompting, published, training, trait_vectors
from alignment.methods.contract import Fit, Method
from papi.errors import UsageError
from papi.instruments import MAXIMUM, MINIMUM
from papi.tables import read_csv

FEW_SHOTS = (10, 30, 60, 120)  # given answers
ALL = "all"
FITS: dict[str, Fit] = {
    **{f"constant-{option}": floors.constant(option) for option in range(MINIMUM, MAXIMUM + 1)},
    "uniform": floors.uniform,
    "item-median": floors.item_median,
    "facet-mean": floors.facet_mean,
    "knn": floors.knn,
    "ridge": floors.ridge,
    "no-change": prompting.no_change,
    "average-person": prompting.average_person,
    "trait-levels": prompting.trait_levels,
    "p2": prompting.describe_person,
    **{f"few-shot-{count}": prompting.few_shot(count) for count in FEW_SHOTS},
    "pas": pas.pas,
    "pas-few-shot": pas.pas_few_shot,
    "pas-published": published.pas_published,
    "pas-published-neutral": published.pas_published_neutral,
    "pas-published-cv": published.pas_published_cv,
    "pas-published-cv-neutral": published.pas_published_cv_neutral,
    "iti": published.iti,
    "caa": contrastive.caa,
    "trait-vectors": trait_vectors.trait_vectors,
    "sft": training.sft,
    "dpo": training.dpo,
    "dpo-graded": training.dpo_graded,
    "ppo": training.ppo,
    "epg": training.epg,
    "prompt-morl": training.prompt_morl,
    "soups": training.soups,
}


@cache
def methods() -> dict[str, Method]:
    """Every method by name, in the order of the table."""
    return {
        row["name"]: Method(
            name=row["name"],
            family=row["family"],
            sees_dev=row["sees_dev"] == "yes",
            leaky=row["leaky"] == "yes",
            steers=row["steers"] == "yes",
            cost=row["cost"],
            meaning=row["meaning"],
            fit=FITS[row["name"]],
        )
        for row in read_csv("alignment", "methods.csv")
    }


def few_shots_of_everything(chosen: Iterable[Method], benchmark: Benchmark) -> list[str]:
    """The few-shot methods that tell all given answers of a benchmark, so that they are the same."""
    counts = {f"few-shot-{count}": count for count in FEW_SHOTS}
    return [method.name for method in chosen if counts.get(method.name, 0) >= len(benchmark.given)]


def chosen_methods(names: Iterable[str]) -> list[Method]:
    """Methods by name, by family, or `all`, each once, in the order of the table.

    Raises `UsageError` for a name that there is not.
    """
    known = methods()
    wanted = {each for name in names for each in _group(name) or [name]}
    if unknown := sorted(wanted - known.keys()):
        advice = "papi align methods lists them with what they are"
        raise UsageError(f"no method is called {unknown[0]!r}", expected=", ".join(known), next_step=advice)
    return [method for name, method in known.items() if name in wanted]


def _group(name: str) -> list[str]:
    """The methods of a family, or all; none for another name."""
    return [method.name for method in methods().values() if name in (ALL, method.family)]
