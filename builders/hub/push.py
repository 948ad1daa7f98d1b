"""Publish a release: one commit on the head that was seen, read back, tagged, loaded as a stranger would.

Interrupted anywhere, the head of the repository is the old version or the new one, whole, and the next run goes on from
there: where the head has all files already, only the tag is missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.hub.client import HubRepository, ListedFile
from builders.hub.plan import (
    FileFacts,
    PushPlan,
    RemoteState,
    local_files,
    plan_push,
    refuse_edits,
    refuse_foreign,
    refuse_unfit,
)
from papi.errors import ReleaseRejected, RemoteFailed, UsageError
from papi.files import scratch_folder, sha256_of_file
from papi.hub_answers import AGAIN
from papi.instruments import ITEMS_CONFIG
from papi.manifest import MANIFEST, read_manifest
from validation.integrity import verify_release

STRANGER = Path(__file__).with_name("stranger.py")
LOADED_WITHIN = 1800  # seconds: datasets itself would wait for ever
Progress = Callable[[str], None]


@dataclass(frozen=True)
class PushOptions:
    """What a user decides about a push."""

    tag: str | None = None
    private: bool = False
    dry_run: bool = False
    allow_gate_failures: bool = False
    allow_simulated: bool = False
    replace_edits: bool = False


@dataclass(frozen=True)
class Pushed:
    """What was done, or in a dry run would be: the plan, the files, and the commit of the new version."""

    repository: str
    url: str
    plan: PushPlan
    files: Mapping[str, FileFacts]
    commit: str | None
    rows: Mapping[str, Mapping[str, int]]


def push_release(
    release: Path, repository: HubRepository, options: PushOptions, progress: Progress = lambda text: None
) -> Pushed:
    """Publish the release in `release` to `repository`.

    Raises `ReleaseRejected` (the release is damaged), `GateFailed`, `UsageError` (simulated, wrong tag, a repository of
    something else), `RemoteFailed` (the Hub, or what it gave back), `EnvironmentProblem`.
    """
    progress(f"verifying {release}")
    manifest = verify_release(release)
    refuse_unfit(manifest, options.tag, gate_failures=options.allow_gate_failures, simulated=options.allow_simulated)
    files = local_files(release, manifest)
    repository.check_token()
    plan = _decide(repository, files, manifest["version"], options)
    if options.dry_run:
        return Pushed(repository.name, repository.url, plan, files, None, {})
    if plan.parent is None:
        progress(f"creating {repository.name}")
        repository.create(private=options.private)
        plan = _decide(repository, files, manifest["version"], options)  # from what is there now, whoever made it
    commit = _commit(release, repository, plan, f"PAPI {manifest['version']}", progress)
    with scratch_folder() as scratch:
        progress(f"reading back {commit}")
        _read_back(repository, commit, manifest, scratch)
        if plan.sets_tag:
            progress(f"setting the tag {plan.tag}")
            _set_tag(repository, str(plan.tag), commit)
        progress("loading it in a process of its own")
        rows = _load_as_stranger(repository, plan.tag or commit, manifest, scratch)
    return Pushed(repository.name, repository.url, plan, files, commit, rows)


def _decide(repository: HubRepository, files: Mapping[str, FileFacts], version: str, options: PushOptions) -> PushPlan:
    """The plan for what the repository holds now; a dry run shows also what `refuse_edits` would refuse."""
    state = remote_state(repository, private=options.private)
    plan = plan_push(files, state, version, options.tag)
    refuse_edits(state, replace=options.replace_edits or options.dry_run)
    return plan


def remote_state(repository: HubRepository, *, private: bool = False) -> RemoteState:
    """What the repository holds now. Raises `UsageError` where a public one was to be private."""
    head = repository.head()
    if head is None:
        return RemoteState(None, {}, {})
    if private and not head.private:
        advice = "make it private in its settings, or name another repository"
        raise UsageError("the repository is there and public", where=repository.url, next_step=advice)
    listed = repository.files(head.commit)
    refuse_foreign(listed)
    tags = repository.tags()
    with scratch_folder() as cache:
        folder = repository.download(
            head.commit, cache, [name for name, file in listed.items() if _is_read(name, file)]
        )
        files = {name: _facts(folder / name, file) for name, file in listed.items()}
        stated = read_manifest(folder)["files"] if MANIFEST in files else {}
    return RemoteState(head.commit, files, tags, _edits(stated, files))


def _is_read(name: str, file: ListedFile) -> bool:
    """Whether a file of the head is downloaded before a push: the small ones, whose SHA-256 the Hub does not list."""
    return name == MANIFEST or not file.sha256


def _facts(path: Path, listed: ListedFile) -> FileFacts:
    return FileFacts(listed.bytes, listed.sha256 or sha256_of_file(path))


def _edits(stated: Mapping[str, Any], files: Mapping[str, FileFacts]) -> tuple[str, ...]:
    """Where the head is not as its own manifest says."""
    if MANIFEST not in files:
        return ()
    found = {name: files[name].sha256 for name in files.keys() - {MANIFEST}}
    names = sorted(stated.keys() | found.keys())
    return tuple(name for name in names if stated.get(name, {}).get("sha256") != found.get(name))


def _commit(release: Path, repository: HubRepository, plan: PushPlan, message: str, progress: Progress) -> str:
    """The commit that has the release: a new one on the head that the plan saw, or that head."""
    if plan.parent is None:
        advice = "check the name and what the token may see"
        raise RemoteFailed("the repository was made, but cannot be seen", where=repository.url, next_step=advice)
    if not plan.commits:
        progress("every file is there already")
        return plan.parent
    progress(f"uploading {len(plan.add)} files, deleting {len(plan.delete)}")
    return repository.commit(release, plan.add, plan.delete, plan.parent, message)


def _read_back(repository: HubRepository, commit: str, manifest: Mapping[str, Any], scratch: Path) -> None:
    """Download the commit and compare every file with the manifest, and the manifest with ours."""
    folder = repository.download(commit, scratch / "hub")
    try:
        same = verify_release(folder) == manifest
    except ReleaseRejected as error:
        raise _given_back_wrong(repository, commit, str(error)) from error
    if not same:
        raise _given_back_wrong(repository, commit, "another manifest")


def _given_back_wrong(repository: HubRepository, commit: str, got: str) -> RemoteFailed:
    what = "what the Hub gives back is not what was pushed; no tag was set"
    return RemoteFailed(what, where=f"{repository.name}, commit {commit}", got=got, next_step=AGAIN)


def _set_tag(repository: HubRepository, tag: str, commit: str) -> None:
    try:
        repository.tag(tag, commit)
    except RemoteFailed:
        if repository.tags().get(tag) != commit:  # it was set, only the answer was lost
            raise


def _load_as_stranger(
    repository: HubRepository, revision: str, manifest: Mapping[str, Any], scratch: Path
) -> dict[str, dict[str, int]]:
    """`load_dataset` of every config at the revision, in a fresh process with caches of its own; gives the rows."""
    expected = {name: dict(config["splits"]) for name, config in manifest["configs"].items()}
    expected[ITEMS_CONFIG] = {ITEMS_CONFIG: manifest.get("items")}
    caches = {"HF_HUB_CACHE": str(scratch / "hub"), "HF_DATASETS_CACHE": str(scratch / "datasets")}
    online = {"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0"}
    command = [sys.executable, str(STRANGER), repository.name, revision, *expected]
    try:
        # From a folder of its own: one called like the repository below the current one would be loaded instead.
        done = subprocess.run(
            command,
            env=os.environ | caches | online,
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            timeout=LOADED_WITHIN,
        )
        answer = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["nothing"]
    except subprocess.TimeoutExpired:
        answer = [f"nothing within {LOADED_WITHIN} seconds"]
    if answer[-1] != json.dumps(expected):
        got = answer[-1]
        raise RemoteFailed(
            f"load_dataset({repository.name!r}, revision={revision!r}) does not give what the manifest says",
            where=repository.url,
            expected=str(expected),
            got=got,
            next_step=AGAIN,
        )
    return expected
