"""One file over HTTP into a growing `.part`: it goes on where it stopped, and outlasts passing failures.

`urllib.request` is client enough: one GET at a time, with redirects (OSF answers with one), proxies and
time-outs. Whether the content is the right one is for the caller to see.
"""

from __future__ import annotations

import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from builders.sources import Source
from papi.errors import RemoteFailed
from papi.files import BLOCK, open_addition, remove_file, translated
from papi.version import __version__

Progress = Callable[[str, int, int | None], object]

PARTIAL, CANNOT_CONTINUE, TOO_MANY = 206, 416, 429
AGAIN = "run again: it goes on where it stopped"
BY_HAND = "get the file with a browser and put it into the folder; papi fetch checks it there"
ADVICE = {
    403: f"the server refuses this machine: try later or from another network, or {BY_HAND}",
    404: f"the file has moved: report it; if you find it, {BY_HAND}",
    TOO_MANY: f"the server has too many requests: wait a while and {AGAIN}",
}
UNTRUSTED = "check the clock, the proxy and the certificates of this Python (SSL_CERT_FILE names others)"


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and how often to try in a row without getting any further."""

    timeout: float = 30.0  # for a connection, and for each further piece of an answer
    attempts: int = 5
    first_wait: float = 1.0  # doubles with each failure
    longest_wait: float = 60.0  # a server that asks for more is not waited for


PATIENCE = Patience()


class _PassingError(Exception):
    """A failure that may be over in a moment; `wait` is how many seconds the server asks for."""

    def __init__(self, reason: str, *, wait: float | None = None, next_step: str = AGAIN) -> None:
        super().__init__(reason)
        self.wait = wait
        self.next_step = next_step


def download(source: Source, part: Path, progress: Progress, patience: Patience = PATIENCE) -> None:
    """Add to `part`, from its end, until the server has given all of `source`.

    `progress` hears (name, bytes so far, bytes in all or None). Raises `RemoteFailed` for a refusal, and
    where `patience.attempts` failures in a row brought nothing new; then, as after SIGINT, `part` stays for
    the next call.
    """
    failures, furthest = 0, part_size(part)
    while True:
        try:
            return _request_rest(source, part, progress, patience.timeout)
        except _PassingError as failure:
            reached = part_size(part)
            failures = 1 if reached > furthest else failures + 1  # on a poor line that moves on there is hope
            furthest = max(furthest, reached)
            wait = patience.first_wait * 2 ** (failures - 1) if failure.wait is None else failure.wait
            if failures >= patience.attempts or wait > patience.longest_wait:
                raise _failed(source, str(failure), failure.next_step) from failure
            time.sleep(wait)


def part_size(part: Path) -> int:
    """Bytes of a file, 0 where it is not there."""
    with translated(part, "look at"):
        return part.stat().st_size if part.exists() else 0


def _request_rest(source: Source, part: Path, progress: Progress, timeout: float) -> None:
    """One request for what `part` lacks; what comes is added to it."""
    offset = part_size(part)
    with _answer(source, part, offset, timeout) as response:
        start = _first_byte(response)
        if start != offset:
            remove_file(part)
        if start not in (0, offset):
            raise _PassingError(f"sends bytes from {start:,} on, not from {offset:,}", wait=0)
        length = _length(response)
        total = source.bytes or (None if length is None else start + length)
        _append(source, part, _blocks(response, length), progress, total)


def _answer(source: Source, part: Path, offset: int, timeout: float) -> HTTPResponse:
    headers = {"User-Agent": f"papi/{__version__}"} | ({"Range": f"bytes={offset}-"} if offset else {})
    request = urllib.request.Request(source.url, headers=headers)
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=timeout)
    except HTTPError as error:
        with error:  # it holds the connection
            if error.code == CANNOT_CONTINUE:
                remove_file(part)
                raise _PassingError("cannot go on where the download stopped", wait=0) from error
            raise _refusal(source, error) from error
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a redirect to what is no URL
        if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
            raise _failed(source, f"is not trusted: {_reason(error)}", UNTRUSTED) from error
        raise _PassingError(f"gives no answer: {_reason(error)}") from error
    return response


def _refusal(source: Source, error: HTTPError) -> _PassingError | RemoteFailed:
    """What a status other than success means: worth another try, or not."""
    answer = f"answers {error.code} {' '.join(str(error.reason).split())}"
    if error.code == TOO_MANY or error.code >= 500:
        asked = _asked_wait(error.headers["Retry-After"])
        return _PassingError(answer, wait=asked, next_step=ADVICE.get(error.code, AGAIN))
    return _failed(source, answer, ADVICE.get(error.code, f"try later, or {BY_HAND}"))


def _failed(source: Source, answer: str, next_step: str) -> RemoteFailed:
    what = f"cannot download {source.name}: {urlsplit(source.url).hostname} {answer}"
    return RemoteFailed(what, where=source.url, next_step=next_step)


def _reason(error: Exception) -> str:
    """The cause in words, without Python's wrapping."""
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or inner) or type(inner).__name__


def _asked_wait(header: str | None) -> float | None:
    """The seconds of a Retry-After header; its other form, a date, is rare and left to our own waits."""
    return float(header) if header and header.isdecimal() else None


def _first_byte(response: HTTPResponse) -> int:
    """Where the body starts: at 0 if the server ignores Range; −1 if a partial answer does not say."""
    if response.status != PARTIAL:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers["Content-Range"] or "")
    return int(match[1]) if match else -1


def _length(response: HTTPResponse) -> int | None:
    header = response.headers["Content-Length"]
    return int(header) if header and header.isdecimal() and not response.chunked else None


def _blocks(response: HTTPResponse, length: int | None) -> Iterator[bytes]:
    """The body, piece by piece as it comes (`read` would lose what had come before a failure)."""
    left = length
    while left is None or left > 0:
        try:
            block = response.read1(BLOCK)
        except (OSError, HTTPException) as error:
            raise _PassingError(f"stopped in the middle: {_reason(error)}") from error
        if not block:
            break
        yield block
        left = None if left is None else left - len(block)
    if left:
        raise _PassingError(f"dropped the connection with {left:,} bytes to go")


def _append(source: Source, part: Path, body: Iterator[bytes], progress: Progress, total: int | None) -> None:
    """Write what comes; no more than one piece beyond the known size, for then it is another file."""
    done = part_size(part)
    progress(source.name, done, total)
    with open_addition(part) as file:
        for block in body:
            file.write(block)
            done += len(block)
            progress(source.name, done, total)
            if source.bytes is not None and done > source.bytes:
                break
