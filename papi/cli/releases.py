"""`papi releases`: the versions that a repository on the Hub has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from papi.cli.console import examples, print_json, print_table

if TYPE_CHECKING:
    from builders.hub.published import Version

EXAMPLES = examples("papi releases palign/papi", "papi releases palign/papi --json")
SHOWN_DIGITS = 12


def releases(
    repository: Annotated[str, typer.Argument(help="Dataset repository on the Hub, OWNER/NAME.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the versions as JSON.")] = False,
) -> None:
    """List the published versions of a repository, newest first."""
    from builders.hub.client import HubRepository
    from builders.hub.published import list_versions

    versions = [_described(version) for version in list_versions(HubRepository(repository))]
    if as_json:
        print_json({"repository": repository, "versions": versions})
        return
    rows = [
        [v["name"], v["version"] or v["problem"], v["date"] or "", f"{v['people'] or 0:,}", v["commit"][:SHOWN_DIGITS]]
        for v in versions
    ]
    print_table(("revision", "version", "date", "people", "commit"), rows, f"versions of {repository}")


def _described(version: Version) -> dict[str, Any]:
    manifest = version.manifest
    facts: dict[str, Any] = {"name": version.name, "commit": version.commit, "problem": version.problem}
    if manifest is None:
        return facts | {"version": None, "date": None, "simulated": None, "people": None}
    people = sum(config["people"] for config in manifest["configs"].values())
    about = {"version": manifest["version"], "date": manifest.get("date"), "simulated": manifest["simulated"]}
    return facts | about | {"people": people, "code": manifest.get("code")}


releases.__doc__ = f"{releases.__doc__}\n\n{EXAMPLES}"
