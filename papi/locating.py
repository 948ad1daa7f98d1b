"""Where a release is: in a folder, or in a dataset repository on the Hub, downloaded once and then cached."""

from __future__ import annotations

from pathlib import Path

from papi.errors import ReleaseRejected, RemoteFailed, UsageError
from papi.hub_answers import hub_answers, refuse_unsendable_token
from papi.manifest import VERSION_TAG, read_manifest


def local_release(path_or_repo: str | Path, revision: str | None = None) -> Path:
    """The folder of a release: the one named, or the snapshot of a Hub repository (downloaded if need be)."""
    if is_folder(path_or_repo, revision):
        return Path(path_or_repo)
    folder = _snapshot(str(path_or_repo), revision)
    _check_version(folder, str(path_or_repo), revision)
    return folder


def is_folder(path_or_repo: str | Path, revision: str | None = None) -> bool:
    """Whether a folder is meant rather than a repository; `UsageError` for a revision of a folder."""
    name = str(path_or_repo)
    folder = isinstance(path_or_repo, Path) or Path(name).is_dir() or name.startswith((".", "/")) or "/" not in name
    if folder and revision is not None:
        raise UsageError("a folder has no revisions", where=name, next_step="leave the revision out")
    return folder


def _snapshot(repo: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    refuse_unsendable_token()
    with hub_answers(f"get revision {revision or 'main'} from the Hub (there is no folder {repo})", repo):
        try:
            return Path(snapshot_download(repo, repo_type="dataset", revision=revision))
        except LocalEntryNotFoundError as error:
            if not isinstance(error.__cause__, OfflineModeIsEnabled):
                raise
            raise RemoteFailed(
                f"the Hub may not be asked for {repo}, and the cache has not that version whole",
                where=f"revision {revision or 'main'}",
                next_step="go online (unset HF_HUB_OFFLINE), or ask for a version that was loaded before",
            ) from None


def _check_version(folder: Path, repo: str, revision: str | None) -> None:
    """Refuse another version than that of the tag, wherever the client took it from; other revisions say nothing."""
    if revision is None or not VERSION_TAG.fullmatch(revision):
        return
    found = f"v{read_manifest(folder)['version']}"
    if found != revision:
        advice = "papi releases shows the versions; empty the cache if it holds a wrong one"
        what = f"{repo} at {revision} is another version"
        raise ReleaseRejected(what, where=str(folder), expected=revision, got=found, next_step=advice)
