"""What the Hub answers when it does not do what was asked, in words: what it means and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from papi.errors import EnvironmentProblem, PapiError, RemoteFailed, UsageError
from papi.tables import read_toml

AGAIN = "run the command again: it finds out how far it came"
# What the client stumbles over in an answer of another form than it expects; RuntimeError is what hf-xet raises.
UNINTELLIGIBLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)


@contextmanager
def hub_answers(doing: str, repo: str) -> Iterator[None]:
    """Turn whatever a client of the Hub raises in the block into the project's error; `doing` says what was tried.

    `RemoteFailed` for answers and silence of the Hub, `UsageError` for a name that no repository can have,
    `EnvironmentProblem` where this machine cannot keep what comes. The token stands in no message.
    """
    try:
        yield
    except PapiError:
        raise
    except Exception as error:
        raise _without_token(_translated(error, doing, repo)) from None  # the client's own text may hold the token


def _translated(error: Exception, doing: str, repo: str) -> Exception:
    """The project's error for one of the client's; an error that is none of them is given back."""
    import httpx2
    from huggingface_hub import errors
    from huggingface_hub.constants import is_offline_mode

    silence = (httpx2.RequestError, httpx2.InvalidURL, ConnectionError, TimeoutError)
    inner = error.__cause__
    if isinstance(error, errors.LocalEntryNotFoundError | RuntimeError) and isinstance(inner, Exception):
        return _translated(inner, doing, repo)  # how the client wraps a failed upload or download
    if isinstance(error, errors.LocalEntryNotFoundError):  # neither in the cache nor to be had
        return _failed(doing, repo, "offline" if is_offline_mode() else "silence")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return _failed(doing, repo, "no-token")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return _failed(doing, repo, "offline")
    if isinstance(error, errors.HfHubHTTPError):
        return _refused(doing, repo, error.response)
    if isinstance(error, silence):
        return _failed(doing, repo, "silence", got=_first_line(error))
    return _of_this_side(error, doing, repo)


def _of_this_side(error: Exception, doing: str, repo: str) -> Exception:
    """What the name or this machine is to blame for, or an answer that the client cannot make sense of."""
    from huggingface_hub.errors import HFValidationError

    if isinstance(error, HFValidationError):
        got = _first_line(error)
        return UsageError(f"{repo!r} is no name of a repository", expected="OWNER/NAME", got=got)
    if isinstance(error, OSError) and error.errno is not None:
        advice = "check free space and permissions, then run the command again"
        return EnvironmentProblem(f"cannot {doing}", where=repo, got=error.strerror, next_step=advice)
    if isinstance(error, UNINTELLIGIBLE):
        return _failed(doing, repo, "other", got=_first_line(error))
    return error


def _without_token(error: Exception) -> Exception:
    from huggingface_hub import get_token

    token = get_token()
    if token and isinstance(error, PapiError):
        for part in ("what", "got"):
            text = getattr(error, part)
            setattr(error, part, text and text.replace(token, "…").replace(repr(token)[1:-1], "…"))
    return error


def refuse_unsendable_token() -> None:
    """Raise `UsageError` for a token with signs that no header may have; the client would show it in its complaint."""
    from huggingface_hub import get_token

    token = get_token()
    if token and not (token.isascii() and token.isprintable()):
        raise UsageError("the token has signs that no token has", next_step="set HF_TOKEN anew, or hf auth login")


def _refused(doing: str, repo: str, response: Any) -> RemoteFailed:
    status, said = response.status_code, response.headers.get("X-Error-Message")
    known = str(status) if str(status) in read_toml("papi", "hub_answers.toml") else None
    wait = response.headers.get("Retry-After")
    return _failed(
        doing,
        repo,
        known or ("trouble" if status >= 500 else "other"),
        got=f"{status}{f' ({said})' if said else ''}",
        advice=f"wait {wait} seconds, then {AGAIN}" if wait else None,
    )


def _failed(doing: str, repo: str, answer: str, got: str | None = None, advice: str | None = None) -> RemoteFailed:
    words = read_toml("papi", "hub_answers.toml")[answer]
    return RemoteFailed(f"cannot {doing}: {words['meaning']}", where=repo, got=got, next_step=advice or words["advice"])


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
