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
from http_depot import CONTENT, CUT, PART, QUICK, Depot, files, get, interrupted, opened, pinned

from builders.fetch import fetch
from builders.sources import Source
from papi.errors import RemoteFailed

ROOT = Path(__file__).parents[2]


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


def test_after_an_interrupted_download_the_next_run_asks_only_for_the_rest(
    tmp_path: Path, depot: Depot, source: Source
) -> None:
    interrupted(tmp_path, depot, source)
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-"]
    assert files(tmp_path) == {"data.dat": CONTENT}


def test_redirects_are_followed_when_resuming_too(tmp_path: Path, depot: Depot, source: Source) -> None:
    moved = replace(source, url=depot.url.replace("/file", "/moved"))
    interrupted(tmp_path, depot, moved)
    assert get(tmp_path, moved) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-"]


def test_a_line_that_drops_again_and_again_but_moves_on_gets_there(
    tmp_path: Path, depot: Depot, source: Source
) -> None:
    depot.piece = 30_000
    assert get(tmp_path, source) == ["downloaded"]
    assert len(depot.asked) == 10 > QUICK.attempts


def test_an_interrupt_keeps_what_has_come(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.last_byte, depot.hangs = CUT, True
    part = tmp_path / PART
    code = (
        "import signal, sys; from pathlib import Path; from builders.fetch import fetch\n"
        "from builders.sources import Source; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"fetch(Path({str(tmp_path)!r}), sources=[{source!r}])"
    ).replace("mappingproxy({})", "{}")
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        limit = time.monotonic() + 20
        while (not part.exists() or part.stat().st_size == 0) and time.monotonic() < limit:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate()[1]
    kept = part.read_bytes()
    assert kept
    assert CONTENT.startswith(kept)
    depot.last_byte, depot.asked, depot.hangs = None, [], False
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [f"bytes={len(kept)}-"]


def test_a_server_that_ignores_range_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    interrupted(tmp_path, depot, source)
    depot.knows_ranges = False
    assert get(tmp_path, source) == ["downloaded"]
    assert files(tmp_path) == {"data.dat": CONTENT}


def test_a_server_that_ignores_range_and_never_gets_further_is_given_up(
    tmp_path: Path, depot: Depot, source: Source
) -> None:
    depot.knows_ranges, depot.piece = False, CUT
    with pytest.raises(RemoteFailed, match="dropped the connection"):
        get(tmp_path, source)
    assert len(depot.asked) == QUICK.attempts


def test_a_server_that_resumes_elsewhere_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    interrupted(tmp_path, depot, source)
    depot.shift = 7
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [f"bytes={CUT}-", None]


def test_a_416_starts_over(tmp_path: Path, depot: Depot, source: Source) -> None:
    (tmp_path / PART).write_bytes(CONTENT)
    assert get(tmp_path, replace(source, bytes=None)) == ["downloaded"]  # whole, but nobody knew the size
    assert depot.asked == [f"bytes={len(CONTENT)}-", None]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_a_length_is_taken_to_its_end(
    tmp_path: Path, depot: Depot, source: Source, chunked: bool
) -> None:
    depot.says_length, depot.chunked = False, chunked
    assert get(tmp_path, replace(source, bytes=None)) == ["downloaded"]


def test_a_chunked_body_that_breaks_off_is_continued(tmp_path: Path, depot: Depot, source: Source) -> None:
    depot.chunked, depot.piece = True, 200_000
    assert get(tmp_path, source) == ["downloaded"]
    assert depot.asked == [None, "bytes=200000-"]


@pytest.mark.parametrize(
    "refusals", [[(500, {})] * 2, [(429, {"Retry-After": "0"})] * 2, [(503, {"Retry-After": "soon"})]]
)
def test_passing_refusals_are_outlasted(
    tmp_path: Path, depot: Depot, source: Source, refusals: list[tuple[int, dict[str, str]]]
) -> None:
    depot.refusals.extend(refusals)
    assert get(tmp_path, source) == ["downloaded"]


@pytest.mark.parametrize(
    ("status", "headers", "tries", "advice"),
    [
        (403, {}, 1, "refuses this machine"),
        (404, {}, 1, "has moved"),
        (410, {}, 1, "try later"),
        (429, {"Retry-After": "0"}, 3, "too many requests"),
        (429, {"Retry-After": "3600"}, 1, "too many requests"),
        (502, {}, 3, "goes on where it stopped"),
    ],
)
def test_lasting_refusals_say_what_to_do(
    tmp_path: Path,
    depot: Depot,
    source: Source,
    status: int,
    headers: dict[str, str],
    tries: int,
    advice: str,
) -> None:
    interrupted(tmp_path, depot, source)
    depot.refusals.extend([(status, headers)] * 9)
    with pytest.raises(RemoteFailed, match=rf"data\.dat: 127\.0\.0\.1 answers {status}") as caught:
        get(tmp_path, source)
    assert caught.value.exit_code == 7
    assert advice in str(caught.value.next_step)
    assert len(depot.asked) == tries
    assert files(tmp_path) == {PART: CONTENT[:CUT]}


@pytest.mark.parametrize("last_byte", [None, CUT])
def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, depot: Depot, source: Source, last_byte: int | None
) -> None:
    depot.silent, depot.last_byte, depot.hangs = last_byte is None, last_byte, True
    began = time.monotonic()
    with pytest.raises(RemoteFailed, match="timed out"):
        get(tmp_path, source, patience=replace(QUICK, timeout=0.1))
    assert time.monotonic() - began < 3


def test_no_server_at_all_is_a_remote_failure(tmp_path: Path, depot: Depot, source: Source) -> None:
    with opened(Depot(b"")) as gone:
        url = gone.url
    with pytest.raises(RemoteFailed, match=r"127\.0\.0\.1 gives no answer: Connection refused"):
        get(tmp_path, replace(source, url=url))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_server_with_an_unknown_certificate_is_not_asked_again(
    tmp_path: Path, depot: Depot, source: Source
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with opened(Depot(CONTENT)) as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        with pytest.raises(RemoteFailed, match="is not trusted") as caught:
            get(tmp_path / "raw", replace(source, url=secure.url.replace("http:", "https:")))
    assert "SSL_CERT_FILE" in str(caught.value)
