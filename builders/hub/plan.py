"""What a push will do, decided before anything is done: from the release and from what the repository holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from papi.errors import GateFailed, RemoteFailed, UsageError
from papi.files import read_bytes, sha256_of
from papi.manifest import MANIFEST, VERSION_TAG, version_numbers

GENERATED = {"README.md"}  # what a repository may hold before its first release
GITIGNORE = ".gitignore"


@dataclass(frozen=True)
class FileFacts:
    """What a file is known by, here and on the Hub."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class RemoteState:
    """What a repository holds: the commit `main` is at (None: there is no repository), its files, its tags.

    `edits` are the files of the head that are not as the head's own manifest says: somebody changed them by hand.
    """

    head: str | None
    files: Mapping[str, FileFacts]
    tags: Mapping[str, str]
    edits: tuple[str, ...] = ()


@dataclass(frozen=True)
class PushPlan:
    """The files to add or change, to delete and to leave, by path in order; whether the tag is still to be set."""

    parent: str | None
    add: tuple[str, ...]
    delete: tuple[str, ...]
    unchanged: tuple[str, ...]
    tag: str | None
    sets_tag: bool

    @property
    def commits(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.add or self.delete)


def local_files(release: Path, manifest: Mapping[str, Any]) -> dict[str, FileFacts]:
    """Every file of a release with its hashes, the manifest among them."""
    content = read_bytes(release / MANIFEST)
    facts = manifest["files"] | {MANIFEST: {"bytes": len(content), "sha256": sha256_of(content)}}
    return {name: FileFacts(fact["bytes"], fact["sha256"]) for name, fact in facts.items()}


def refuse_edits(state: RemoteState, *, replace: bool) -> None:
    """Raise `UsageError` where the head was changed by hand since it was published, unless that may be replaced."""
    if state.edits and not replace:
        advice = "take over what is worth it (--dry-run shows the files), then push with --replace-edits"
        got = ", ".join(state.edits[:5])
        raise UsageError("somebody changed the repository since the last version", got=got, next_step=advice)


def refuse_unfit(manifest: Mapping[str, Any], tag: str | None, *, gate_failures: bool, simulated: bool) -> None:
    """Refuse what should not be published unless it is wanted: failed gates, simulated people; and a wrong tag."""
    findings = [finding for finding in manifest["gates"] if finding["verdict"].startswith("failed")]
    failed = sorted({f"{finding['gate']} ({finding['instrument']})" for finding in findings})
    if failed and not gate_failures:
        advice = "mend the raw files, or push all the same with --allow-gate-failures"
        raise GateFailed("gates of this release failed", got=", ".join(failed), next_step=advice)
    if manifest["simulated"] and not simulated:
        advice = "build from the real files, or push all the same with --allow-simulated"
        raise UsageError("the people of this release are simulated", next_step=advice)
    right = f"v{manifest['version']}"
    if tag is not None and tag != right:
        advice = "name the tag of the release's version, or build the release with --version"
        raise UsageError("the tag is not that of the release", expected=right, got=tag, next_step=advice)


def plan_push(files: Mapping[str, FileFacts], state: RemoteState, version: str, tag: str | None) -> PushPlan:
    """Decide. Raises what the refusals below raise."""
    refuse_foreign(state.files)
    add = tuple(name for name in sorted(files) if files[name] != state.files.get(name))
    delete = tuple(sorted(state.files.keys() - files.keys()))
    _refuse_old(state, version, changed=bool(add or delete))
    unchanged = tuple(sorted(files.keys() - set(add)))
    return PushPlan(state.head, add, delete, unchanged, tag, sets_tag=tag is not None and tag not in state.tags)


def refuse_foreign(files: Collection[str]) -> None:
    """Raise `UsageError` for a repository of something else, or one whose `.gitignore` might hold files back."""
    if set(files) - GENERATED and MANIFEST not in files:
        raise UsageError(
            "the repository holds something else than PAPI releases",
            got=", ".join(sorted(files)[:5]),
            next_step="name another repository, or empty this one",
        )
    if GITIGNORE in files:
        what = f"the repository has a {GITIGNORE}, by which the Hub would silently leave files out of the commit"
        raise UsageError(what, next_step=f"delete {GITIGNORE} there first")


def _refuse_old(state: RemoteState, version: str, *, changed: bool) -> None:
    """Raise `RemoteFailed` for a version that is published and not the head, or one before the newest published."""
    taken, published = state.tags.get(f"v{version}"), [tag for tag in state.tags if VERSION_TAG.fullmatch(tag)]
    advice = "build the release with a new --version: a published version is never changed"
    if taken and (changed or taken != state.head):
        what = f"version {version} is published already, and the head of the repository is another"
        raise RemoteFailed(what, where=f"tag v{version}, commit {taken}", next_step=advice)
    newest = max(published, key=version_numbers, default=None)
    if newest and version_numbers(f"v{version}") < version_numbers(newest):
        raise RemoteFailed(f"{newest} is published already", expected="a higher version", got=version, next_step=advice)
