"""The one client of all servers: chat completions with retries, a pace, counts of tokens, and the project's errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from alignment.api.settings import ApiSettings, key_of, without_key
from papi.errors import MissingExtra, PapiError, RemoteFailed, SubjectFailed

Message = dict[str, str]
Given = TypeVar("Given")
Made = TypeVar("Made")
AROUND = " ().:*\n"  # what may stand around a letter
LONGEST_COMPLAINT = 200  # signs of what a server says
FAILURES = 3  # requests in a row, or as many as go at once: the server is gone
TOP = 20  # alternatives that the protocol tells of a token at most
# What some servers refuse, by the word that their complaint holds; max_tokens has another name there.
REFUSABLE = {
    "logprob": ("logprobs", "top_logprobs"),
    "max_tokens": ("max_tokens",),
    "temperature": ("temperature",),
    "seed": ("seed",),
}
THE_REQUESTS_OWN = (400, 413, 422)  # another request may do better
ADVICE = "check that the server runs, its address, the name of the model and the key (PAPI_API_KEY)"
FINAL = {401: "the key is not accepted", 403: "the key may not do this", 404: "there is no such model or address"}


@dataclass(frozen=True)
class Completion:
    """What a server wrote, and of the first token the alternatives with their log-probabilities, if it tells them."""

    text: str
    alternatives: tuple[tuple[str, float], ...] | None


@dataclass(eq=False)
class ApiClient:
    """Counts the tokens `sent` and `written`. What a server refuses to be asked (`REFUSABLE`) it is not asked again."""

    model: str
    settings: ApiSettings
    sent: int = field(init=False, default=0)
    written: int = field(init=False, default=0)
    _refused: set[str] = field(init=False, default_factory=set)
    _reached: bool = field(init=False, default=False)  # whether a server has said anything at all
    _failed: int = field(init=False, default=0)  # requests in a row

    def __post_init__(self) -> None:
        try:
            from openai import DefaultHttpxClient, OpenAI
        except ImportError:
            advice = "pip install 'palign-papi[api]'"
            raise MissingExtra(
                "a model behind an address needs openai, which is not installed", next_step=advice
            ) from None
        given = self.settings
        pace = Pace(given.per_minute)
        paced = DefaultHttpxClient(event_hooks={"request": [lambda request: pace.wait()]})  # retries too
        self._server: Any = OpenAI(
            base_url=given.url, api_key=key_of(), max_retries=given.retries, timeout=given.timeout, http_client=paced
        )
        self._lock = threading.Lock()

    def complete(self, messages: Sequence[Message], most_tokens: int, seed: int, *, letters: bool) -> Completion:
        """The server's reply, as sure as it can be (temperature 0); with `letters` the alternatives are asked for.

        Raises `RemoteFailed` where the server refuses for good, `SubjectFailed` where retries did not help.
        """
        asked: dict[str, Any] = {"max_tokens": most_tokens, "temperature": 0, "seed": seed}
        if letters:
            asked |= {"logprobs": True, "top_logprobs": TOP}
        with _explained(self.settings.address, self.model, self._is_gone):
            reply = self._ask(messages, asked)
            self._count(reply)
            choice = reply.choices[0]
            text = choice.message.content or ""
            if not isinstance(text, str):
                raise TypeError("the content is no text")
            found = Completion(text, _alternatives(choice.logprobs.content if choice.logprobs else None))
            self._reached, self._failed = True, 0
            return found

    def _is_gone(self, *, reached: bool) -> bool:
        """To be asked when a request has failed: whether nobody is there, or too many have failed in a row."""
        with self._lock:
            if not (reached or self._reached):
                return True
            self._reached, self._failed = True, self._failed + 1
            return self._failed >= max(FAILURES, self.settings.concurrency)

    def each(self, work: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
        """Do some work for all items, so many at once; the first error ends it."""
        with ThreadPoolExecutor(self.settings.concurrency) as pool:
            try:
                return list(pool.map(work, items))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _ask(self, messages: Sequence[Message], asked: dict[str, Any]) -> Any:
        """Ask; where the server refuses one of the settings by name, ask again without, from then on always."""
        from openai import BadRequestError

        while True:
            sent = self._without_refused(asked)
            try:
                return self._server.chat.completions.create(model=self.model, messages=list(messages), **sent)
            except BadRequestError as error:
                said = str(error).lower()
                named = [word for word, names in REFUSABLE.items() if word in said and set(names) & sent.keys()]
                if not named:
                    raise
                self._refused.add(named[0])

    def _without_refused(self, asked: dict[str, Any]) -> dict[str, Any]:
        gone = {name for word in set(self._refused) for name in REFUSABLE[word]}
        sent = {name: value for name, value in asked.items() if name not in gone}
        if "max_tokens" in gone:
            sent["max_completion_tokens"] = asked["max_tokens"]
        return sent

    def _count(self, reply: Any) -> None:
        if reply.usage is not None:
            with self._lock:
                self.sent += reply.usage.prompt_tokens or 0
                self.written += reply.usage.completion_tokens or 0


def _alternatives(told: Any) -> tuple[tuple[str, float], ...] | None:
    """The alternatives of the first token that is more than brackets and spaces; None where nothing is told."""
    for each in told or ():
        if each.token.strip(AROUND):
            return tuple((other.token, float(other.logprob)) for other in each.top_logprobs or ()) or None
    return None


@dataclass
class Pace:
    """Lets so many requests a minute through, evenly; None lets all."""

    per_minute: int | None
    _next: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for one's turn."""
        if self.per_minute is None:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 60 / self.per_minute
        time.sleep(turn - now)


@contextmanager
def _explained(address: str, model: str, is_gone: Callable[..., bool]) -> Iterator[None]:
    """What the client raises as the project's errors; the key stands in no message.

    A request that fails is wrong for one subject, and for all where the server is gone.
    """
    import openai

    try:
        yield
    except PapiError:
        raise
    except openai.APIStatusError as error:
        status, reason = error.status_code, FINAL.get(error.status_code)
        if reason:
            where, what = f"{address}, {model}", f"the server refuses: {reason}"
            raise RemoteFailed(what, where=where, got=f"{status}", next_step=ADVICE) from None
        what = f"the server answered {status} to the end of all retries"
        said = without_key(str(error.message))[:LONGEST_COMPLAINT]
        if status in THE_REQUESTS_OWN:
            raise SubjectFailed(f"{what}: {said}", where=address) from None
        raise _failed(f"{what}: {said}", address, gone=is_gone(reached=True)) from None
    except openai.APIConnectionError as error:
        kind = "did not answer in time" if isinstance(error, openai.APITimeoutError) else "cannot be reached"
        what = f"the server {kind}, to the end of all retries"
        raise _failed(what, address, gone=is_gone(reached=False)) from None
    except (openai.APIError, ValueError, TypeError, AttributeError, LookupError) as error:
        what = f"the server's reply is not that of chat completions ({type(error).__name__})"
        raise _failed(what, address, gone=is_gone(reached=True)) from None


def _failed(what: str, address: str, *, gone: bool) -> PapiError:
    if gone:
        advice = f"{ADVICE}; what is done is kept, and the same command goes on (papi align run: --retry-failed)"
        return RemoteFailed(what, where=address, next_step=advice)
    return SubjectFailed(what, where=address)
