"""Validate raw files without building: everything that is wrong in all of them, not only the first that refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders.privacy import DEFAULT_MIN_COUNTRY
from builders.raw.files import RawFile, RawFolder, find_raw_files, is_pinned, recognised
from builders.raw.inputs import ANSWER_KINDS, PUBLISHED_KINDS, TEXT_KINDS, read_answers
from builders.raw.item_key import read_codebook, read_item_key
from builders.raw.published import find_people, read_published
from builders.raw.table import RawTable
from builders.respondents import respondents
from papi.errors import InputRejected, PapiError, Place
from papi.files import sha256_of
from papi.instruments import INSTRUMENTS, Instrument, instrument
from papi.manifest import read_manifest
from papi.scoring import responses_from_stored, scores_from_responses
from validation.moments import moments_of
from validation.reference import REAL, SIMULATED, lag_correlations, pinned_means, reference_means
from validation.report import Report


def validate_raw(path: Path, against: Path | None = None) -> Report:
    """Every check of a raw folder or a single raw file. Raises `InputRejected` where `path` holds nothing known."""
    single = path.is_file()
    folder = RawFolder(tuple(recognised(path, path.name)), ()) if single else find_raw_files(path)
    if not folder.files:
        raise InputRejected(
            f"{path} is nothing that can be validated",
            where=str(path),
            expected="raw files, or a release with its manifest.json",
            got=", ".join(folder.ignored[:10]) or "no raw file",
            next_step="papi fetch downloads the raw files, papi build makes a release",
        )
    validation = _RawValidation(folder, Report(str(path), "raw file" if single else "raw folder"))
    contents = {family: validation.texts(family) for family in TEXT_KINDS}
    for name in INSTRUMENTS:
        validation.instrument(instrument(name), contents[instrument(name).family])
    if folder.ignored:
        validation.report.note("folder", "files that are not known", f"{len(folder.ignored):,}", folder.ignored)
    if against is not None:
        validation.against(against)
    return validation.report


@dataclass
class _RawValidation:
    """The files of a folder, each read once, and what was found; `hashes` of what was read, by name."""

    folder: RawFolder
    report: Report
    hashes: dict[str, str] = field(default_factory=dict)

    def texts(self, family: str) -> str | None:
        """Whose wordings the item key or the codebook has, None where there is none."""
        whose = None
        for file in self.folder.of_kind(TEXT_KINDS[family]):
            try:
                whose = (read_item_key if family == "ipip" else read_codebook)(self._content(file), file.label).content
                self.report.passed(file.label, "wordings", whose)
            except PapiError as error:
                self.report.refused(file.label, "wordings", error)
        return whose

    def instrument(self, of: Instrument, content: str | None) -> None:
        """Read, assess and compare every file of an instrument."""
        tables = {}
        for file in self.folder.of_kind(*ANSWER_KINDS[of.name]):
            try:
                raw = self._content(file)
                tables[file] = read_answers(raw, of, file)
            except PapiError as error:
                self.report.refused(file.label, "schema", error)
                continue
            self._assess(file, tables[file], of, content, is_pinned(raw))
        self._agreement(tables)
        for file in self.folder.of_kind(PUBLISHED_KINDS.get(of.name, "")):
            self._published(file, of, tables)

    def against(self, release: Path) -> None:
        """Whether these are the raw files that a release was made of."""
        recorded = {record["sha256"]: record["name"] for record in read_manifest(release)["raw"]}
        gone = [digest for digest in recorded if digest not in self.hashes.values()]
        problems = [Place(recorded[digest], f"a file with sha256 {digest}", "none") for digest in gone]
        self.report.problems("against", f"the raw files of {release}", problems)
        others = [name for name, digest in self.hashes.items() if digest not in recorded]
        if others:
            self.report.note("against", f"files that {release} was not made of", f"{len(others):,}", others)

    def _content(self, file: RawFile) -> bytes:
        content = file.content()
        self.hashes[file.label] = sha256_of(content)
        return content

    def _assess(self, file: RawFile, table: RawTable, of: Instrument, content: str | None, pinned: bool) -> None:
        self.report.passed(file.label, "schema", f"{len(table):,} people, {'known' if pinned else 'unknown'} hash")
        impossible = ", ".join(f"{name} {count:,}" for name, count in table.impossible.items())
        if impossible:
            self.report.note(file.label, "impossible values, become null", impossible, table.notes)
        if content is None:
            content = _nearer_content(table, of)
            self.report.note(file.label, "no item key beside it", f"compared with the {content} item means")
        means = pinned_means(of, pinned, content)
        self.report.gates(respondents(table, of, content, DEFAULT_MIN_COUNTRY, pinned_means=means).findings)

    def _agreement(self, tables: dict[RawFile, RawTable]) -> None:
        files = list(tables)
        for other in files[1:]:
            same = tables[files[0]].same_answers(tables[other])
            problems = [] if same else [Place(other.label, f"the answers of {files[0].label}", "other answers")]
            self.report.problems(other.label, "the same answers as its other copy", problems)

    def _published(self, file: RawFile, of: Instrument, tables: dict[RawFile, RawTable]) -> None:
        try:
            listed = read_published(self._content(file), of.name, file.label)
        except PapiError as error:
            self.report.refused(file.label, "published list", error)
            return
        if not tables:
            self.report.not_assessed(
                file.label, "published list", f"{len(listed):,} people, no answers to find them in"
            )
            return
        found = len(find_people(listed, next(iter(tables.values()))))
        problem = [] if found else [Place(file.label, f"some of {len(listed):,} people in the answers", "nobody")]
        self.report.problems(file.label, "published list", problem, f"{found:,} of {len(listed):,} people found")


def _nearer_content(table: RawTable, of: Instrument) -> str:
    """Whose item means the answers are more like."""
    means = moments_of(scores_from_responses(responses_from_stored(table.answers, of), of)).means
    fit: dict[str, Any] = {c: lag_correlations(means, reference_means(c, of))[0] for c in (REAL, SIMULATED)}
    return max(fit, key=lambda content: fit[content])
