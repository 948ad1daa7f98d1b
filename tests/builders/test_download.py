"""The HTTP of downloads, on the loopback: going on, starting over, trying again, giving up."""

from __future__ import annotations

import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from http_depot import CONTENT, CUT, PART, QUICK, Depot, Refusal, files, get, interrupted, opened, pinned

from builders.fetch import fetch
from builders.sources import Source
from papi.errors import RemoteFailed

ROOT = Path(__file__).parents[2]
FETCH_ONE = """
import pathlib, signal, sys
from builders import fetch, sources
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background would inherit SIG_IGN
raw, url, sha256 = sys.argv[1:]
fetch.fetch(pathlib.Path(raw), (), [sources.Source("data.dat", "", (), url, None, (sha256,))])
"""


@pytest.fixture
def depot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Depot]:
    monkeypatch.setenv("no_proxy", "*")
    with opened(Depot(CONTENT)) as depot:
        yield depot


@pytest.fixture
def source(depot: Depot) -> Source:
    return pinned(depot)


def test_progress_rises_to_the_size_of_the_file(tmp_path: Path, source: Source) -> None:
    heard: list[tuple[str, int, int | None]] = []
    fetch(tmp_path, sources=[source], progress=lambda *call: heard.append(call))
    assert {(name, total) for name, _, total in heard} == {("data.dat", len(CONTENT))}
    done = [done for _, done, _ in heard]
    assert done == sorted(set(done))
    assert (done[0], done[-1]) == (0, len(CONTENT))


def test_after_an_interruption_only_the_rest_is_asked_for(tmp_path: Path, depot: Depot, source: Source) -> None:
    interrupted(tmp_path, depot, source)
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-"]
    assert files(tmp_path) == {"data.dat": CONTENT}


def test_redirects_are_followed_when_resuming_too(tmp_path: Path, depot: Depot, source: Source) -> None:
    moved = replace(source, url=depot.url.replace("/file", "/moved"))
    interrupted(tmp_path, depot, moved)
    assert get(tmp_path, moved) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-"]


def test_a_line_that_keeps_dropping_but_moves_on_gets_there(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.piece = 30_000
    assert get(tmp_path, source) == ["downloaded"]
    assert len(depot.asked) == 10 > QUICK.attempts


def test_an_interrupt_keeps_what_has_come(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.last_byte, depot.hangs = CUT, True
    part = tmp_path / PART
    command = [sys.executable, "-c", FETCH_ONE, str(tmp_path), source.url, source.sha256[0]]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        while child.poll() is None and not (part.exists() and part.stat().st_size):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate()[1]
    kept = part.read_bytes()
    assert kept
    assert CONTENT.startswith(kept)
    depot.last_byte = None
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [None, f"bytes={len(kept)}-"]


def test_a_server_that_ignores_range_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    interrupted(tmp_path, depot, source)
    depot.knows_ranges = False
    assert get(tmp_path, source) == ["downloaded"]
    assert files(tmp_path) == {"data.dat": CONTENT}


def test_a_server_that_never_gets_further_is_given_up(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.knows_ranges, depot.piece = False, CUT
    with pytest.raises(RemoteFailed, match="dropped the connection"):
        get(tmp_path, source)
    assert len(depot.asked) == QUICK.attempts


def test_a_server_that_resumes_elsewhere_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    interrupted(tmp_path, depot, source)
    depot.shift = 7
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-", None]


def test_bytes_from_elsewhere_never_join_the_part(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.piece, depot.shift = 200_000, 7  # the whole cannot come, but a wrong file could
    with pytest.raises(RemoteFailed):
        get(tmp_path, source)


def test_a_416_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    (tmp_path / PART).write_bytes(CONTENT)
    assert get(tmp_path, replace(source, bytes=None)) == ["downloaded"]  # whole, but nobody knew the size
    assert depot.asked == [f"bytes={len(CONTENT)}-", None]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_a_length_is_taken_whole(tmp_path: Path, depot: Depot, source: Source, chunked: bool) -> None:
    depot.says_length, depot.chunked = False, chunked
    assert get(tmp_path, replace(source, bytes=None)) == ["downloaded"]


def test_a_chunked_body_that_breaks_off_is_continued(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.chunked, depot.piece = True, 200_000
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [None, "bytes=200000-"]


@pytest.mark.parametrize("refusal", [(500, {}), (429, {}), (503, {"Retry-After": "Fri, 31 Dec 1999 23:59 GMT"})])
def test_passing_refusals_are_outlasted(tmp_path: Path, depot: Depot, source: Source, refusal: Refusal) -> None:
    depot.refusals.extend([refusal] * 2)
    assert get(tmp_path, source) == ["downloaded"]


def test_the_wait_a_server_asks_for_goes_before_our_own(tmp_path: Path, depot: Depot, source: Source) -> None:
    hours = replace(QUICK, first_wait=9_999, longest_wait=99_999)
    depot.refusals.extend([(429, {"Retry-After": "0"})] * 2)
    assert get(tmp_path, source, patience=hours) == ["downloaded"]


@pytest.mark.parametrize(
    ("refusal", "tries", "advice"),
    [
        ((403, {}), 1, "refuses this machine"),
        ((404, {}), 1, "has moved"),
        ((410, {}), 1, "try later"),
        ((429, {"Retry-After": "0"}), 3, "too many requests"),
        ((429, {"Retry-After": "3600"}), 1, "too many requests"),
        ((502, {}), 3, "goes on where it stopped"),
    ],
)
def test_lasting_refusals_say_what_to_do(
    tmp_path: Path, depot: Depot, source: Source, refusal: Refusal, tries: int, advice: str
) -> None:
    interrupted(tmp_path, depot, source)
    depot.refusals.extend([refusal] * 9)
    with pytest.raises(RemoteFailed, match=rf"data\.dat: 127\.0\.0\.1 answers {refusal[0]}") as caught:
        get(tmp_path, source)
    assert caught.value.exit_code == 7
    assert advice in str(caught.value.next_step)
    assert len(depot.asked) == tries
    assert files(tmp_path) == {PART: CONTENT[:CUT]}


@pytest.mark.parametrize("last_byte", [None, CUT])
def test_a_silent_server_is_given_up(tmp_path: Path, depot: Depot, source: Source, last_byte: int | None) -> None:
    depot.silent, depot.last_byte, depot.hangs = last_byte is None, last_byte, True
    began = time.monotonic()
    with pytest.raises(RemoteFailed, match="timed out"):
        get(tmp_path, source, patience=replace(QUICK, timeout=0.1))
    assert time.monotonic() - began < 8


def test_no_server_at_all_is_a_remote_failure(tmp_path: Path, depot: Depot, source: Source) -> None:
    with opened(Depot(b"")) as gone:
        url = gone.url
    with pytest.raises(RemoteFailed, match=r"127\.0\.0\.1 gives no answer: Connection refused"):
        get(tmp_path, replace(source, url=url))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_server_with_a_strange_certificate_is_left(tmp_path: Path, depot: Depot, source: Source) -> None:
    pem = tmp_path / "both.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    made = subprocess.run([*make, "-keyout", "-", "-out", "-"], check=True, capture_output=True)
    pem.write_bytes(made.stdout)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    depot.socket = context.wrap_socket(depot.socket, server_side=True)
    with pytest.raises(RemoteFailed, match="is not trusted") as caught:
        get(tmp_path / "raw", replace(source, url=depot.url.replace("http:", "https:")))
    assert "SSL_CERT_FILE" in str(caught.value)
