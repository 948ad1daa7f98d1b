"""The frozen configuration of a run: everything that its answers depend on."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from alignment.api.loading import identity_of_api
from alignment.folds import FOLDS
from alignment.methods import floors, probes, prompting, trait_vectors
from alignment.methods.contract import Context, Method
from alignment.methods.strength import STRENGTHS
from alignment.prompts import LEVEL_CUTS, read_prompts
from alignment.runs.configuration_file import FORMAT
from alignment.runs.release import ReleaseIdentity
from alignment.runs.settings import RunSettings
from papi.files import sha256_of_file
from papi.floors import RIDGE_PENALTY
from papi.version import __version__

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

OWN: dict[str, dict[str, Any]] = {
    "knn": {"neighbours": floors.NEIGHBOURS},
    "ridge": {"penalty": RIDGE_PENALTY},
    "trait-levels": {"cuts": list(LEVEL_CUTS)},
    "p2": {"most_tokens": prompting.LONGEST_DESCRIPTION},
    "trait-vectors": {"people": trait_vectors.LEARNT_FROM, "statements": trait_vectors.ASKED},
}
# Of whom a method learns, where not of everybody there.
LEARNS_FROM = {
    "trait-vectors": "{people:,.0f} of {everybody}",
    "prompt-morl": "up to {people:,.0f} of {everybody}",
    "soups": "up to {people:,.0f} at each end of a domain, of {everybody}",
}
BASE = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow")  # what the floors and all files depend on


def configuration(
    settings: RunSettings,
    chosen: list[Method],
    release: ReleaseIdentity,
    context: Context,
    respondent: Any | None,
) -> dict[str, Any]:
    """For `run.json`: the format is `papi-run-1`, its keys are those of this dictionary."""
    return {
        "format": FORMAT,
        "papi": __version__,
        "release": release.described(),
        "config": settings.config,
        "split": settings.split,
        "labels": settings.labels,
        "subjects": len(context.benchmark.subjects[: settings.subjects]),
        "seed": settings.seed,
        "option_order": settings.option_order,
        "min_mass": settings.min_mass,
        "prompts": read_prompts(settings.config, settings.prompts),
        "descriptions": sha256_of_file(settings.descriptions) if settings.descriptions else None,
        "open_ended": settings.open_ended.described() if settings.open_ended else None,
        "packages": {name: version(name) for name in BASE},
        "methods": {method.name: _method(method, settings, context) for method in chosen},
        "unavailable": settings.unavailable,
        "model": _model(settings, respondent),
    }


def _method(method: Method, settings: RunSettings, context: Context) -> dict[str, Any]:
    return {
        "sees_dev": _learns_from(method, context) if method.sees_dev else None,
        "leaky": method.leaky,
        "floor": method.is_floor,
        "settings": _settings(method, settings, context),
    }


def _learns_from(method: Method, context: Context) -> str:
    own = OWN.get(method.name, {}) | dict(context.hyperparameters.get(method.name, {}))
    return LEARNS_FROM.get(method.name, "{everybody}").format(everybody=context.learns_from, people=own.get("people"))


def _settings(method: Method, settings: RunSettings, context: Context) -> dict[str, Any]:
    """What the method does by numbers of its own, so that a run is not gone on with after one was changed."""
    found: dict[str, Any] = dict(OWN.get(method.name, {}))
    if method.steers:
        found |= {"strengths": list(STRENGTHS), "folds": FOLDS, "most_heads": probes.HEADS}
        found |= {"probe_penalty": probes.PENALTY}
    if method.is_trained:
        own = dict(context.hyperparameters[method.name])
        found |= {"seeds": settings.training_seeds, "folds": FOLDS, "hyperparameters": own}
    return found


def _model(settings: RunSettings, respondent: Respondent | None) -> dict[str, Any] | None:
    if respondent is None or settings.model is None:
        return None
    if settings.model.api:
        return identity_of_api(settings.model.name, settings.model.api)
    from alignment.respondent.loading import identity_of, package_versions

    return identity_of(settings.model, respondent) | {"packages": package_versions()}
