"""`papi push`: publish a release on the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from papi.cli.console import examples, path_argument, print_json, progress_lines

if TYPE_CHECKING:
    from builders.hub.push import Pushed

EXAMPLES = examples(
    "papi push release palign/papi --tag v1.0.0 --dry-run",
    "papi push release palign/papi --tag v1.0.0",
    "papi push papi-demo/release me/papi-try --private --allow-simulated",
)


def push(
    release: Annotated[Path, path_argument("Folder of a release.")],
    repository: Annotated[str, typer.Argument(help="Dataset repository on the Hub, OWNER/NAME.")],
    tag: Annotated[str | None, typer.Option(help="Tag to set, v and the release's version; none: no tag.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a missing repository private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
    allow_gate_failures: Annotated[
        bool, typer.Option("--allow-gate-failures", help="Publish although gates failed when it was built.")
    ] = False,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Publish although the people are simulated.")
    ] = False,
    replace_edits: Annotated[
        bool, typer.Option("--replace-edits", help="Replace what was changed by hand in the repository.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Publish a release: one commit, read back, tagged, loaded. Pushing is redistribution: see LICENSE.md."""
    from builders.hub.client import HubRepository
    from builders.hub.push import PushOptions, push_release

    options = PushOptions(tag, private, dry_run, allow_gate_failures, allow_simulated, replace_edits)
    pushed = push_release(release, HubRepository(repository), options, progress_lines())
    if as_json:
        print_json(_described(pushed, dry_run))
    else:
        _show(pushed, dry_run)


def _described(pushed: Pushed, dry_run: bool) -> dict[str, Any]:
    plan = pushed.plan
    return {
        "repository": pushed.repository,
        "url": pushed.url,
        "dry_run": dry_run,
        "parent": plan.parent,
        "commit": pushed.commit,
        "tag": plan.tag,
        "add": list(plan.add),
        "delete": list(plan.delete),
        "unchanged": list(plan.unchanged),
        "files": {name: {"bytes": file.bytes, "sha256": file.sha256} for name, file in pushed.files.items()},
        "rows": pushed.rows,
    }


def _show(pushed: Pushed, dry_run: bool) -> None:
    plan = pushed.plan
    if dry_run:
        _show_plan(pushed)
        return
    print(f"{pushed.url}: {len(plan.add)} files uploaded, {len(plan.delete)} deleted, {len(plan.unchanged)} as before")
    print(f"commit {pushed.commit}{f', tag {plan.tag}' if plan.tag else ', no tag (--tag names a version)'}")
    for config, splits in pushed.rows.items():
        print(f'load_dataset("{pushed.repository}", "{config}"): ' + ", ".join(f"{k} {n:,}" for k, n in splits.items()))


def _show_plan(pushed: Pushed) -> None:
    """One line a file, names and hashes whole, so that they can be compared and searched."""
    plan = pushed.plan
    print(f"{pushed.url}: nothing was changed; a push would do this")
    to_do = dict.fromkeys(plan.add, "add") | dict.fromkeys(plan.unchanged, "keep")
    for name, file in sorted(pushed.files.items()):
        print(f"{to_do[name]:6} {file.bytes:>12,} bytes  {file.sha256}  {name}")
    for name in plan.delete:
        print(f"delete {name}")
    print(f"parent {plan.parent or 'none: the repository would be created'}")
    print(f"tag    {plan.tag or 'none'}{'' if plan.sets_tag or not plan.tag else ' (it is there already)'}")


push.__doc__ = f"{push.__doc__}\n\n{EXAMPLES}"
