"""From a run's settings to a respondent behind an address, and what is said of its costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alignment.api.client import ApiClient
from alignment.api.respondent import ApiRespondent
from alignment.api.settings import ApiSettings
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Method, Prompted
from alignment.methods.prompting import LONGEST_DESCRIPTION
from papi.errors import NothingKnown
from papi.words import number

SIGNS_A_TOKEN = 4  # of English text, roughly
P2 = "p2"


def load_api_respondent(
    name: str, api: ApiSettings, texts: dict[str, Any], option_order: str, seed: int
) -> ApiRespondent:
    """The model of that name behind the address. Nothing is asked yet."""
    return ApiRespondent(ApiClient(name, api), texts, option_order, seed)


def identity_of_api(name: str, api: ApiSettings) -> dict[str, Any]:
    """What is known of a model behind an address: its name there, which is what the server makes of it."""
    return {"name": name, "api_url": api.address}


@dataclass(frozen=True)
class Estimate:
    """Requests, tokens sent and tokens written at most."""

    requests: int = 0
    sent: int = 0
    written: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.requests + other.requests, self.sent + other.sent, self.written + other.written)

    def told(self, api: ApiSettings) -> str:
        """In words, with the price where it is known."""
        return f"about {self.requests:,} requests, {told(self.sent, self.written, api, at_most='at most ')}"


def estimate(
    method: Method,
    subjects: Sequence[Subject],
    respondent: ApiRespondent,
    context: Context,
    said: Sequence[str],
    most_tokens: int,
) -> Estimate:
    """What a method comes to for some subjects, before anything is asked; from the first subject's texts.

    `said` is what every subject is asked, in replies of at most so many tokens.
    """
    requests, written = len(said), len(said) * most_tokens
    writes = method.name == P2 and context.descriptions is None
    if writes:
        requests, written, signs = requests + 1, written + LONGEST_DESCRIPTION, LONGEST_DESCRIPTION * SIGNS_A_TOKEN
    else:
        signs = len(_text_of_any(method, subjects, respondent, context))
    sent = sum(signs + len(text) for text in said) // SIGNS_A_TOKEN
    return Estimate(requests * len(subjects), sent * len(subjects), written * len(subjects))


def _text_of_any(method: Method, subjects: Sequence[Subject], respondent: ApiRespondent, context: Context) -> str:
    """What the method tells of the first subject of whom it has what it needs."""
    for subject in subjects:
        try:
            condition = method.fit(subject, respondent, context)
        except NothingKnown:
            continue
        assert isinstance(condition, Prompted)
        return condition.system
    return ""


def spent(respondent: ApiRespondent) -> str:
    """What was asked so far, as the server counts it."""
    client = respondent.client
    lost = f"; {respondent.unparseable:,} replies without a letter" if respondent.unparseable else ""
    poor = f"; {respondent.parsed:,} replies came without probabilities" if respondent.parsed else ""
    return told(client.sent, client.written, client.settings) + lost + poor


def told(sent: int, written: int, api: ApiSettings, at_most: str = "") -> str:
    """Tokens in words, with their price where it is known."""
    text = f"{sent:,} tokens sent, {at_most}{written:,} written"
    return text if api.prices is None else f"{text}: {at_most}{number(api.prices.of(sent, written))} in your currency"
