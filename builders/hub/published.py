"""What is published: a version compared with its manifest, and the versions that a repository has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.hub.client import MAIN, HubRepository
from papi.errors import ReleaseRejected
from papi.files import scratch_folder
from papi.manifest import MANIFEST, VERSION_TAG, read_manifest, version_numbers
from validation.integrity import verify_release


@dataclass(frozen=True)
class Version:
    """One version: `name` is its tag (or `main`); where it has no readable `manifest`, `problem` says why."""

    name: str
    commit: str
    manifest: dict[str, Any] | None
    problem: str | None = None


def verify_published(repository: HubRepository, revision: str | None) -> tuple[str, dict[str, Any]]:
    """Download a version, compare every file with its manifest; gives its commit and manifest.

    Raises `ReleaseRejected` with every difference, or where the tag is not the version's; `RemoteFailed` for the Hub.
    """
    commit = repository.commit_of(revision)
    with scratch_folder() as cache:
        try:
            manifest = verify_release(repository.download(commit, cache))
        except ReleaseRejected as error:
            where = f"{repository.name}, {revision or MAIN}, commit {commit}"
            advice = "do not use it; its maintainers can publish a new version"
            what = "the published version is not as its manifest says"
            raise ReleaseRejected(
                what, places=error.places, total=error.total, where=where, next_step=advice
            ) from error
    if revision and VERSION_TAG.fullmatch(revision) and revision != f"v{manifest['version']}":
        raise ReleaseRejected(
            "the tag is not that of the version",
            where=f"{repository.name}, {revision}",
            expected=f"version {revision.removeprefix('v')}",
            got=f"version {manifest['version']}",
        )
    return commit, manifest


def list_versions(repository: HubRepository) -> list[Version]:
    """The tagged versions, newest first, before them `main` where it is at none of them."""
    head, tags = repository.commit_of(MAIN), repository.tags()
    ordered = sorted((tag for tag in tags if VERSION_TAG.fullmatch(tag)), key=version_numbers, reverse=True)
    named = [(MAIN, head)] if head not in tags.values() else []
    named += [(tag, tags[tag]) for tag in ordered]
    with scratch_folder() as cache:
        return [_version(repository, name, commit, cache) for name, commit in named]


def _version(repository: HubRepository, name: str, commit: str, cache: Path) -> Version:
    folder = repository.download(commit, cache, [MANIFEST])
    if not (folder / MANIFEST).is_file():
        return Version(name, commit, None, f"no release: it has no {MANIFEST}")
    try:
        return Version(name, commit, read_manifest(folder))
    except ReleaseRejected as error:  # it is listed as what it is
        return Version(name, commit, None, error.what)
