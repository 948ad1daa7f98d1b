"""A loopback file server that misbehaves on request, and what the tests of downloads do with it."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from loopback import serving

from builders.download import Patience
from builders.fetch import fetch
from builders.sources import Source
from papi.errors import RemoteFailed

Refusal = tuple[int, dict[str, str]]  # status, headers

CONTENT = random.Random(0).randbytes(300_000)
CUT = 123_456  # where interrupted downloads stop
PART = ".data.dat.part"
QUICK = Patience(timeout=5, attempts=3, first_wait=0.01, longest_wait=1)


class Depot(ThreadingHTTPServer):
    """Serves `content` at every path but /moved, which leads to another.

    `asked` holds the Range of each request; the other attributes say how to misbehave.
    """

    daemon_threads = False

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.asked: list[str | None] = []
        self.refusals: deque[Refusal] = deque()  # what it says first, before it serves anything
        self.knows_ranges = True
        self.shift = 0  # partial answers begin that many bytes late
        self.says_length = True
        self.chunked = False
        self.silent = False  # takes requests and never answers
        self.last_byte: int | None = None  # drops the connection there, however often it is asked
        self.piece: int | None = None  # drops each connection after so many bytes
        self.hangs = False  # falls silent instead of dropping the connection
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Depot

    def do_GET(self) -> None:
        if self.path == "/moved":
            return self._say(302, {"Location": self.server.url})
        self.server.asked.append(self.headers["Range"])
        if self.server.silent:
            self.server.released.wait()
            return None
        if self.server.refusals:
            return self._say(*self.server.refusals.popleft())
        return self._send(self.headers["Range"] if self.server.knows_ranges else None)

    def _send(self, asked: str | None) -> None:
        depot, whole = self.server, len(self.server.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) + depot.shift if asked else 0
        if asked and start >= whole:
            return self._say(416, {"Content-Range": f"bytes */{whole}"})
        length = {"Content-Length": str(whole - start)} if depot.says_length else {}
        length = {"Transfer-Encoding": "chunked"} if depot.chunked else length
        partial = {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"} if asked else {}
        self._say(206 if asked else 200, length | partial)
        end = whole if depot.last_byte is None else depot.last_byte
        end = end if depot.piece is None else min(end, start + depot.piece)
        self._write(depot.content[start:end], whole - start)
        if depot.hangs:
            depot.released.wait()
        return None

    def _write(self, body: bytes, promised: int) -> None:
        if self.server.chunked:
            end = b"\r\n0\r\n\r\n" if len(body) == promised else b""
            body = b"%x\r\n%b%b" % (promised, body, end)
        self.wfile.write(body)

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def opened(depot: Depot) -> Iterator[Depot]:
    """The depot at work in a thread; at the end every connection is let go and closed."""
    with serving(depot):
        try:
            yield depot
        finally:
            depot.released.set()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pinned(depot: Depot) -> Source:
    return Source("data.dat", "test", ("dark-triad",), depot.url, len(CONTENT), (sha(CONTENT),))


def get(raw: Path, *sources: Source, patience: Patience = QUICK) -> list[str]:
    """Fetch, and say what became of each file."""
    return [fetched.outcome for fetched in fetch(raw, sources=sources, patience=patience)]


def files(raw: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in raw.iterdir()}


def interrupted(raw: Path, depot: Depot, source: Source) -> None:
    """A download that stops at `CUT` for good; afterwards the depot is well again."""
    depot.last_byte = CUT
    with pytest.raises(RemoteFailed, match="dropped the connection with 176,544 bytes to go"):
        get(raw, source)
    assert files(raw) == {PART: CONTENT[:CUT]}
    depot.last_byte, depot.asked = None, []
