"""`papi validate`, `papi verify`, `papi diff`: is it right, is it whole, what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from papi.cli.console import examples, path_argument, path_option, print_json, print_table

if TYPE_CHECKING:
    from validation.difference import Difference
    from validation.report import Report

VALIDATE_EXAMPLES = examples("papi validate raw", "papi validate raw/IPIP300.dat", "papi validate release --json")
VERIFY_EXAMPLES = examples(
    "papi verify release", "papi verify release --json", "papi verify palign/papi --revision v1.0.0"
)
DIFF_EXAMPLES = examples("papi diff release-1.0.0 release-1.1.0", "papi diff old new --json")
DIFFERENT = 1
MARKS = {"passed": "✓", "failed": "✗", "failed, allowed": "!", "not assessed": "–", "note": "·"}


def validate(
    path: Annotated[Path, path_argument("Raw folder, raw file, or release.")],
    against: Annotated[
        Path | None,
        path_option("A release: raw files must be those it was made of, a release is compared."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every check as JSON.")] = False,
) -> None:
    """Check raw files or a release: schemas, what follows from what, gates. Exit 3: rejected, 4: a gate failed."""
    from papi.errors import MissingFile
    from papi.manifest import MANIFEST

    if not path.exists():
        advice = "name a folder with raw files, one raw file, or a release"
        raise MissingFile(f"{path} is not there", where=str(path), next_step=advice)
    from builders.validate_raw import validate_raw
    from validation.release import validate_release

    check = validate_release if (path / MANIFEST).is_file() else validate_raw
    report = check(path, against)
    if as_json:
        print_json(report.described())
    else:
        _show(report)
    raise typer.Exit(report.exit_code)


def verify(
    release: Annotated[str, typer.Argument(help="Folder of a release, or OWNER/NAME of a repository on the Hub.")],
    revision: Annotated[str | None, typer.Option(help="Tag, branch or commit of a repository; else main.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compare every file of a release with its manifest: hash, size, nothing missing, nothing extra. Exit 3 if not."""
    manifest, where = _verified(release, revision)
    size = sum(facts["bytes"] for facts in manifest["files"].values())
    if as_json:
        print_json({**where, "version": manifest["version"], "files": manifest["files"]})
    else:
        print(f"{', '.join(where.values())}: {len(manifest['files'])} files, {size:,} bytes, all as in the manifest")


def _verified(release: str, revision: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest of what was found sound, and where it is."""
    from papi.locating import is_folder
    from validation.integrity import verify_release

    if is_folder(release, revision):
        return verify_release(Path(release)), {"release": release}
    from builders.hub.client import HubRepository
    from builders.hub.published import verify_published

    commit, manifest = verify_published(HubRepository(release), revision)
    return manifest, {"release": release, "revision": revision or "main", "commit": commit}


def diff(
    a: Annotated[Path, path_argument("Folder of a release.")],
    b: Annotated[Path, path_argument("Folder of another release.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Show what changed from release A to B: rows, columns, values, splits, facts. Exit 1 if anything did."""
    from validation.difference import compare_releases
    from validation.versions import change_kind, reasons

    difference = compare_releases(a, b)
    if as_json:
        kind = change_kind(difference)
        print_json({"a": str(a), "b": str(b), "different": bool(difference), "kind": kind, **vars(difference)})
    else:
        _show_difference(difference)
        for reason in reasons(difference):
            print(f"{reason.kind}: {reason}")
    raise typer.Exit(DIFFERENT if difference else 0)


def _show(report: Report) -> None:
    """One line for every check but gates that passed, which are counted; places below what failed."""
    print(f"{report.path} ({report.kind})")
    for check in report.checks:
        if check.what.startswith("gate ") and check.verdict in ("passed", "not assessed"):
            continue
        print(f"  {MARKS[check.verdict]} {check.subject}: {check.what}{' — ' if check.detail else ''}{check.detail}")
        for place in check.places:
            print(f"      {place}")
    verdicts = [check.verdict for check in report.checks]
    print(", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)))


def _show_difference(difference: Difference) -> None:
    if not difference:
        print("no difference")
        return
    rows = [
        [part, name, _text(change)] for part, changes in vars(difference).items() for name, change in changes.items()
    ]
    print_table(("part", "of", "change"), rows, "what changed")


def _text(change: Any) -> str:
    if isinstance(change, dict):
        return "; ".join(f"{name}: {_text(value)}" for name, value in change.items())
    if isinstance(change, list) and len(change) == 2:
        return f"{change[0]} → {change[1]}"
    return str(change)


validate.__doc__ = f"{validate.__doc__}\n\n{VALIDATE_EXAMPLES}"
verify.__doc__ = f"{verify.__doc__}\n\n{VERIFY_EXAMPLES}"
diff.__doc__ = f"{diff.__doc__}\n\n{DIFF_EXAMPLES}"
