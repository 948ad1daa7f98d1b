"""What others see of a published version: verified, listed, loaded by name, at a tag, in part, offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_fixtures import REPO
from hub_server import Fault, Hub, Kind, Repository, content_of
from outcomes import papi

import papi as papi_package
from builders.hub.client import HubRepository
from builders.hub.published import list_versions, verify_published
from papi.errors import ReleaseRejected, RemoteFailed, UsageError

ROWS = {"1.0.0": {"dev": 49, "test": 6, "test_population": 5}, "2.0.0": {"dev": 33, "test": 4, "test_population": 3}}
LOADS = """
import json, sys
import datasets
import pandas as pd

shard = "hf://datasets/palign/papi/data/dark-triad/test-00000-of-00001.parquet"
repository, commit = sys.argv[1:]
load = datasets.load_dataset
print(json.dumps({
    "by name": load(repository).num_rows,
    "at a tag": load(repository, revision="v1.0.0").num_rows,
    "at a commit": load(repository, revision=commit).num_rows,
    "one config": load(repository, "items").num_rows,
    "one split": load(repository, "dark-triad", split="test").num_rows,
    "streaming": sum(1 for _ in load(repository, split="test_population", streaming=True)),
    "type": str(load(repository, split="test").features["M1"].dtype),
    "pandas": str(pd.read_parquet(shard, dtype_backend="pyarrow")["M1"].dtype),
    "class": load(repository, split="test").features["source"].names,
}))
"""
PAPI_LOAD = "import sys, papi; print(len(papi.load(sys.argv[1], 'dark-triad', split='dev', revision=sys.argv[2])))"


@pytest.fixture
def both(hub: Hub, published: Repository, versions: tuple[Path, Path]) -> Repository:
    """Both versions, the second one at the head."""
    published.commit("PAPI 2.0.0", content_of(versions[1]))
    published.tags["v2.0.0"] = published.head.oid
    return published


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::FutureWarning", "-c", code, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=120, check=False
    )


def test_load_dataset_by_name_at_a_tag_at_a_commit_in_part_and_streaming(hub: Hub, both: Repository) -> None:
    done = python(LOADS, REPO, both.commits[1].oid)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == {
        "by name": ROWS["2.0.0"],
        "at a tag": ROWS["1.0.0"],
        "at a commit": ROWS["1.0.0"],
        "one config": {"items": 27},
        "one split": 4,
        "streaming": 3,
        "type": "int8",
        "pandas": "int8[pyarrow]",
        "class": ["front_page", "search", "other"],
    }


def test_papi_load_offline_gives_the_cached_version_and_refuses_another(hub: Hub, both: Repository) -> None:
    assert python(PAPI_LOAD, REPO, "v1.0.0").stdout == "49\n"
    assert python(PAPI_LOAD, REPO, "v1.0.0", HF_HUB_OFFLINE="1").stdout == "49\n"
    other = python(PAPI_LOAD, REPO, "v2.0.0", HF_HUB_OFFLINE="1")
    assert other.returncode != 0
    assert "the cache has not that version" in other.stderr


def test_a_tag_on_another_version_is_refused_when_it_is_loaded_and_verified(hub: Hub, both: Repository) -> None:
    both.tags["v9.9.9"] = both.head.oid
    with pytest.raises(ReleaseRejected, match=r"at v9\.9\.9 is another version"):
        papi_package.load(REPO, "dark-triad", revision="v9.9.9")
    with pytest.raises(ReleaseRejected, match="the tag is not that of the version"):
        verify_published(HubRepository(REPO), "v9.9.9")


def test_verify_finds_a_sound_version_sound(hub: Hub, both: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert papi("verify", REPO, "--revision", "v1.0.0", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["version"], result["commit"]) == ("1.0.0", both.commits[1].oid)
    assert papi("verify", REPO) == 0
    assert "all as in the manifest" in capsys.readouterr().out


def test_verify_finds_a_wrong_byte_a_missing_and_a_foreign_file(hub: Hub, both: Repository) -> None:
    hub.damaged = {"data/dark-triad/test-00000-of-00001.parquet"}
    files = {path: content for path, content in both.head.files.items() if path != "LICENSE.md"}
    both.commit("by hand", files | {"notes.txt": b"not in the manifest"})
    with pytest.raises(ReleaseRejected) as refused:
        verify_published(HubRepository(REPO), None)
    assert [place.file for place in refused.value.places] == ["LICENSE.md", *sorted(hub.damaged), "notes.txt"]


def test_the_versions_are_listed_newest_first_and_an_untagged_head_before_them(
    hub: Hub, both: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    both.tags["unrelated"] = both.head.oid
    assert [version.name for version in list_versions(HubRepository(REPO))] == ["v2.0.0", "v1.0.0"]
    both.commit("not a release", {"README.md": b""})
    assert papi("releases", REPO, "--json") == 0
    listed = json.loads(capsys.readouterr().out)["versions"]
    assert [(v["name"], v["version"], v["people"]) for v in listed] == [
        ("main", None, None),
        ("v2.0.0", "2.0.0", 40),
        ("v1.0.0", "1.0.0", 60),
    ]
    assert "manifest.json" in listed[0]["problem"]
    assert papi("releases", REPO) == 0
    assert "v1.0.0" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["drop", "status"])
def test_papi_load_has_its_own_error_for_a_hub_that_fails(hub: Hub, both: Repository, kind: Kind) -> None:
    hub.faults = lambda number, heard: Fault(kind, 503)
    with pytest.raises(RemoteFailed, match=r"cannot get revision v1\.0\.0"):
        papi_package.load(REPO, "dark-triad", revision="v1.0.0")


def test_what_is_not_there_is_said(hub: Hub, both: Repository) -> None:
    with pytest.raises(RemoteFailed, match=r"cannot find revision v3\.0\.0"):
        verify_published(HubRepository(REPO), "v3.0.0")
    with pytest.raises(RemoteFailed, match="cannot find revision main"):
        list_versions(HubRepository("palign/nothing"))
    assert papi("verify", "nowhere") == 3
    with pytest.raises(UsageError, match="a folder has no revisions"):
        papi_package.load(Path("nowhere"), revision="v1.0.0")
