"""`papi build`: from raw files to a release."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from papi.cli.console import examples, path_argument, path_option, print_json, print_table, progress_lines
from papi.errors import UsageError
from papi.instruments import SPLITS
from papi.manifest import VERSION_TAG

EXAMPLES = examples(
    "papi build raw release",
    "papi build raw release --published lists --version 1.0.0 --date 2026-01-31",
    "papi build raw release --only dark-triad --min-country 1000 --json",
    "papi build raw release-1.1.0 --version 1.1.0 --previous release-1.0.0 --notes words.md",
)


def build(
    raw: Annotated[Path, path_argument("Folder with raw files, searched with its subfolders.")],
    out: Annotated[Path, path_argument("The release: a new folder, or an older release to replace.")],
    published: Annotated[Path | None, path_option("Folder with the published test lists.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Instrument to build; may be repeated.")] = None,
    version: Annotated[str, typer.Option(help="Version of the data, X.Y.Z.")] = "0.0.0",
    date: Annotated[str | None, typer.Option(help="Date of the release, YYYY-MM-DD; else SOURCE_DATE_EPOCH.")] = None,
    min_country: Annotated[int, typer.Option(help="People a country needs to be published.")] = 500,
    require_pinned: Annotated[bool, typer.Option("--require-pinned", help="Refuse files of unknown hash.")] = False,
    allow_gate: Annotated[list[str] | None, typer.Option(help="Gate that may fail; recorded in the release.")] = None,
    previous: Annotated[Path | None, path_option("The last version, for the changelog and the number.")] = None,
    notes: Annotated[Path | None, path_option("Text file with your words for the changelog.")] = None,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Leave out the figures of the README.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Build a release from raw files: parquet, manifest, README and its figures, whole or not at all."""
    from builders.options import BuildOptions
    from builders.release import build_release

    options = BuildOptions(
        published=published,
        only=tuple(only or ()),
        version=_checked_version(version),
        date=release_date(date, os.environ),
        min_country=min_country,
        require_pinned=require_pinned,
        allow_gates=tuple(allow_gate or ()),
        previous=previous,
        notes=notes,
        figures=not no_figures,
    )
    manifest, report = build_release(raw, out, options, progress_lines())
    if as_json:
        print_json({"release": str(out), **summary(manifest), "notes": report.notes, "ignored": report.ignored})
        return
    show_release(manifest, str(out))
    for note in [*report.notes, *(f"ignored: {name}" for name in report.ignored)]:
        print(note)


def summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader of JSON wants to know of a release; the manifest has it all."""
    keys = (
        "version",
        "date",
        "simulated",
        "configs",
        "items",
        "cases_in_both_ipip_forms",
        "gates",
        "allowed_gates",
        "raw",
    )
    return {key: manifest[key] for key in keys if key in manifest}


def show_release(manifest: Mapping[str, Any], where: str) -> None:
    """Print what is in a release: people by config and split, gates, whether it is simulated."""
    rows = [
        [name, f"{config['people']:,}", *(f"{config['splits'].get(split, 0):,}" for split in SPLITS)]
        for name, config in manifest["configs"].items()
    ]
    rows.append(["items", f"{manifest['items']:,}", *([""] * len(SPLITS))])
    print_table(("config", "rows", *SPLITS), rows, f"PAPI {manifest['version']} in {where}")
    verdicts = [finding["verdict"] for finding in manifest["gates"]]
    print("gates: " + ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)))
    if manifest["simulated"]:
        print("These people are simulated: nobody answered these questionnaires.")


def release_date(date: str | None, environment: Mapping[str, str]) -> str | None:
    """The date of a release: the one given, else that of SOURCE_DATE_EPOCH (UTC), else none."""
    try:
        if date is not None:
            return datetime.date.fromisoformat(date).isoformat()
        epoch = environment.get("SOURCE_DATE_EPOCH")
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date().isoformat() if epoch else None
    except (ValueError, OverflowError, OSError) as error:
        got = date if date is not None else f"SOURCE_DATE_EPOCH={environment['SOURCE_DATE_EPOCH']}"
        raise UsageError("this is no date", expected="YYYY-MM-DD, or seconds since 1970", got=got) from error


def _checked_version(version: str) -> str:
    if not VERSION_TAG.fullmatch(f"v{version}"):
        raise UsageError("this is no version", expected="X.Y.Z, such as 1.0.0", got=version)
    return version


build.__doc__ = f"{build.__doc__}\n\n{EXAMPLES}"
