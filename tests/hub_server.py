"""A Hugging Face Hub on the loopback interface, for the real clients: dataset repositories, commits, tags, git-LFS.

It keeps everything in memory, answers what `huggingface_hub` and `datasets` ask for when they create, commit, tag,
list and download, and fails on request: see `Fault`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from loopback import serving

TOKEN = "hf_loopback_writer"
READER = "hf_loopback_reader"  # may read, not write
USER = "maintainer"
LFS_FROM = 50_000  # bytes; what is smaller and text is kept as a regular file
CREATED = "2026-01-01T00:00:00.000Z"
Kind = Literal["drop", "lose_reply", "status"]
Answer = tuple[int, Any, dict[str, str]]


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a request: it is dropped unheard, its reply is lost, or a status is all that comes."""

    kind: Kind
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "as ordered"}'


@dataclass(frozen=True)
class Commit:
    """One version of a repository: its files, whole, by path."""

    oid: str
    title: str
    files: Mapping[str, bytes]


@dataclass
class Repository:
    """A dataset repository with its commits, oldest first, and its tags."""

    private: bool = False
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, title: str, files: Mapping[str, bytes]) -> Commit:
        seed = "".join(f"{name}{git_oid(content)}" for name, content in sorted(files.items()))
        oid = hashlib.sha1(f"{len(self.commits)}{title}{seed}".encode()).hexdigest()
        self.commits.append(Commit(oid, title, dict(files)))
        return self.commits[-1]

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        wanted = self.head.oid if revision in ("main", "refs/heads/main") else self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == wanted), None)


def git_oid(content: bytes) -> str:
    """The name git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_lfs(path: str, size: int) -> bool:
    return path.endswith((".parquet", ".png")) or size >= LFS_FROM


class _Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        self.answer: Answer = (status, {"error": message}, {"X-Error-Code": code, "X-Error-Message": message})


class Hub(ThreadingHTTPServer):
    """The Hub. `heard` lists the requests, from 1; `faults` says by number what goes wrong.

    `before` is called with each request's number before it is answered; `damaged` holds paths whose content is wrong
    when it is downloaded.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.heard: list[str] = []
        self.faults: Callable[[int, str], Fault | None] = lambda number, request: None
        self.before: Callable[[int], None] = lambda number: None
        self.damaged: set[str] = set()
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the real clients need to talk to this Hub."""
        return {"HF_ENDPOINT": self.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""

    def repository(self, name: str, token: str | None) -> Repository:
        found = self.repositories.get(name)
        if found is None or (found.private and token is None):
            raise _Refused(404, "RepoNotFound", "Repository not found")
        return found

    def commit_at(self, name: str, revision: str, token: str | None) -> Commit:
        found = self.repository(name, token).at(revision)
        if found is None:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return found


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """The Hub at work in a thread."""
    with serving(hub):
        yield hub


ROUTES = (
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("POST", r"/api/datasets/(?P<name>[^/]+/[^/]+)/preupload/(?P<revision>[^/]+)", "preupload"),
    ("POST", r"/datasets/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", "lfs_put"),
    ("POST", r"/lfs/verify", "lfs_verify"),
    ("POST", r"/api/datasets/(?P<name>[^/]+/[^/]+)/commit/(?P<revision>[^/]+)", "commit"),
    ("POST", r"/api/datasets/(?P<name>[^/]+/[^/]+)/tag/(?P<revision>[^/]+)", "tag"),
    ("DELETE", r"/api/datasets/(?P<name>[^/]+/[^/]+)/tag/(?P<tag>[^/]+)", "untag"),
    ("GET", r"/api/datasets/(?P<name>[^/]+/[^/]+)/refs", "refs"),
    ("GET", r"/api/datasets/(?P<name>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)", "info"),
    ("GET", r"/api/datasets/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<under>.+))?", "tree"),
    ("POST", r"/api/datasets/(?P<name>[^/]+/[^/]+)/paths-info/(?P<revision>[^/]+)", "paths_info"),
    ("GET", r"/api/datasets/(?P<name>[^/]+/[^/]+)/commits/(?P<revision>[^/]+)", "commits"),
    ("GET", r"/api/datasets/(?P<name>[^/]+/[^/]+)", "info"),
    ("(?:HEAD|GET)", r"/datasets/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        request = f"{self.command} {self.path}"
        with self.server.lock:
            self.server.heard.append(request)
            number = len(self.server.heard)
        self.server.before(number)
        fault = self.server.faults(number, request)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if fault and fault.kind == "drop":
            self.close_connection = True
            return None
        if fault and fault.kind == "status":
            return self._say(fault.status, fault.body, dict(fault.headers))
        answer = self._answer(body)
        if fault and fault.kind == "lose_reply":
            self.close_connection = True
            return None
        return self._say(*answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _answer(self, body: bytes) -> Answer:
        path = urlsplit(self.path).path
        for method, pattern, action in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and re.fullmatch(method, self.command):
                values = {name: unquote(value) for name, value in match.groupdict().items() if value is not None}
                try:
                    with self.server.lock:
                        answer: Answer = getattr(self, f"_{action}")(body, **values)
                        return answer
                except _Refused as refused:
                    return refused.answer
        return 404, {"error": f"the loopback Hub knows no {self.command} {path}"}, {}

    def _say(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The tests look at `heard`."""

    def _token(self) -> str | None:
        given = (self.headers["Authorization"] or "").removeprefix("Bearer ").strip()
        if given and given not in (TOKEN, READER):
            raise _Refused(401, message="Invalid credentials in Authorization header")
        return given or None

    def _writer(self) -> None:
        token = self._token()
        if token is None:
            raise _Refused(401, message="Invalid username or password.")
        if token != TOKEN:
            raise _Refused(403, message="You don't have the rights to write")

    def _whoami(self, body: bytes) -> Answer:
        token = self._token()
        if token is None:
            raise _Refused(401, message="Invalid username or password.")
        return 200, {"type": "user", "name": USER, "auth": {"accessToken": {"role": "write"}}}, {}

    def _create(self, body: bytes) -> Answer:
        self._writer()
        asked = json.loads(body)
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        if name in self.server.repositories:
            said = "You already created this dataset repo"
            return 409, {"error": said, "url": f"{self.server.url}/datasets/{name}"}, {"X-Error-Message": said}
        made = Repository(private=asked.get("visibility") == "private")
        made.commit("initial commit", {".gitattributes": b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"})
        self.server.repositories[name] = made
        return 200, {"url": f"{self.server.url}/datasets/{name}", "name": name}, {}

    def _validate_yaml(self, body: bytes) -> Answer:
        text = json.loads(body)["content"]
        try:
            metadata = yaml.safe_load(text.split("---\n")[1])
            errors = [] if isinstance(metadata, dict) else [{"message": "the front matter is no mapping"}]
        except (yaml.YAMLError, IndexError) as error:
            errors = [{"message": str(error)}]
        return (400 if errors else 200), {"errors": errors, "warnings": []}, {}

    def _preupload(self, body: bytes, name: str, revision: str) -> Answer:
        self._writer()
        files = self.server.commit_at(name, revision, TOKEN).files
        modes = []
        for asked in json.loads(body)["files"]:
            path, known = asked["path"], files.get(asked["path"])
            lfs = is_lfs(path, asked["size"])
            oid = None if known is None else (hashlib.sha256(known).hexdigest() if lfs else git_oid(known))
            mode = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
            modes.append(mode | ({"oid": oid} if oid else {}))
        return 200, {"files": modes}, {}

    def _lfs_batch(self, body: bytes, name: str) -> Answer:
        self._writer()
        objects = []
        for asked in json.loads(body)["objects"]:
            actions = {
                "upload": {"href": f"{self.server.url}/lfs/{asked['oid']}"},
                "verify": {"href": f"{self.server.url}/lfs/verify"},
            }
            objects.append(asked | ({} if asked["oid"] in self.server.objects else {"actions": actions}))
        return 200, {"transfer": "basic", "objects": objects}, {}

    def _lfs_put(self, body: bytes, oid: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != oid:
            raise _Refused(400, message="the content has another hash")
        self.server.objects[oid] = body
        return 200, b"", {}

    def _lfs_verify(self, body: bytes) -> Answer:
        asked = json.loads(body)
        there = len(self.server.objects.get(asked["oid"], b"")) == asked["size"]
        return (200 if there else 404), {}, {}

    def _commit(self, body: bytes, name: str, revision: str) -> Answer:
        self._writer()
        repository = self.server.repository(name, TOKEN)
        lines = [json.loads(line) for line in body.splitlines()]
        header, operations = lines[0]["value"], lines[1:]
        if header.get("parentCommit", repository.head.oid) != repository.head.oid:
            raise _Refused(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(repository.head.files)
        for operation in operations:
            self._apply(files, operation["key"], operation["value"])
        made = repository.commit(header["summary"], files)
        url = f"{self.server.url}/datasets/{name}/commit/{made.oid}"
        return 200, {"success": True, "commitOid": made.oid, "commitUrl": url}, {}

    def _apply(self, files: dict[str, bytes], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            if value["oid"] not in self.server.objects:
                raise _Refused(400, message=f"the object of {path} was not uploaded")
            files[path] = self.server.objects[value["oid"]]
        elif path not in files:
            raise _Refused(404, "EntryNotFound", f"A file with this name doesn't exist: {path}")
        else:
            del files[path]

    def _tag(self, body: bytes, name: str, revision: str) -> Answer:
        self._writer()
        repository, tag = self.server.repository(name, TOKEN), json.loads(body)["tag"]
        if tag in repository.tags:
            return 409, {"error": "Tag reference exists already."}, {"X-Error-Message": "Tag reference exists already."}
        repository.tags[tag] = self.server.commit_at(name, revision, TOKEN).oid
        return 200, {}, {}

    def _untag(self, body: bytes, name: str, tag: str) -> Answer:
        self._writer()
        if self.server.repository(name, TOKEN).tags.pop(tag, None) is None:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {tag}")
        return 200, {}, {}

    def _refs(self, body: bytes, name: str) -> Answer:
        repository = self.server.repository(name, self._token())
        tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": oid} for n, oid in repository.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head.oid}
        return 200, {"branches": [main], "tags": tags, "converts": []}, {}

    def _info(self, body: bytes, name: str, revision: str = "main") -> Answer:
        commit = self.server.commit_at(name, revision, self._token())
        private = self.server.repositories[name].private
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        facts = {"_id": "0", "id": name, "author": name.partition("/")[0], "sha": commit.oid, "private": private}
        facts |= {"tags": [], "downloads": 0, "likes": 0, "gated": False, "disabled": False, "siblings": siblings}
        return 200, facts | {"lastModified": CREATED, "createdAt": CREATED}, {}

    def _tree(self, body: bytes, name: str, revision: str, under: str = "") -> Answer:
        files = self.server.commit_at(name, revision, self._token()).files
        start = f"{under}/" if under else ""
        inside = {path: content for path, content in sorted(files.items()) if path.startswith(start)}
        if under and not inside:
            raise _Refused(404, "EntryNotFound", f"{under} does not exist")
        deep = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() == "true"
        shown = [path for path in inside if deep or "/" not in path[len(start) :]]
        above = {str(parent) for path in inside for parent in PurePosixPath(path[len(start) :]).parents} - {"."}
        folders = sorted(start + folder for folder in above if deep or "/" not in folder)
        return 200, [_folder(path) for path in folders] + [_entry(path, files[path]) for path in shown], {}

    def _paths_info(self, body: bytes, name: str, revision: str) -> Answer:
        files = self.server.commit_at(name, revision, self._token()).files
        asked = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode()).get("paths", [])
        folders = [path for path in asked if any(file.startswith(f"{path}/") for file in files)]
        entries = [_entry(path, files[path]) for path in asked if path in files]
        return 200, entries + [_folder(path) for path in folders], {}

    def _commits(self, body: bytes, name: str, revision: str) -> Answer:
        commit = self.server.commit_at(name, revision, self._token())
        repository = self.server.repositories[name]
        older = repository.commits[: repository.commits.index(commit) + 1][::-1]
        listed = [{"id": c.oid, "title": c.title, "message": "", "authors": [], "date": CREATED} for c in older]
        return 200, listed, {}

    def _resolve(self, body: bytes, name: str, revision: str, path: str) -> Answer:
        commit = self.server.commit_at(name, revision, self._token())
        headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if path not in commit.files:
            status, said, more = _Refused(404, "EntryNotFound", f"{path} does not exist").answer
            return status, said, more | {"X-Repo-Commit": commit.oid}
        content = commit.files[path]
        etag = hashlib.sha256(content).hexdigest() if is_lfs(path, len(content)) else git_oid(content)
        headers |= {"ETag": f'"{etag}"'}
        if is_lfs(path, len(content)):
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))}
        if path in self.server.damaged:
            content = bytes([content[0] ^ 1]) + content[1:]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        if not asked:
            return 200, content, headers
        start, end = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
        return 206, content[start : end + 1], headers | {"Content-Range": f"bytes {start}-{end}/{len(content)}"}


def _folder(path: str) -> dict[str, Any]:
    """A folder as the tree lists it."""
    return {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}


def _entry(path: str, content: bytes) -> dict[str, Any]:
    """A file as the tree lists it."""
    entry = {"type": "file", "path": path, "size": len(content), "oid": git_oid(content)}
    if not is_lfs(path, len(content)):
        return entry
    return entry | {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}}


def content_of(release: Path) -> dict[str, bytes]:
    """The files of a release by path, as a commit holds them."""
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in release.rglob("*") if path.is_file()}
