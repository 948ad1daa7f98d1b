"""The loopback Hub itself: the real client creates, uploads, lists, downloads, tags and deletes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_server import LFS_FROM, READER, Hub
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

NAME = "maintainer/box"


@pytest.fixture
def api(hub: Hub) -> HfApi:
    api = HfApi()
    api.create_repo(NAME, repo_type="dataset", private=True)
    return api


def add(api: HfApi, path: str, content: bytes, **options: str) -> str:
    operations = [CommitOperationAdd(path, content)]
    done = api.create_commit(NAME, operations, repo_type="dataset", commit_message=f"add {path}", **options)
    return str(done.oid)


def test_files_go_up_and_come_down_small_ones_as_they_are_and_large_ones_by_lfs(
    hub: Hub, api: HfApi, tmp_path: Path
) -> None:
    small, large = b"a" * 100, bytes(range(256)) * (LFS_FROM // 256 + 1)
    add(api, "folder/small.txt", small)
    assert hub.objects == {}
    commit = add(api, "large.bin", large)
    assert list(hub.objects.values()) == [large]
    tree = {entry.path: entry for entry in api.list_repo_tree(NAME, repo_type="dataset", recursive=True)}
    assert set(tree) == {".gitattributes", "folder", "folder/small.txt", "large.bin"}
    assert (tree["large.bin"].lfs is None, tree["folder/small.txt"].lfs is None) == (False, True)
    folder = Path(api.snapshot_download(NAME, repo_type="dataset", revision=commit, cache_dir=tmp_path))
    assert (folder / "large.bin").read_bytes() == large
    assert (folder / "folder/small.txt").read_bytes() == small


def test_a_stale_parent_is_refused(hub: Hub, api: HfApi) -> None:
    first = add(api, "a.txt", b"1")
    second = add(api, "a.txt", b"2", parent_commit=first)
    with pytest.raises(HfHubHTTPError) as refused:
        add(api, "a.txt", b"3", parent_commit=first)
    assert refused.value.response.status_code == 412
    assert api.list_repo_commits(NAME, repo_type="dataset")[0].commit_id == second


def test_tags_are_set_once_and_deleted_and_files_are_deleted(hub: Hub, api: HfApi) -> None:
    first = add(api, "a.txt", b"1")
    api.create_tag(NAME, repo_type="dataset", tag="v1.0.0", revision=first)
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_tag(NAME, repo_type="dataset", tag="v1.0.0")
    assert refused.value.response.status_code == 409
    api.delete_file("a.txt", NAME, repo_type="dataset")
    assert api.list_repo_files(NAME, repo_type="dataset") == [".gitattributes"]
    assert "a.txt" in api.list_repo_files(NAME, repo_type="dataset", revision="v1.0.0")
    api.delete_tag(NAME, repo_type="dataset", tag="v1.0.0")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info(NAME, repo_type="dataset", revision="v1.0.0")


def test_others_see_no_private_repository_and_readers_may_not_write(hub: Hub, api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError):
        HfApi(token=False).repo_info(NAME, repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as refused:
        HfApi(token=READER).create_repo("maintainer/other", repo_type="dataset")
    assert refused.value.response.status_code == 403
