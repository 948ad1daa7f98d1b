"""A run from its settings: what it needs is found, loaded and frozen; then the loop does it."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignment.api.loading import load_api_respondent
from alignment.api.respondent import ApiRespondent
from alignment.benchmark import Benchmark, read_benchmark
from alignment.hyperparameters import hyperparameters
from alignment.methods.contract import Context, Method
from alignment.methods.registry import few_shots_of_everything
from alignment.prompts import read_prompts
from alignment.runs.adapters import AdapterShelf
from alignment.runs.answering import Answering
from alignment.runs.configuration import configuration
from alignment.runs.descriptions import read_descriptions
from alignment.runs.extras import require_extra
from alignment.runs.folder import opened, refuse_other_run
from alignment.runs.loop import Loop, RunReport
from alignment.runs.progress import Progress
from alignment.runs.release import find_release
from alignment.runs.settings import OpenSettings, RunSettings
from alignment.runs.telling import Telling
from alignment.sharing import Share
from alignment.situations import situations
from papi.errors import UsageError

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

    AnyRespondent = Respondent | ApiRespondent


def run(settings: RunSettings, out: Path, share: Share, progress: Progress = lambda text: None) -> RunReport:
    """Run methods over subjects into a folder, or go on where an earlier run of the same settings ended.

    Raises `UsageError` (settings, another run's folder), `InputRejected` (release, prompts), `EnvironmentProblem`,
    `Busy`, `RemoteFailed`. A method that the model cannot do ends in the report as hopeless; the others go on.
    """
    chosen = settings.chosen()
    for name, why in settings.unavailable.items():
        progress(f"{name}: {why}")
    folder, identity = find_release(settings.release, settings.revision, settings.config)
    if identity.commit_checked is False:
        progress("the Hub must not be asked (HF_HUB_OFFLINE): the commit is the cache's word")
    benchmark = read_benchmark(folder, settings.config, settings.split, settings.labels)
    _say_what_is_not_as_asked(settings, chosen, benchmark, progress)
    texts = read_prompts(settings.config, settings.prompts)
    context = _context(settings, benchmark)
    before = refuse_other_run(out, configuration(settings, chosen, identity, context, None))  # before a model is loaded
    _say_what_address_was_before(settings, before, progress)
    respondent = _respondent(settings, chosen, texts, share, progress)
    shelf = AdapterShelf(out, context, str(settings.model.name)) if settings.save_adapters and settings.model else None
    answering = _answering(settings, respondent, context, shelf)
    frozen = configuration(settings, chosen, identity, context, respondent)
    connections = closing(respondent.client) if isinstance(respondent, ApiRespondent) else nullcontext()
    with connections, opened(out, share.rank, frozen) as run_folder:
        return Loop(settings, chosen, context, answering, run_folder, share, progress, shelf).run()


def _say_what_is_not_as_asked(
    settings: RunSettings, chosen: list[Method], benchmark: Benchmark, progress: Progress
) -> None:
    if settings.subjects and settings.subjects > len(benchmark.subjects):
        progress(f"the split {settings.split} has {len(benchmark.subjects)} subjects: all are taken")
    if len(alike := few_shots_of_everything(chosen, benchmark)) > 1:
        progress(f"{', '.join(alike)} are the same: there are {len(benchmark.given)} given items, all are told")


def _say_what_address_was_before(settings: RunSettings, before: dict[str, Any] | None, progress: Progress) -> None:
    now = settings.model.api.address if settings.model and settings.model.api else None
    known = ((before or {}).get("model") or {}).get("api_url")
    if now and known and now != known:
        progress(f"the run was last at {known}: {now} is to serve the same model")


def _context(settings: RunSettings, benchmark: Benchmark) -> Context:
    descriptions = read_descriptions(settings.descriptions, benchmark) if settings.descriptions else None
    return Context(benchmark, settings.seed, settings.min_mass, descriptions, hyperparameters(settings.replaced))


def _respondent(
    settings: RunSettings, chosen: list[Method], texts: dict[str, Any], share: Share, progress: Progress
) -> AnyRespondent | None:
    """The model, loaded only where a method needs it."""
    if settings.model is None or all(method.is_floor for method in chosen):
        return None
    if settings.model.api:
        return load_api_respondent(settings.model.name, settings.model.api, texts, settings.option_order, settings.seed)
    require_extra()
    from alignment.respondent.loading import load_respondent

    progress(f"loading {settings.model.name}")
    found = load_respondent(settings.model, texts, settings.option_order, share)
    if skipped := found.scorer.parts.skipped:
        progress(f"layers without self_attn.o_proj are not steered: {', '.join(map(str, skipped))}")
    return found


def _answering(
    settings: RunSettings, respondent: AnyRespondent | None, context: Context, shelf: AdapterShelf | None
) -> Answering | Telling:
    """Who makes the lines: of the options, or of open answers."""
    if settings.open_ended is None or respondent is None:
        return Answering(respondent, context, settings.training_seeds, shelf.keep if shelf else None)
    return _telling(settings.open_ended, respondent, context)


def _telling(chosen: OpenSettings, respondent: AnyRespondent, context: Context) -> Telling:
    asked = situations(context.benchmark, respondent.wording, chosen.items, own=chosen.own)
    if not asked:
        raise UsageError("there is nothing to tell: the Dark Triad has no situations", expected="--open 1 or more")
    return Telling(respondent, context, asked, chosen.most_tokens)
