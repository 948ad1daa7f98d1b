"""Publishing to the loopback Hub with the real clients."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hub_fixtures import REPO
from hub_server import READER, TOKEN, Fault, Hub, Repository, content_of
from outcomes import papi

from builders.hub.client import HubRepository, Patience
from builders.hub.push import Pushed, PushOptions, push_release
from papi.errors import GateFailed, ReleaseRejected, RemoteFailed, UsageError
from papi.manifest import MANIFEST

TAGGED = PushOptions(tag="v2.0.0", allow_simulated=True)


def push(release: Path, options: PushOptions = TAGGED) -> Pushed:
    return push_release(release, HubRepository(REPO), options)


def ours(repository: Repository) -> dict[str, bytes]:
    return {path: content for path, content in repository.head.files.items() if path != ".gitattributes"}


def writes(hub: Hub) -> list[str]:
    return [heard for heard in hub.heard if not heard.startswith(("GET", "HEAD", "POST /api/validate-yaml"))]


def edited(release: Path, folder: Path, **facts: Any) -> Path:
    """A copy of a release with other facts in its manifest."""
    copy = shutil.copytree(release, folder / "edited")
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | facts))
    return Path(copy)


def test_a_first_push_makes_the_repository_one_commit_and_the_tag(hub: Hub, versions: tuple[Path, Path]) -> None:
    pushed = push(versions[1], PushOptions("v2.0.0", private=True, allow_simulated=True))
    repository = hub.repositories[REPO]
    assert repository.private
    assert [commit.title for commit in repository.commits] == ["initial commit", "PAPI 2.0.0"]
    assert ours(repository) == content_of(versions[1])
    assert repository.tags == {"v2.0.0": repository.head.oid} == {"v2.0.0": pushed.commit}
    assert pushed.rows["dark-triad"] == {"dev": 33, "test": 4, "test_population": 3}


def test_figures_are_pushed_like_the_rest(hub: Hub, release: Path) -> None:
    push(release, PushOptions(allow_simulated=True))
    assert ours(hub.repositories[REPO]) == content_of(release)
    assert sum(path.endswith(".png") for path in ours(hub.repositories[REPO])) == 6


def test_the_next_version_replaces_the_old_in_one_commit_and_takes_stale_shards_away(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    stale = {"data/dark-triad/dev-00001-of-00002.parquet": b"PAR1 of an older version"}
    manifest = json.loads(published.head.files[MANIFEST])
    for name, content in stale.items():
        manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": 1}
    published.commit("PAPI 1.0.1", published.head.files | stale | {MANIFEST: json.dumps(manifest).encode()})
    pushed = push(versions[1])
    assert len(published.commits) == 4
    assert ours(published) == content_of(versions[1])
    assert pushed.plan.delete == tuple(stale)
    assert "LICENSE.md" in pushed.plan.unchanged
    assert published.tags["v1.0.0"] == published.commits[1].oid


def test_a_rerun_commits_nothing_and_only_sets_the_missing_tag(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    push(versions[1])
    del published.tags["v2.0.0"]
    hub.heard.clear()
    assert push(versions[1]).commit == published.head.oid == published.tags["v2.0.0"]
    assert len(published.commits) == 3
    assert [heard.split("/")[5] for heard in writes(hub)] == ["tag"]
    hub.heard.clear()
    push(versions[1])
    assert writes(hub) == []


def test_a_dry_run_shows_everything_and_changes_nothing(
    hub: Hub, published: Repository, versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert papi("push", versions[1], REPO, "--tag", "v2.0.0", "--dry-run", "--allow-simulated") == 0
    shown = capsys.readouterr().out
    facts = json.loads((versions[1] / MANIFEST).read_text())["files"]
    assert all(f"{fact['sha256']}  {name}" in shown for name, fact in facts.items())
    assert f"parent {published.head.oid}" in shown
    assert "tag    v2.0.0" in shown
    assert writes(hub) == []
    assert papi("push", versions[1], "me/new", "--dry-run", "--allow-simulated", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["parent"], result["commit"], result["tag"], len(result["add"])) == (None, None, None, len(facts) + 1)
    assert list(hub.repositories) == [REPO]


def test_what_should_not_be_published_is_refused_before_anything_is_asked(
    hub: Hub, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    gate = {"gate": "missing", "instrument": "dark-triad", "verdict": "failed, allowed"}
    unfit = edited(versions[1], tmp_path, gates=[gate])
    with pytest.raises(UsageError, match="simulated"):
        push(versions[1], PushOptions("v2.0.0"))
    with pytest.raises(UsageError, match="the tag is not that of the release"):
        push(versions[1], PushOptions("v3.0.0", allow_simulated=True))
    with pytest.raises(GateFailed, match="gates of this release failed"):
        push(unfit)
    (unfit / "README.md").write_text("other")
    with pytest.raises(ReleaseRejected):
        push(unfit, PushOptions("v2.0.0", allow_simulated=True, allow_gate_failures=True))
    assert hub.heard == []


def test_failed_gates_are_published_where_that_is_wanted(hub: Hub, versions: tuple[Path, Path], tmp_path: Path) -> None:
    gate = {"gate": "missing", "instrument": "dark-triad", "verdict": "failed, allowed"}
    unfit = edited(versions[1], tmp_path, gates=[gate])
    push(unfit, PushOptions("v2.0.0", allow_simulated=True, allow_gate_failures=True))
    assert ours(hub.repositories[REPO]) == content_of(unfit)


def test_a_published_version_is_never_changed(
    hub: Hub, published: Repository, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    other = edited(versions[1], tmp_path, version="1.0.0")
    with pytest.raises(RemoteFailed, match=r"version 1\.0\.0 is published already"):
        push(other, PushOptions("v1.0.0", allow_simulated=True))
    assert writes(hub) == []


def test_nor_is_it_without_a_tag_nor_gone_back_behind(
    hub: Hub, published: Repository, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    other = edited(versions[1], tmp_path, version="1.0.0")
    with pytest.raises(RemoteFailed, match=r"version 1\.0\.0 is published already"):
        push(other, PushOptions(allow_simulated=True))
    push(versions[1])
    with pytest.raises(RemoteFailed, match=r"v2\.0\.0 is published already"):
        push(edited(versions[0], tmp_path / "older", version="1.5.0"), PushOptions(allow_simulated=True))
    published.commit("PAPI 2.0.0 again", published.head.files)
    with pytest.raises(RemoteFailed, match=r"version 2\.0\.0 is published already"):
        push(versions[1])


def test_what_somebody_changed_by_hand_is_replaced_only_where_that_is_wanted(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    shard = "data/dark-triad/test-00000-of-00001.parquet"
    changes = {"README.md": b"---\nlicense: other\n---\nmended", "ERRATA.md": b"new", shard: b"PAR1 other"}
    published.commit("by hand", published.head.files | changes)
    with pytest.raises(UsageError, match="somebody changed the repository") as refused:
        push(versions[1])
    assert refused.value.got == ", ".join(sorted(changes))
    assert len(published.commits) == 3
    push(versions[1], PushOptions("v2.0.0", allow_simulated=True, replace_edits=True))
    assert ours(published) == content_of(versions[1])


def test_the_tag_stays_on_our_commit_when_somebody_commits_after_it(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    def commit_before_the_tag(number: int) -> None:
        if "/tag/" in hub.heard[number - 1]:
            published.commit("by hand", published.head.files | {"more.txt": b""})

    hub.before = commit_before_the_tag
    pushed = push(versions[1])
    assert published.tags["v2.0.0"] == pushed.commit == published.commits[2].oid
    assert published.head.title == "by hand"


def test_a_tag_that_somebody_else_set_meanwhile_is_left(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    def tag_first(number: int) -> None:
        if "/tag/" in hub.heard[number - 1]:
            published.tags["v2.0.0"] = published.commits[0].oid

    hub.before = tag_first
    with pytest.raises(RemoteFailed, match="exists already"):
        push(versions[1])
    assert published.tags["v2.0.0"] == published.commits[0].oid


def test_rows_that_load_otherwise_than_the_manifest_says_are_noticed(
    hub: Hub, published: Repository, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    configs = json.loads((versions[1] / MANIFEST).read_text())["configs"]
    configs["dark-triad"]["splits"]["dev"] += 1
    with pytest.raises(RemoteFailed, match="does not give what the manifest says"):
        push(edited(versions[1], tmp_path, configs=configs))


def test_a_repository_that_appears_while_it_is_made_is_not_overwritten(hub: Hub, versions: tuple[Path, Path]) -> None:
    def appear(number: int) -> None:
        if "repos/create" in hub.heard[number - 1]:
            hub.repositories[REPO] = Repository()
            hub.repositories[REPO].commit("a corpus", {"corpus.txt": b"words"})

    hub.before = appear
    with pytest.raises(UsageError, match="something else"):
        push(versions[1])
    assert ours(hub.repositories[REPO]) == {"corpus.txt": b"words"}


def test_a_gitignore_is_refused_for_it_would_hold_files_back(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    published.commit("by hand", published.head.files | {".gitignore": b"*.md"})
    with pytest.raises(UsageError, match=r"has a \.gitignore"):
        push(versions[1])
    assert writes(hub) == []


def test_a_public_repository_does_not_become_private_by_a_push(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    with pytest.raises(UsageError, match="there and public"):
        push(versions[1], PushOptions("v2.0.0", private=True, allow_simulated=True))
    assert writes(hub) == []


def test_a_repository_of_something_else_is_left_alone(hub: Hub, versions: tuple[Path, Path]) -> None:
    hub.repositories[REPO] = Repository()
    hub.repositories[REPO].commit("a corpus", {"README.md": b"", "corpus.txt": b"words"})
    with pytest.raises(UsageError, match="something else"):
        push(versions[1])
    assert writes(hub) == []


def test_somebody_elses_commit_in_between_is_not_overwritten(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    theirs = published.head.files | {"README.md": b"---\nlicense: other\n---\nmended"}

    def commit_first(number: int) -> None:
        if "/commit/" in hub.heard[number - 1]:
            published.commit("mend the card", theirs)

    hub.before = commit_first
    with pytest.raises(RemoteFailed, match="somebody else committed in between"):
        push(versions[1])
    assert published.head.files == theirs
    assert set(published.tags) == {"v1.0.0"}


@pytest.mark.parametrize("kind", ["drop", "lose_reply"])
@pytest.mark.parametrize("request_", ["/commit/", "/tag/"])
def test_a_lost_answer_is_made_up_for_by_the_next_run(
    hub: Hub, published: Repository, versions: tuple[Path, Path], kind: Any, request_: str
) -> None:
    hub.faults = lambda number, heard: Fault(kind) if request_ in heard else None
    if (kind, request_) == ("lose_reply", "/tag/"):
        push(versions[1])  # the tag is there: that is looked up
    else:
        with pytest.raises(RemoteFailed, match="the Hub gives no answer"):
            push(versions[1])
    hub.faults = lambda number, heard: None
    push(versions[1])
    assert len(published.commits) == 3
    assert published.tags["v2.0.0"] == published.head.oid
    assert ours(published) == content_of(versions[1])


def test_a_wrong_byte_on_the_way_back_leaves_the_version_untagged(
    hub: Hub, published: Repository, versions: tuple[Path, Path]
) -> None:
    hub.damaged = {"data/dark-triad/test-00000-of-00001.parquet"}
    with pytest.raises(RemoteFailed, match="not what was pushed") as refused:
        push(versions[1])
    assert "test-00000-of-00001.parquet" in str(refused.value)
    assert "v2.0.0" not in published.tags


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "does not know this token"),
        (403, {}, "may not do that"),
        (404, {}, "there is no such repository"),
        (409, {}, "exists already"),
        (412, {}, "somebody else"),
        (418, {}, "not expected"),
        (429, {"Retry-After": "5"}, "wait 5 seconds"),
        (500, {}, "trouble of its own"),
    ],
)
def test_every_answer_has_its_words_and_exit_7(
    hub: Hub,
    published: Repository,
    versions: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    status: int,
    headers: dict[str, str],
    words: str,
) -> None:
    hub.faults = lambda number, heard: Fault("status", status, headers) if "/commit/" in heard else None
    assert papi("push", versions[1], REPO, "--allow-simulated") == 7
    said = capsys.readouterr()
    assert words in said.err
    assert TOKEN not in said.out + said.err
    assert published.head.title == "PAPI 1.0.0"


@pytest.mark.parametrize(("token", "words"), [("hf_other", "does not know this token"), (READER, "may not do that")])
def test_a_token_that_may_not_write_is_refused_and_not_shown(
    hub: Hub,
    published: Repository,
    versions: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    words: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert papi("push", versions[1], REPO, "--allow-simulated") == 7
    said = capsys.readouterr()
    assert words in said.err
    assert token not in said.out + said.err


def test_no_token_at_all(
    hub: Hub, versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert papi("push", versions[1], REPO, "--allow-simulated") == 7
    assert "no token is set" in capsys.readouterr().err
    assert writes(hub) == []


def test_a_long_wait_is_not_waited_for(hub: Hub, published: Repository, versions: tuple[Path, Path]) -> None:
    hub.faults = lambda number, heard: Fault("status", 429, {"Retry-After": "3600"}) if "preupload" in heard else None
    with pytest.raises(RemoteFailed, match="come back in 3600 seconds"):
        push(versions[1])


def test_a_hub_that_does_not_answer_is_given_up(hub: Hub, published: Repository, versions: tuple[Path, Path]) -> None:
    import threading

    let_go = threading.Event()
    hub.before = lambda number: bool(let_go.wait() if "/refs" in hub.heard[number - 1] else None) or None
    try:
        with pytest.raises(RemoteFailed, match="gives no answer"):
            push_release(versions[1], HubRepository(REPO, Patience(answer=0.3)), TAGGED)
    finally:
        let_go.set()


def test_no_hub_at_all(versions: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(RemoteFailed, match="gives no answer"):
        push(versions[1])


def test_a_name_that_no_repository_can_have() -> None:
    with pytest.raises(UsageError, match="no name of a repository"):
        HubRepository("a/b/c")
    with pytest.raises(UsageError, match="whose repository"):
        HubRepository("papi")


def test_a_token_that_no_header_can_have_is_not_sent_nor_shown(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for token in ("hf_SECRET\x0bSECRET", "hf_SÉCRET"):
        monkeypatch.setenv("HF_TOKEN", token)
        assert papi("releases", REPO) == 2
        said = capsys.readouterr()
        assert "signs that no token has" in said.err
        assert "CRET" not in said.out + said.err
    assert hub.heard == []


def test_a_token_in_the_clients_own_words_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from papi.hub_answers import hub_answers

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(RemoteFailed) as refused, hub_answers("try", REPO):
        raise ValueError(f"Illegal header value b'Bearer {TOKEN}'")
    assert TOKEN not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("answer", [b"{}", b"[1]", b'"blocked"', b"<html>log in</html>"])
def test_an_answer_of_another_form_is_no_traceback(
    hub: Hub, published: Repository, capsys: pytest.CaptureFixture[str], answer: bytes
) -> None:
    hub.faults = lambda number, heard: Fault("status", 200, {}, answer) if "/revision/" in heard else None
    assert papi("releases", REPO) == 7
    assert "papi: cannot" in capsys.readouterr().err
