"""A server of chat completions on the loopback interface. It checks the plumbing only: what it says means nothing.

It answers a question by a rule of the test's, with or without log-probabilities, and fails on request.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import serving

KEY = "sk-loopback-0123456789"
Letters = Mapping[str, float]  # probabilities of tokens
Rule = Callable[[str, str], Letters | str]  # from the system's and the user's text


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a request: a status with headers, silence, a dropped connection, a body that is no reply."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"message": "as ordered"}}'
    silent: float = 0.0  # seconds
    drop: bool = False


def a_letter(system: str, user: str) -> Letters | str:
    """A little of every option, more of the one that the length of the question points at."""
    shares = dict.fromkeys("ABCDE", 0.1)
    shares["ABCDE"[len(user) % 5]] = 0.5
    return shares


@dataclass
class Chat:
    """What the server does, and what it was asked (bodies and headers, in order of arrival)."""

    rule: Rule = a_letter
    tells: bool = True  # log-probabilities
    refuses: tuple[str, ...] = ()  # settings of a request
    faults: dict[int, Fault] = field(default_factory=dict)  # by the number of the request, from 0
    always: Fault | None = None
    wait: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0
    url: str = ""
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: dict[str, Any], key: str) -> Fault | None:
        with self._lock:
            number = len(self.asked)
            self.asked.append(body)
            self.keys.append(key)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        return self.faults.get(number, self.always)

    def done(self) -> None:
        with self._lock:
            self._at_once -= 1

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        texts = {message["role"]: message["content"] for message in body["messages"]}
        said = self.rule(texts.get("system", ""), texts["user"])
        text = said if isinstance(said, str) else max(said, key=lambda token: said[token])
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
        }
        if body.get("logprobs") and self.tells and not isinstance(said, str):
            told = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in said.items()]
            told = sorted(told, key=lambda each: -each["logprob"])[: body["top_logprobs"]]
            choice["logprobs"] = {"content": [told[0] | {"top_logprobs": told}], "refusal": None}
        usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
        return {
            "id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice],
            "usage": usage,
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        chat: Chat = self.server.chat
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = chat.take(body, self.headers.get("Authorization", ""))
        try:
            time.sleep(chat.wait)
            if fault is not None:
                self._fail(fault)
            elif refused := [name for name in chat.refuses if name in body]:
                self._say(400, json.dumps({"error": {"message": f"Unsupported parameter: '{refused[0]}'"}}).encode())
            else:
                self._say(200, json.dumps(chat.reply(body)).encode())
        finally:
            chat.done()

    def _fail(self, fault: Fault) -> None:
        time.sleep(fault.silent)
        if fault.drop:
            self.close_connection = True
            return
        self._say(fault.status, fault.body, fault.headers)

    def _say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def chatting(chat: Chat) -> Iterator[Chat]:
    """The server at work; its address is `chat.url`."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads, server.chat = True, chat
    chat.url = f"http://127.0.0.1:{server.server_port}/v1"
    with serving(server):
        yield chat
