"""How a model behind an HTTP interface is reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from papi.errors import UsageError

KEYS = ("PAPI_API_KEY", "OPENAI_API_KEY")  # environment variables, the first that is set
NO_KEY = "none"  # servers of one's own ask for none


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, those sent and those written, in the user's currency."""

    sent: float = 0.0
    written: float = 0.0

    def of(self, sent: int, written: int) -> float:
        """What so many tokens cost."""
        return (sent * self.sent + written * self.written) / 1e6


@dataclass(frozen=True)
class ApiSettings:
    """A server and how it is asked: so many requests at once, attempts after a failure, seconds to wait for a reply,
    and requests a minute of this process (None: as many as go)."""

    url: str
    concurrency: int = 8
    retries: int = 5
    timeout: float = 60.0
    per_minute: int | None = None
    prices: Prices | None = None

    def __post_init__(self) -> None:
        if "@" in self.url:
            what, advice = "the address must not hold a key", f"set {KEYS[0]} in the environment"
            raise UsageError(what, got=f"…@{self.url.rpartition('@')[2]}", next_step=advice)
        if not _is_address(self.url):
            expected = "http://HOST/v1 or https://HOST/v1, without a query"
            raise UsageError("that is no address of a server", expected=expected, got=self.url)
        for name, value, least in (("--concurrency", self.concurrency, 1), ("--retries", self.retries, 0)):
            if value < least:
                raise UsageError(f"{name} is out of its range", expected=f"{least} or more", got=str(value))
        if not self.timeout > 0:
            raise UsageError("--timeout is out of its range", expected="seconds, above 0", got=f"{self.timeout:g}")
        if self.per_minute is not None and self.per_minute < 1:
            raise UsageError(
                "--requests-per-minute is out of its range", expected="1 or more", got=str(self.per_minute)
            )

    @property
    def address(self) -> str:
        """The address without anything secret: no user, password or query."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        place = f"{host}:{parts.port}" if parts.port else host
        return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        return False


def key_of(environment: Mapping[str, str] = os.environ) -> str:
    """The key for the server, from the environment; never to be shown or stored.

    Raises `UsageError` for one that no header can hold.
    """
    for name in KEYS:
        if key := environment.get(name, "").strip():
            if not (key.isascii() and key.isprintable()):
                raise UsageError(f"the key in {name} has signs that no key has", next_step="set it anew")
            return key
    return NO_KEY


def without_key(text: str) -> str:
    """A server's words, in which the key may stand, with three dots in its place."""
    key = key_of()
    return text if key == NO_KEY else text.replace(key, "…")
