"""`papi info`: what is in a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.build import show_release, summary
from papi.cli.console import examples, path_argument, print_json

EXAMPLES = examples("papi info release", "papi info release --json")


def info(
    release: Annotated[Path, path_argument("Folder of a release.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is in a release: people by config and split, gates, raw files."""
    from papi.manifest import read_manifest

    manifest = read_manifest(release)
    if as_json:
        print_json(summary(manifest))
        return
    show_release(manifest, str(release))
    for record in manifest["raw"]:
        pinned = "pinned" if record["pinned"] else "not pinned"
        print(f"from {record['name']} ({record['use']}, {record['bytes']:,} bytes, {pinned})")


info.__doc__ = f"{info.__doc__}\n\n{EXAMPLES}"
