"""The frozen configuration of a run: everything that its answers depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alignment.methods import probes
from alignment.methods.contract import Context, Method
from alignment.methods.strength import STRENGTHS
from alignment.prompts import read_prompts
from alignment.runs.folder import FORMAT
from alignment.runs.release import ReleaseIdentity
from alignment.runs.settings import RunSettings
from papi.files import sha256_of_file
from papi.version import __version__

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent


def configuration(
    settings: RunSettings,
    chosen: list[Method],
    release: ReleaseIdentity,
    context: Context,
    respondent: Respondent | None,
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
        "methods": {method.name: _method(method, settings, context) for method in chosen},
        "model": _model(settings, respondent),
    }


def _method(method: Method, settings: RunSettings, context: Context) -> dict[str, Any]:
    return {
        "sees_dev": context.learns_from if method.sees_dev else None,
        "leaky": method.leaky,
        "floor": method.is_floor,
        "settings": _settings(method, settings, context),
    }


def _settings(method: Method, settings: RunSettings, context: Context) -> dict[str, Any]:
    if method.steers:
        return {"strengths": list(STRENGTHS), "most_heads": probes.HEADS, "probe_penalty": probes.PENALTY}
    if method.is_trained:
        return {"seeds": settings.training_seeds, "hyperparameters": dict(context.hyperparameters[method.name])}
    return {}


def _model(settings: RunSettings, respondent: Respondent | None) -> dict[str, Any] | None:
    if respondent is None or settings.model is None:
        return None
    from alignment.respondent.loading import identity_of, package_versions

    return identity_of(settings.model, respondent) | {"packages": package_versions()}
