"""Judging a run's texts: who judges, what is left, and the files `judgements.jsonl`, `judged.json`, `judged.md`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from alignment.api.client import ApiClient
from alignment.api.loading import SIGNS_A_TOKEN, told
from alignment.decoding import median
from alignment.judging.judges import (
    REPLY_TOKENS,
    Key,
    Text,
    asked_of_judge,
    at_hand,
    behind_address,
    in_random_order,
    judgement,
    texts_of,
)
from alignment.judging.measures import measure
from alignment.measures import asked_of
from alignment.model_settings import POCKET, ModelSettings
from alignment.prompts import Prompts, prompts_for
from alignment.report.runs import read_run
from alignment.runs.configuration_file import read_configuration
from alignment.runs.extras import require_extra
from alignment.runs.folder import ANSWERS, JUDGEMENTS, RunFolder
from alignment.runs.locks import only_one_in
from alignment.runs.progress import Clock, Progress
from alignment.runs.release import NOWHERE_ELSE, Moved, benchmark_of_run
from alignment.sharing import Share
from alignment.situations import situations
from papi.errors import GateFailed, RemoteFailed, UsageError
from papi.files import read_json, write_json, write_text
from papi.words import number

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

JUDGED, TABLE = "judged.json", "judged.md"


@dataclass(frozen=True)
class JudgeSettings:
    """Who judges, a model behind an address or one at hand, and the seed of the order of the texts."""

    model: ModelSettings
    seed: int = 0

    @property
    def name(self) -> str:
        """What tells judges apart in the files."""
        chosen = self.model
        return ", ".join(filter(None, (chosen.name, chosen.revision, chosen.dtype, chosen.quantize)))

    def refuse_what_cannot_judge(self) -> None:
        """Raise `UsageError` for options that mean nothing, and for the pocket respondent."""
        self.model.refuse_what_means_nothing()
        if self.model.name == POCKET:
            raise UsageError("the pocket respondent writes no text", next_step="name another --judge-model")


def judge_run(
    run: Path, settings: JudgeSettings, options: Path | None, progress: Progress, moved: Moved = NOWHERE_ELSE
) -> dict[str, Any]:
    """Judge what this judge has not judged yet, then measure all judgements of all judges; gives `judged.json`.

    `options` is a run of the options by the same methods, for the agreement with them. Raises `UsageError` for a run
    without open answers, `RemoteFailed` where texts are left over (what is done is kept), `GateFailed` for a judge that
    gives no numbers.
    """
    settings.refuse_what_cannot_judge()
    frozen = moved.in_place(read_configuration(run))
    if not frozen.get("open_ended"):
        advice = "papi align run … --open 10 writes such a run"
        raise UsageError("the run has no open answers to judge", where=str(run), next_step=advice)
    errors = None if options is None else option_errors(options, frozen)
    if options is None and (run / JUDGED).is_file() and read_json(run / JUDGED).get("with_options"):
        progress("the agreement with the options is left out now: --options brings it back, and asks nothing anew")
    with only_one_in(run, "judge"):
        folder = RunFolder(run)
        folder.mend()
        wording = prompts_for(frozen["prompts"], "forward")
        texts = in_random_order(texts_of(folder.lines(ANSWERS), _asked(frozen, wording)), settings.seed)
        own = [line for line in _newest(folder.lines(JUDGEMENTS)) if line["judge"] == settings.name]
        done = {(_key(line), line.get("system"), line["prompt"]) for line in own}
        todo = [text for text in texts if (text.key, *asked_of_judge(text, wording)) not in done]
        progress(f"judge {settings.name}: {len(todo):,} texts to judge, {len(texts) - len(todo):,} are judged")
        try:
            left = _judge(folder, todo, settings, wording, progress) if todo else []
        finally:
            document = measure(_newest(folder.lines(JUDGEMENTS)), errors)
            write_json(run / JUDGED, document)
            write_text(run / TABLE, table_of(document))
    if left:
        what, advice = f"{len(left)} texts could not be judged", "run the command again: it goes on with them"
        raise RemoteFailed(what, where=settings.name, got=left[-1], next_step=advice)
    _refuse_without_numbers(document, settings.name)
    return document


def _refuse_without_numbers(document: dict[str, Any], judge: str) -> None:
    """Raise `GateFailed` for a judge in none of whose replies there was a number."""
    by_method = document["judges"].get(judge, {}).values()
    if by_method and not any(about["scored"] or about["refused"] for about in by_method):
        advice = "take another judge; judgements.jsonl has its replies, and without those lines it is forgotten"
        raise GateFailed("the judge gave no text a number", where=judge, next_step=advice)


def option_errors(run: Path, frozen: dict[str, Any]) -> dict[Key, float]:
    """Of a run of the options: by method, subject and item the distance of the median option from the answer.

    Raises `UsageError` where it is of other people, labels or another model than the run of open answers (`frozen`).
    """
    found = read_run(run)
    for name, one, other in (
        *((name, frozen[name], found.facts[name]) for name in ("config", "split", "labels")),
        ("release", frozen["release"]["manifest_sha256"], found.facts["release"]["manifest_sha256"]),
        ("model", (frozen["model"] or {}).get("name"), (found.model or {}).get("name")),
    ):
        if one != other:
            what = f"the run of the options is of another {name}"
            raise UsageError(
                what, where=str(run), expected=str(one), got=str(other), next_step="name another --options"
            )
    items = asked_of(found.facts["config"], found.facts["labels"]).items
    errors: dict[Key, float] = {}
    for (method, subject), answer in found.answers.items():
        if answer.probabilities is None:
            continue
        away = np.abs(median(answer.probabilities) - answer.expected).mean(axis=0)
        errors |= {
            (method, subject, item): float(error) for item, error in zip(items, away, strict=True) if np.isfinite(error)
        }
    return errors


def table_of(document: dict[str, Any]) -> str:
    """judged.md: what judges found, for people."""
    lines = ["# Open answers, judged 1 to 6", ""]
    header = "| method | mean (95 %) | texts | refused | without a number |"
    for judge, methods in document["judges"].items():
        lines += [f"## {judge}", "", header, "|---|---:|---:|---:|---:|"]
        for name, found in sorted(methods.items(), key=lambda each: -(each[1]["mean"] or 0)):
            mean = "–" if found["mean"] is None else number(found["mean"])
            interval = "" if found["low"] is None else f" ({number(found['low'])} to {number(found['high'])})"
            counts = f"{found['texts']} | {found['refused']} | {found['unparseable']}"
            lines.append(f"| `{name}` | {mean}{interval} | {counts} |")
        lines.append("")
    lines += [
        "Intervals: the middle 95 % of 10,000 resamples of subjects.",
        "Refusals and replies without a number have no score.",
    ]
    for pair, kappa in document["kappa"].items():
        lines += ["", f"Agreement of {pair} (kappa, quadratic weights): {'–' if kappa is None else number(kappa)}."]
    for judge, found in (document["with_options"] or {}).items():
        r = "–" if found["r"] is None else number(found["r"])
        lines += ["", f"{judge} against the options' closeness to the answer: r = {r}, {found['texts']} texts."]
    return "\n".join(lines) + "\n"


def _asked(frozen: dict[str, Any], wording: Prompts) -> Sequence[Any]:
    """The situations of a run, their statements taken from its release."""
    chosen = frozen["open_ended"]
    return situations(benchmark_of_run(frozen), wording, chosen["items"], own=chosen["own"])


def _judge(
    folder: RunFolder, todo: Sequence[Text], settings: JudgeSettings, wording: Prompts, progress: Progress
) -> list[str]:
    """Judge and keep each judgement as it comes; gives why texts are left over, a reason each."""
    asked = [(place, *asked_of_judge(text, wording)) for place, text in enumerate(todo)]
    clock, alone = Clock(f"judge {settings.name}", len(todo), progress, of="text"), Lock()

    def keep(place: int, reply: str) -> None:
        with alone:
            folder.add(JUDGEMENTS, judgement(todo[place], settings.name, asked[place][1:], reply))
            clock.tick()

    api = settings.model.api
    if api is None:
        return at_hand(_respondent(settings, wording))(asked, keep)
    client = ApiClient(settings.model.name, api)
    with closing(client):
        signs = sum(len(system) + len(user) for _, system, user in asked)
        tokens = told(signs // SIGNS_A_TOKEN, REPLY_TOKENS * len(todo), api, "at most ")
        progress(f"judge {settings.name}: about {tokens}")
        try:
            return behind_address(client, settings.seed)(asked, keep)
        finally:
            progress(f"judge {settings.name}: {told(client.sent, client.written, api)}")


def _respondent(settings: JudgeSettings, wording: Prompts) -> Respondent:
    require_extra()
    from alignment.respondent.loading import load_respondent

    return load_respondent(settings.model, wording.texts, "forward", Share())


def _newest(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last judgement of each text by each judge: an earlier one was of another rubric or another text."""
    return list({(line["judge"], *_key(line)): line for line in lines}.values())


def _key(line: dict[str, Any]) -> Key:
    return line["method"], line["subject"], line["situation"]
