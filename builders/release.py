"""Build a release: from a folder of raw files to parquet, manifest and README, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from builders.history import history_of
from builders.items_table import items_table
from builders.options import BuildOptions
from builders.raw.files import find_raw_files
from builders.raw.inputs import RawInputs
from builders.raw.item_key import ItemTexts
from builders.raw.table import RawTable
from builders.release_manifest import BuiltConfig, describe_release, file_facts
from builders.respondents import Respondents, respondents
from builders.splits import Splits, assign_splits
from builders.staging import check_target, report_of, staged, uninterrupted
from cards.figures import Figure, write_figures
from cards.release_texts import write_release_texts
from papi.errors import InputRejected
from papi.files import write_json
from papi.instruments import INSTRUMENTS, ITEMS_CONFIG, SPLITS, Instrument, instrument
from papi.manifest import MANIFEST, shard_name
from papi.parquet import arrow_schema, write_parquet
from validation.gates import Finding, assess, refuse_failures
from validation.people_evidence import SampleEvidence, StructureEvidence
from validation.reference import pinned_means
from validation.schemas import check_table

ROWS_PER_SHARD = 250_000
Progress = Callable[[str], None]


@dataclass
class BuildReport:
    """What is local to a build and never pushed: paths, timings, problems found."""

    raw: str
    release: str
    ignored: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)


def build_release(
    raw: Path, out: Path, options: BuildOptions, progress: Progress = lambda text: None
) -> tuple[dict[str, Any], BuildReport]:
    """Build `out` from the raw files under `raw`; gives the manifest and the local report.

    Raises `UsageError` for options that mean nothing, `InputRejected` (exit 3) for raw files that are not what they
    must be, `GateFailed` (exit 4), `EnvironmentProblem` (exit 5) and `Busy` (exit 6). After any of them the old
    release at `out` is untouched.
    """
    options.check()
    check_target(out)
    folder = find_raw_files(raw, *([options.published] if options.published else []))
    inputs = RawInputs(folder, options.require_pinned)
    report = BuildReport(str(raw), str(out), list(folder.ignored))
    wanted = [instrument(name) for name in INSTRUMENTS if not options.only or name in options.only]
    texts = {family: inputs.texts(family) for family in dict.fromkeys(of.family for of in wanted)}
    _refuse_mixture(texts)
    with staged(out) as staging:
        build = _Build(staging, inputs, options, report, progress)
        built = build.configs(wanted, texts)
        _write_items(staging, wanted, texts)
        manifest = describe_release(staging, built, inputs, texts, options.decisions())
        history = history_of(staging, manifest, options.previous, options.notes)
        figures = _figures(staging, manifest, progress) if options.figures else []
        write_release_texts(staging, manifest, history, figures)
        manifest["files"] = file_facts(staging, manifest["files"])
        write_json(staging / MANIFEST, manifest)
        write_json(report_of(staging), asdict(report))
        progress("swapping the new release in")
    return manifest, report


@dataclass(frozen=True)
class _Build:
    """The configs of one build on their way from raw files into the staging folder."""

    staging: Path
    inputs: RawInputs
    options: BuildOptions
    report: BuildReport
    progress: Progress

    def configs(self, wanted: Iterable[Instrument], texts: dict[str, ItemTexts]) -> dict[str, BuiltConfig]:
        """Every instrument in turn; while one is written the next is read, which keeps both cores at work."""
        built, writing = {}, []
        with ThreadPoolExecutor(max_workers=1) as writer:
            for of in wanted:
                built[of.name], write = self._config(of, texts[of.family])
                # A thread whose start is cut off is not waited for: it would still write while the folder is removed.
                with uninterrupted():
                    writing.append(writer.submit(write))
                del write  # the writer alone keeps the people of an instrument
        for job in writing:
            job.result()
        return built

    def _config(self, of: Instrument, texts: ItemTexts) -> tuple[BuiltConfig, Callable[[], None]]:
        """Read, assess and split one instrument; what is left to do is to call the second value, which writes it."""
        with self._step(of.name, "read"):
            table, pinned = self.inputs.answers(of)
        with self._step(of.name, "assess"):
            means = pinned_means(of, pinned, texts.content)
            assessed = respondents(table, of, texts.content, self.options.min_country, self.options.allowed, means)
            self._pass_gates(assessed.findings)
        people = assessed.respondents
        with self._step(of.name, "split"):
            splits = assign_splits(people, table, self.inputs.published(of))
            findings = self._pass_gates(self._split_findings(len(table), people, splits))
        self._note(table, splits, assessed.disclosure, of.name)
        cases = table.people["case"].to_numpy() if "case" in table.people else None
        findings = assessed.findings + findings
        config = BuiltConfig(
            splits=splits,
            quality=assessed.quality,
            blunted=people.changed,
            disclosure=assessed.disclosure,
            minors=assessed.minors,
            repairs={"impossible": dict(table.impossible), "blank": dict(table.blank)},
            cases=cases,
            findings=findings,
        )
        return config, lambda: self._write(people, splits)

    def _split_findings(self, read: int, people: Respondents, splits: Splits) -> list[Finding]:
        of = people.instrument
        findings = assess(StructureEvidence(of, read, people.ids, splits.rows), self.options.allowed)
        return findings + (assess(SampleEvidence(of, splits.sample), self.options.allowed) if splits.sample else [])

    def _pass_gates(self, findings: list[Finding]) -> list[Finding]:
        """Note the findings in the report, then stop where one failed."""
        self.report.gates.extend(asdict(finding) for finding in findings)
        refuse_failures(findings)
        return findings

    def _write(self, people: Respondents, splits: Splits) -> None:
        config = people.instrument.name
        with self._step(config, "write"):
            for split, rows in splits.rows.items():
                shards = np.array_split(rows, -(-len(rows) // ROWS_PER_SHARD))
                for index, shard in enumerate(shards):
                    table, name = people.table(shard), shard_name(config, split, index, len(shards))
                    check_table(table, config, name)
                    write_parquet(self.staging / name, table, config)

    def _note(self, table: RawTable, splits: Splits, disclosure: list[dict[str, Any]], config: str) -> None:
        self.report.people[config] = {
            "rows": len(table),
            "impossible": dict(table.impossible),
            "impossible_at": [str(place) for place in table.notes],
            "blank": dict(table.blank),
            "likeness": splits.likeness,
            "disclosure": disclosure,
        }
        self.report.notes.extend(_split_notes(config, splits))

    @contextmanager
    def _step(self, config: str, what: str) -> Iterator[None]:
        """Say which step begins and note how long it took, for the local report only."""
        self.progress(f"{config}: {what}")
        start = time.perf_counter()
        yield
        self.report.seconds[f"{config}: {what}"] = round(time.perf_counter() - start, 3)


def _refuse_mixture(texts: dict[str, ItemTexts]) -> None:
    contents = {family: text.content for family, text in texts.items()}
    if len(set(contents.values())) > 1:
        raise InputRejected(
            "the raw files mix real and simulated questionnaires",
            got=", ".join(f"{family}: {content}" for family, content in contents.items()),
            next_step="keep them in separate folders, or build one with --only",
        )


def _write_items(staging: Path, wanted: Iterable[Instrument], texts: dict[str, ItemTexts]) -> None:
    frame = items_table(wanted, texts)
    table = pa.Table.from_pandas(frame, schema=arrow_schema(ITEMS_CONFIG), preserve_index=False)
    name = shard_name(ITEMS_CONFIG, ITEMS_CONFIG, 0, 1)
    check_table(table, ITEMS_CONFIG, name)
    write_parquet(staging / name, table.replace_schema_metadata(), ITEMS_CONFIG)


def _figures(staging: Path, manifest: dict[str, Any], progress: Progress) -> list[Figure]:
    progress("drawing the figures")
    return write_figures(staging, manifest)


def _split_notes(config: str, splits: Splits) -> list[str]:
    """What a user should know of the splits: partly found lists, small and missing splits."""
    test = splits.definition["test"]
    notes = []
    if test["protocol"] == "published list":
        partly = "" if test["found"] == test["listed"] else ", only a part of the list"
        notes.append(f"{config}: test is the published list, {test['found']} of {test['listed']} people found{partly}")
    else:
        notes.append(f"{config}: no published list; the k-means recipe chose {test['found']} test subjects")
    for split in SPLITS:
        if split not in splits.rows:
            notes.append(f"{config}: nobody is left for the split {split}, it is left out")
    sample = splits.definition["test_population"]
    if 0 < sample["found"] < 100:
        notes.append(f"{config}: test_population has only {sample['found']} people")
    return notes
