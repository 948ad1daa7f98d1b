"""Which release a run reads: found, identified, and every file that is read compared with the manifest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from papi.errors import ReleaseRejected
from papi.files import sha256_of_file
from papi.instruments import ITEMS_CONFIG
from papi.locating import is_folder, local_release
from papi.manifest import MANIFEST, read_manifest, shard_paths, splits_of


@dataclass(frozen=True)
class ReleaseIdentity:
    """What says exactly which release it is; `commit` and `revision` only of one on the Hub."""

    path: str
    version: str
    simulated: bool
    manifest_sha256: str
    revision: str | None
    commit: str | None

    def described(self) -> dict[str, Any]:
        """For the run's configuration."""
        return asdict(self)


def find_release(name: str, revision: str | None, config: str) -> tuple[Path, ReleaseIdentity]:
    """The folder of a release and its identity.

    What a cache or a disk gives is not trusted: the files of the config are compared with the manifest's hashes, and
    the manifest's own hash goes into the configuration. Raises `ReleaseRejected`, and what `papi.load` raises.
    """
    folder = local_release(name, revision)
    manifest = read_manifest(folder)
    if config in manifest["configs"]:
        _compare(folder, manifest, config)
    local = is_folder(name, revision)
    commit = None if local else folder.resolve().name  # the cache of the Hub's client names a snapshot by its commit
    identity = ReleaseIdentity(
        path=str(name),
        version=manifest["version"],
        simulated=manifest["simulated"],
        manifest_sha256=sha256_of_file(folder / MANIFEST),
        revision=revision,
        commit=commit,
    )
    return folder, identity


def _compare(folder: Path, manifest: dict[str, Any], config: str) -> None:
    for name in (config, ITEMS_CONFIG):
        for path in (path for split in splits_of(manifest, name) for path in shard_paths(manifest, name, split)):
            found, expected = sha256_of_file(folder / path), manifest["files"][path]["sha256"]
            if found != expected:
                advice = "papi verify shows every difference; get the release again"
                what = "a file of the release is not what its manifest says"
                raise ReleaseRejected(what, where=str(folder / path), expected=expected, got=found, next_step=advice)
