"""Validate a release: its bytes, its tables, what follows from what, and the gates once more on what is published."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from papi.errors import PapiError, Place
from papi.instruments import ITEMS_CONFIG, TEST_POPULATION, instrument
from papi.manifest import read_manifest, shard_paths, splits_of
from papi.parquet import read_parquet
from validation.answer_evidence import AnswerEvidence
from validation.difference import compare_releases
from validation.disclosure import disclosure_table, minors
from validation.gates import Finding, assess
from validation.integrity import integrity_problems
from validation.likeness import likeness
from validation.people_evidence import DisclosureEvidence, SampleEvidence
from validation.published_config import PublishedConfig, recomputed_problems
from validation.quality import quality
from validation.reference import REAL, SIMULATED, pinned_means
from validation.report import Report
from validation.schemas import check_table

Manifest = dict[str, Any]
AT_ONCE = 2  # configs in memory at a time


def validate_release(release: Path, against: Path | None = None) -> Report:
    """Every check of a release; nothing is raised for what is wrong with it, but where it is no release at all."""
    manifest = read_manifest(release)
    report = Report(str(release), "release")
    items = _read(release, manifest, ITEMS_CONFIG, report)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        files = pool.submit(integrity_problems, release, manifest)
        parts = list(pool.map(lambda name: _validated(release, manifest, name, items), manifest["configs"]))
    report.problems("files", "as in the manifest", files.result())
    for part in parts:
        report.checks.extend(part.checks)
    if against is not None:
        _compare(against, release, report)
    return report


def _validated(release: Path, manifest: Manifest, name: str, items: dict[str, pa.Table] | None) -> Report:
    """The checks of one config."""
    report = Report(str(release), "release")
    splits = _read(release, manifest, name, report)
    if splits is not None:
        _check_config(PublishedConfig(instrument(name), splits), manifest, report)
        if items is not None:
            report.problems(name, "items and columns, one to one", _item_problems(items[ITEMS_CONFIG], name))
    return report


def _read(release: Path, manifest: Manifest, config: str, report: Report) -> dict[str, pa.Table] | None:
    """The tables of a config by split, each checked by its schema; None where one cannot be used."""
    tables = {}
    try:
        for split in splits_of(manifest, config):
            shards = {name: read_parquet([release / name], config) for name in shard_paths(manifest, config, split)}
            for name, shard in shards.items():
                check_table(shard, config, name)
            tables[split] = pa.concat_tables(shards.values())
    except PapiError as error:
        report.refused(config, "schema", error)
        return None
    report.passed(config, "schema", f"{sum(map(len, tables.values())):,} rows")
    return tables


def _check_config(config: PublishedConfig, manifest: Manifest, report: Report) -> None:
    name = config.instrument.name
    report.problems(name, "splits as in the manifest", _split_problems(config, manifest["configs"][name]))
    report.problems(name, "ids, scores, indices and flags follow from the answers", recomputed_problems(config))
    findings, described = _assessed(config, manifest)
    report.gates(findings)
    report.problems(
        name, "gates, likeness, quality and disclosure as in the manifest", _record_problems(described, manifest)
    )


def _split_problems(config: PublishedConfig, recorded: dict[str, Any]) -> list[Place]:
    """Sizes, order and disjointness of the splits."""
    name, problems = config.instrument.name, []
    for split, table in config.splits.items():
        ids = table["subject_id"].to_numpy()
        if len(table) != recorded["splits"][split]:
            problems.append(Place(f"{name}, {split}", f"{recorded['splits'][split]:,} people", f"{len(table):,}"))
        if (ids[1:] <= ids[:-1]).any():
            problems.append(Place(f"{name}, {split}", "rows in the order of subject_id, each once", "another order"))
    ids = config.table["subject_id"].to_numpy()
    doubled = len(ids) - len(np.unique(ids))
    if doubled:
        problems.append(Place(name, "every person in one split", f"{doubled:,} people in more than one"))
    if len(ids) != recorded["people"]:
        problems.append(Place(name, f"{recorded['people']:,} people", f"{len(ids):,}"))
    return problems


def _assessed(config: PublishedConfig, manifest: Manifest) -> tuple[list[Finding], dict[str, Any]]:
    """The gates that published people can pass or fail, and what the manifest should say of them."""
    of, content = config.instrument, SIMULATED if manifest["simulated"] else REAL
    copies = config.table["flag_duplicate"].to_numpy() & (config.indices.irv > 0)
    pinned = any(r["kind"].startswith(of.name) and r["use"] == "source" and r["pinned"] for r in manifest["raw"])
    evidence = AnswerEvidence(
        instrument=of,
        scores=config.scores,
        content=content,
        indices=config.indices,
        doubled_cases=None,
        copies=int(copies.sum()),
        impossible_rows=None,
        pinned_means=pinned_means(of, pinned, content),
    )
    allowed = manifest.get("allowed_gates", [])
    findings = assess(evidence, allowed) + assess(DisclosureEvidence(of, config.demographics), allowed)
    everybody = config.portrait(np.flatnonzero(~config.flagged))
    likenesses = {split: likeness(config.portrait(rows), everybody) for split, rows in config.rows().items()}
    if TEST_POPULATION in likenesses:
        findings += assess(SampleEvidence(of, likenesses[TEST_POPULATION]), allowed)
    described = {"all_unflagged": everybody.described()}
    described |= {split: one.described() for split, one in likenesses.items() if split != "dev"}
    facts = {
        "likeness": described,
        "quality": quality(evidence, config.flags),
        "disclosure": disclosure_table(config.demographics),
        "minors": minors(config.demographics),
    }
    return findings, {"name": of.name, "gates": findings} | facts


def _record_problems(described: dict[str, Any], manifest: Manifest) -> list[Place]:
    """Where the manifest says something else than what was computed anew."""
    name = described["name"]
    recorded = {(g["gate"], g["statistic"]): g["value"] for g in manifest["gates"] if g["instrument"] == name}
    problems = []
    for finding in described["gates"]:
        value = recorded.get((finding.gate, finding.statistic))
        if finding.value is not None and value != finding.value:
            problems.append(Place(f"{name}, gate {finding.gate}", f"{value} (manifest)", f"{finding.value}"))
    facts = {
        "likeness": manifest["configs"][name].get("likeness"),
        "quality": manifest["configs"][name].get("quality"),
        "disclosure": manifest.get("privacy", {}).get("disclosure", {}).get(name),
        "minors": manifest.get("privacy", {}).get("minors", {}).get(name),
    }
    differing = [what for what, fact in facts.items() if fact != described[what]]
    return problems + [Place(f"{name}, {what}", "what the manifest says", "other numbers") for what in differing]


def _item_problems(items: pa.Table, config: str) -> list[Place]:
    """Whether the rows of the items table are the item columns, in order, with their keys and roles."""
    of = instrument(config)
    rows = [row for row in items.to_pylist() if row["instrument"] == config]
    names = [row["item"] for row in rows]
    if names != list(of.item_names):
        return [Place(f"items of {config}", f"{', '.join(of.item_names[:3])} …", f"{len(names)} other rows")]
    facts = [(item.keyed, item.domain, item.facet, item.role) for item in of.items]
    published = [(row["keyed"], row["domain"], row["facet"], row["role"]) for row in rows]
    return [
        Place(f"items of {config}, {name}", str(expected), str(got))
        for name, expected, got in zip(names, facts, published, strict=True)
        if expected != got
    ]


def _compare(against: Path, release: Path, report: Report) -> None:
    """What changed since another release: to know, not to fail."""
    difference = compare_releases(against, release)
    if not difference:
        report.passed("against", str(against), "no difference")
    for part, changes in vars(difference).items():
        for name, change in changes.items():
            report.note(f"against: {name}", part, str(change))
