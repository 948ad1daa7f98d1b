"""One dataset repository on the Hub, through its own client; every failure is the project's error.

The endpoint and the token are the client's affair (HF_ENDPOINT, HF_TOKEN or the stored login); neither is ever printed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from papi.errors import RemoteFailed, UsageError
from papi.hub_answers import hub_answers, refuse_unsendable_token

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

DATASET = "dataset"
MAIN = "main"
NOT_OURS = ".gitattributes"  # the Hub's own, in every repository


@dataclass(frozen=True)
class Patience:
    """How long to wait for the Hub, in seconds: for an answer, and at most where it asks to come back later."""

    answer: float = 60.0
    asked: float = 60.0


PATIENCE = Patience()


@dataclass(frozen=True)
class ListedFile:
    """A file of a repository as the Hub lists it: its size, and its SHA-256 where git-LFS keeps it."""

    bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Head:
    """The commit that `main` is at, and whether the repository is private."""

    commit: str
    private: bool


class HubRepository:
    """A dataset repository. Every method raises what `papi.hub_answers.hub_answers` raises."""

    def __init__(self, name: str, patience: Patience = PATIENCE) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils._validators import validate_repo_id
        from huggingface_hub.utils.tqdm import disable_progress_bars

        with hub_answers("name the repository", name):
            validate_repo_id(name)
        if name.count("/") != 1:
            raise UsageError(f"{name!r} does not say whose repository", expected="OWNER/NAME", got=name)
        refuse_unsendable_token()
        disable_progress_bars()
        _teach_patience(patience)
        self.name = name
        self._api: HfApi = HfApi()

    @property
    def url(self) -> str:
        """Where people find it."""
        return f"{self._api.endpoint}/datasets/{self.name}"

    def check_token(self) -> None:
        """Refuse a missing or unknown token before anything else happens."""
        with hub_answers("log in", self.name):
            self._api.whoami()

    def head(self) -> Head | None:
        """What `main` is at, None where there is no such repository."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with hub_answers("look at the repository", self.name):
            try:
                info = self._api.repo_info(self.name, repo_type=DATASET, revision=MAIN)
            except RepositoryNotFoundError:
                return None
            return Head(str(info.sha), private=bool(info.private))

    def commit_of(self, revision: str | None) -> str:
        """The commit of a tag, branch or commit; None stands for `main`."""
        with hub_answers(f"find revision {revision or MAIN}", self.name):
            return str(self._api.repo_info(self.name, repo_type=DATASET, revision=revision or MAIN).sha)

    def tags(self) -> dict[str, str]:
        """The commit of every tag."""
        with hub_answers("list the tags", self.name):
            refs = self._api.list_repo_refs(self.name, repo_type=DATASET)
            return {ref.name: ref.target_commit for ref in refs.tags}

    def files(self, revision: str) -> dict[str, ListedFile]:
        """The files of a commit by path, but for the Hub's own."""
        from huggingface_hub.hf_api import RepoFile

        with hub_answers("list the files", self.name):
            entries = self._api.list_repo_tree(self.name, repo_type=DATASET, revision=revision, recursive=True)
            listed = [entry for entry in entries if isinstance(entry, RepoFile) and entry.path != NOT_OURS]
        return {f.path: ListedFile(f.size, f.lfs.sha256 if f.lfs else None) for f in listed}

    def create(self, *, private: bool) -> None:
        """Make the repository; nothing where it is there."""
        with hub_answers("create the repository", self.name):
            self._api.create_repo(self.name, repo_type=DATASET, private=private, exist_ok=True)

    def commit(self, folder: Path, add: Iterable[str], delete: Iterable[str], parent: str, message: str) -> str:
        """One commit on top of `parent`, whole or not at all; gives its name. Another head is refused by the Hub."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationDelete] = []
        operations += [CommitOperationAdd(name, folder / name) for name in add]
        operations += [CommitOperationDelete(name, is_folder=False) for name in delete]
        with hub_answers("commit", self.name):
            done = self._api.create_commit(
                self.name, operations, repo_type=DATASET, commit_message=message, parent_commit=parent
            )
        return str(done.oid)

    def tag(self, name: str, commit: str) -> None:
        """Set a tag that is not there yet."""
        with hub_answers(f"set the tag {name}", self.name):
            self._api.create_tag(self.name, repo_type=DATASET, tag=name, revision=commit, exist_ok=False)

    def download(self, commit: str, cache: Path, names: Sequence[str] | None = None) -> Path:
        """The folder of a commit in a cache of the Hub's client, with all files or those named."""
        with hub_answers("download", self.name):
            folder = self._api.snapshot_download(
                self.name,
                repo_type=DATASET,
                revision=commit,
                cache_dir=cache,
                allow_patterns=list(names) if names is not None else None,
                ignore_patterns=[NOT_OURS],
            )
        return Path(folder)


def _teach_patience(patience: Patience) -> None:
    """Limit the waits of the Hub's client: else it waits for ever for an answer, and as long as it is asked to.

    It is made to use git-LFS over HTTP: the limits do not reach hf-xet, whose failures take minutes and name no cause.
    """
    import httpx2
    from huggingface_hub import constants, get_session, set_client_factory

    constants.HF_HUB_DISABLE_XET = True
    logging.getLogger("huggingface_hub.utils._http").addFilter(_without_queries)
    hooks = {**get_session().event_hooks, "response": [lambda reply: _refuse_long_waits(reply, patience)]}
    set_client_factory(
        lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=httpx2.Timeout(patience.answer))
    )


def _without_queries(record: logging.LogRecord) -> bool:
    """The client names addresses in its warnings; what follows a `?` may be a signature that grants access."""
    record.msg, record.args = re.sub(r"(https?://[^\s?]+)\?\S+", r"\1?…", record.getMessage()), ()
    return True


def _asked_wait(reply: httpx2.Response) -> float:
    """The seconds that an answer asks to wait, by either of the headers that the client obeys."""
    from huggingface_hub.utils._http import parse_ratelimit_headers

    asked = reply.headers.get("Retry-After", "")
    limit = parse_ratelimit_headers(reply.headers)
    by_limit = limit.reset_in_seconds if limit and limit.remaining == 0 and reply.status_code == 429 else 0
    return max(float(asked) if asked.isdecimal() else 0, by_limit)


def _refuse_long_waits(reply: httpx2.Response, patience: Patience) -> None:
    asked = _asked_wait(reply)
    if reply.is_error and asked > patience.asked:
        raise RemoteFailed(
            f"the Hub asks to come back in {asked:.0f} seconds",
            where=reply.request.url.host,
            got=str(reply.status_code),
            next_step="wait that long, then run the command again: it finds out how far it came",
        )
