"""From a run's settings to a respondent behind an address, and what is said of its costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alignment.api.client import ApiClient
from alignment.api.respondent import REPLY_TOKENS, ApiRespondent
from alignment.api.settings import ApiSettings
from alignment.benchmark import Subject
from alignment.methods.contract import Context, Method, Prompted
from alignment.methods.prompting import LONGEST_DESCRIPTION
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


def estimate(chosen: Sequence[Method], subjects: Sequence[Subject], respondent: ApiRespondent, context: Context) -> str:
    """What asking some methods for some subjects comes to, before anything is asked; from the first subject's texts."""
    requests, sent, written = 0, 0, 0
    for method in chosen:
        if method.is_floor or not subjects:
            continue
        system = ""
        if method.name != P2 or context.descriptions is not None:
            condition = method.fit(subjects[0], respondent, context)
            assert isinstance(condition, Prompted)
            system = condition.system
        questions = [
            prompts.question(question) for prompts in respondent.prompts for question in context.benchmark.held_out
        ]
        signs = sum(len(system) + len(question) for question in questions)
        requests += len(questions) * len(subjects)
        sent += signs // SIGNS_A_TOKEN * len(subjects)
        written += len(questions) * REPLY_TOKENS * len(subjects)
        if method.name == P2 and context.descriptions is None:
            requests, written = requests + len(subjects), written + LONGEST_DESCRIPTION * len(subjects)
            sent += LONGEST_DESCRIPTION * len(questions) * len(subjects)
    return f"about {requests:,} requests, {told(sent, written, respondent.client.settings, at_most='at most ')}"


def spent(respondent: ApiRespondent) -> str:
    """What was asked so far, as the server counts it."""
    client = respondent.client
    lost = f"; {respondent.unparseable:,} replies without a letter" if respondent.unparseable else ""
    return told(client.sent, client.written, client.settings) + lost


def told(sent: int, written: int, api: ApiSettings, at_most: str = "") -> str:
    """Tokens in words, with their price where it is known."""
    text = f"{sent:,} tokens sent, {at_most}{written:,} written"
    return text if api.prices is None else f"{text}: {at_most}{number(api.prices.of(sent, written))} in your currency"
