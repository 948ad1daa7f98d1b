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

from builders.hub.answers import AGAIN
from builders.hub.client import HubRepository
from builders.hub.plan import LocalFile, PushPlan, RemoteState, local_files, plan_push, refuse_unfit
from papi.errors import ReleaseRejected, RemoteFailed
from papi.files import scratch_folder
from papi.instruments import ITEMS_CONFIG
from validation.integrity import verify_release

STRANGER = Path(__file__).with_name("stranger.py")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class PushOptions:
    """What a user decides about a push."""

    tag: str | None = None
    private: bool = False
    dry_run: bool = False
    allow_gate_failures: bool = False
    allow_simulated: bool = False


@dataclass(frozen=True)
class Pushed:
    """What was done, or in a dry run would be: the plan, the files, and the commit of the new version."""

    repository: str
    url: str
    plan: PushPlan
    files: Mapping[str, LocalFile]
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
    plan = plan_push(files, remote_state(repository), options.tag)
    if options.dry_run:
        return Pushed(repository.name, repository.url, plan, files, None, {})
    if plan.parent is None:
        progress(f"creating {repository.name}")
        repository.create(private=options.private)
        plan = plan_push(files, remote_state(repository), options.tag)  # what is there now, whoever made it
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


def remote_state(repository: HubRepository) -> RemoteState:
    """What the repository holds now."""
    head = repository.head()
    if head is None:
        return RemoteState(None, {}, {})
    return RemoteState(head, repository.files(head), repository.tags())


def _commit(release: Path, repository: HubRepository, plan: PushPlan, message: str, progress: Progress) -> str:
    """The commit that has the release: a new one on the head that the plan saw, or that head."""
    if not plan.commits:
        progress("every file is there already")
        return str(plan.parent)
    progress(f"uploading {len(plan.add)} files, deleting {len(plan.delete)}")
    return repository.commit(release, plan.add, plan.delete, str(plan.parent), message)


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
    expected[ITEMS_CONFIG] = {ITEMS_CONFIG: manifest["items"]}
    caches = {"HF_HUB_CACHE": str(scratch / "hub"), "HF_DATASETS_CACHE": str(scratch / "datasets")}
    command = [sys.executable, str(STRANGER), repository.name, revision, *expected]
    # From a folder of its own: one called like the repository below the current one would be loaded instead.
    done = subprocess.run(command, env=os.environ | caches, cwd=scratch, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    if found != expected:
        got = str(found) if found else (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise RemoteFailed(
            f"load_dataset({repository.name!r}, revision={revision!r}) does not give what the manifest says",
            where=repository.url,
            expected=str(expected),
            got=got,
            next_step=AGAIN,
        )
    return expected
