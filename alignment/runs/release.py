"""Which release a run reads: found, identified, and every file that is read compared with the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alignment.benchmark import Benchmark, read_benchmark
from papi.errors import InputRejected, MissingFile, ReleaseRejected
from papi.files import git_blob_id, read_bytes, sha256_of, sha256_of_file
from papi.hub_answers import hub_answers
from papi.instruments import ITEMS_CONFIG
from papi.locating import is_folder, local_release
from papi.manifest import MANIFEST, read_manifest, shard_paths, splits_of


@dataclass(frozen=True)
class ReleaseIdentity:
    """What says exactly which release it is; `commit` and `revision` only of one on the Hub.

    `commit_checked` says whether the Hub itself was asked; False where it must not be (HF_HUB_OFFLINE).
    """

    path: str
    version: str
    simulated: bool
    manifest_sha256: str
    revision: str | None
    commit: str | None
    commit_checked: bool | None

    def described(self) -> dict[str, Any]:
        """For the run's configuration."""
        return asdict(self)


def find_release(name: str, revision: str | None, config: str) -> tuple[Path, ReleaseIdentity]:
    """The folder of a release and its identity.

    What a cache or a disk gives is not trusted: the files of the config are compared with the manifest's hashes, the
    manifest's own hash goes into the configuration, and the Hub is asked for the commit and for the manifest in it.
    Raises `ReleaseRejected`, and what `papi.load` raises.
    """
    folder = local_release(name, revision)
    manifest = read_manifest(folder)
    if config in manifest["configs"]:
        _compare(folder, manifest, config)
    local = is_folder(name, revision)
    commit = None if local else folder.resolve().name  # the cache of the Hub's client names a snapshot by its commit
    checked = None if commit is None else _check_commit(folder, name, revision, commit)
    identity = ReleaseIdentity(
        path=str(name),
        version=manifest["version"],
        simulated=manifest["simulated"],
        manifest_sha256=sha256_of_file(folder / MANIFEST),
        revision=revision,
        commit=commit,
        commit_checked=checked,
    )
    return folder, identity


@dataclass(frozen=True)
class Moved:
    """Where the release and the model of a run are by now, if not where it found them."""

    release: str | None = None
    model: str | None = None

    def in_place(self, frozen: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of a run with the places as they are now."""
        found = dict(frozen)
        if self.release is not None:
            found["release"] = frozen["release"] | {"path": self.release, "revision": None, "commit": None}
        if self.model is not None and frozen["model"]:
            found["model"] = frozen["model"] | {"name": self.model, "revision": None}
        return found


NOWHERE_ELSE = Moved()


def benchmark_of_run(frozen: Mapping[str, Any]) -> Benchmark:
    """The benchmark of a run, from its configuration.

    Raises `MissingFile` where a folder is not where it was, `InputRejected` where the release is another.
    """
    release = frozen["release"]
    if release.get("commit") is None and not Path(release["path"]).is_dir():
        what, advice = "the release of the run is not in its place", "name where it is now with --release"
        raise MissingFile(what, where=release["path"], expected="a folder", next_step=advice)
    folder, identity = find_release(release["path"], release.get("revision"), frozen["config"])
    if identity.manifest_sha256 != release["manifest_sha256"]:
        expected, advice = release["manifest_sha256"], "put the release of the run back, or make the run again"
        what = "the release is not the one of the run"
        raise InputRejected(what, where=str(folder), expected=expected, got=identity.manifest_sha256, next_step=advice)
    return read_benchmark(folder, frozen["config"], frozen["split"], frozen["labels"])


def _check_commit(folder: Path, repo: str, revision: str | None, commit: str) -> bool:
    """Ask the Hub whether the revision is that commit, and whether its manifest is the one in the folder.

    Gives False where the Hub must not be asked. Raises `ReleaseRejected` for another commit or manifest.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.hf_api import RepoFile

    if is_offline_mode():
        return False
    with hub_answers(f"ask the Hub which commit {revision or 'main'} is", repo):
        there = HfApi().dataset_info(repo, revision=revision).sha
        listed = HfApi().get_paths_info(repo, [MANIFEST], revision=commit, repo_type="dataset")
    advice = "empty the cache of the Hub's client and run again"
    if there != commit:
        what = f"the cache holds another commit of {repo} than the Hub"
        raise ReleaseRejected(what, where=str(folder), expected=there, got=commit, next_step=advice)
    content = read_bytes(folder / MANIFEST)
    known = {file.lfs.sha256 if file.lfs else file.blob_id for file in listed if isinstance(file, RepoFile)}
    if not known & {git_blob_id(content), sha256_of(content)}:
        what = f"the manifest in the cache is not that of the commit {commit}"
        raise ReleaseRejected(what, where=str(folder / MANIFEST), next_step=advice)
    return True


def _compare(folder: Path, manifest: dict[str, Any], config: str) -> None:
    for name in (config, ITEMS_CONFIG):
        for path in (path for split in splits_of(manifest, name) for path in shard_paths(manifest, name, split)):
            found, expected = sha256_of_file(folder / path), manifest["files"][path]["sha256"]
            if found != expected:
                advice = "papi verify shows every difference; get the release again"
                what = "a file of the release is not what its manifest says"
                raise ReleaseRejected(what, where=str(folder / path), expected=expected, got=found, next_step=advice)
