"""Runs on a release of the Hub: the Hub says which commit it is and what its manifest holds, not the cache."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_fixtures import REPO
from hub_server import Repository
from huggingface_hub import constants, snapshot_download

from alignment.runs.configuration_file import read_configuration
from alignment.runs.loop import RunReport
from alignment.runs.settings import RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from papi.errors import ReleaseRejected, RemoteFailed
from papi.instruments import DARK_TRIAD

TAG = "v1.0.0"


def go(out: Path, said: list[str] | None = None) -> RunReport:
    given = RunSettings(REPO, ("constant-3",), config=DARK_TRIAD, subjects=2, revision=TAG)
    return run(given, out, Share(), (said if said is not None else []).append)


def cached(commit: str) -> Path:
    return Path(snapshot_download(REPO, repo_type="dataset", revision=commit))


def tamper(folder: Path) -> None:
    """Change an answer in the cache, and the manifest there so that it fits."""
    path = next((folder / "data" / DARK_TRIAD).glob("test-*"))
    table = pq.read_table(path)
    place = table.column_names.index("M7")
    table = table.set_column(place, table.schema.field("M7"), pa.array([5] * len(table), pa.int8()))
    pq.write_table(table, path.resolve())
    manifest = json.loads((folder / "manifest.json").read_text())
    name = str(path.relative_to(folder))
    manifest["files"][name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").resolve().write_text(json.dumps(manifest))


def test_the_commit_goes_into_the_configuration(published: Repository, tmp_path: Path) -> None:
    assert go(tmp_path / "run").complete
    release = read_configuration(tmp_path / "run")["release"]
    assert (release["revision"], release["commit"]) == (TAG, published.tags[TAG])
    assert release["commit_checked"] is True


def test_a_cache_that_was_changed_with_its_manifest_is_refused(published: Repository, tmp_path: Path) -> None:
    tamper(cached(published.tags[TAG]))
    with pytest.raises(ReleaseRejected, match="not that of the commit"):
        go(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tag_that_was_moved_is_another_run(published: Repository, tmp_path: Path) -> None:
    assert go(tmp_path / "run").complete
    files = dict(published.head.files) | {"NOTE.md": b"moved"}
    published.tags[TAG] = published.commit("moved", files).oid
    with pytest.raises(Exception, match=r"another release\.commit"):
        go(tmp_path / "run")


def test_without_the_hub_the_caches_word_is_taken_only_where_that_is_wanted(
    published: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(TAG)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said: list[str] = []
    assert go(tmp_path / "offline", said).complete
    assert read_configuration(tmp_path / "offline")["release"]["commit_checked"] is False
    assert any("the cache's word" in text for text in said)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RemoteFailed):
        go(tmp_path / "silent")
    assert not (tmp_path / "silent").exists()
