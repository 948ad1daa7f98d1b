"""Models behind an address: the letters that a server tells, its faults, and runs like any other."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import KEY, Chat, Fault, chatting
from outcomes import papi
from run_settings import lines
from tiny_models import questions

from alignment.api.client import ApiClient, Completion, Pace
from alignment.api.respondent import ApiRespondent, letter_probabilities
from alignment.api.settings import ApiSettings, Prices, key_of
from alignment.asking import Ask
from alignment.model_settings import ModelSettings
from alignment.prompts import read_prompts
from alignment.report import write_report
from alignment.runs.configuration_file import read_configuration
from alignment.runs.loop import RunReport
from alignment.runs.settings import OpenSettings, RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from alignment.steering import Steering
from papi.errors import RemoteFailed, SubjectFailed, UsageError
from papi.instruments import DARK_TRIAD, IPIP_300
from papi.words import number

FAST = {"Retry-After-Ms": "1"}  # how the client is told to wait for no time at all


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("PAPI_API_KEY", KEY)
    with chatting(Chat()) as served:
        yield served
    while CLIENTS:
        CLIENTS.pop().close()


CLIENTS: list[ApiClient] = []  # open ones


def respondent(chat: Chat, order: str = "forward", **how: Any) -> ApiRespondent:
    settings = ApiSettings(chat.url, **({"retries": 2, "timeout": 5.0} | how))
    CLIENTS.append(ApiClient("some-model", settings))
    return ApiRespondent(CLIENTS[-1], read_prompts(IPIP_300), order)


def settings(release: Path, chat: Chat, **changes: Any) -> RunSettings:
    model = ModelSettings("some-model", api=ApiSettings(chat.url, retries=1, timeout=5.0))
    given: dict[str, Any] = {"methods": ("no-change", "few-shot-120"), "config": DARK_TRIAD, "subjects": 3}
    return RunSettings(str(release), model=model, **(given | changes))


# letters


def test_letters_are_the_tokens_of_the_first_place_that_are_a_letter() -> None:
    told = {"A": 0.3, " A": 0.1, "(B": 0.2, "Very": 0.1, "AB": 0.05, "a": 0.05}
    found = letter_probabilities(Completion("A", tuple((token, math.log(share)) for token, share in told.items())))
    assert np.allclose(found, [0.4, 0.2, 0, 0, 0])


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("<think>Okay, E", None),
        ("A person like me", None),
        ("B", 1),
        ("(C) Very", 2),
        ("Option D.", 3),
        ("**E**", 4),
        ("I cannot say", None),
        ("", None),
        ("abc", None),
    ],
)
def test_without_probabilities_the_first_letter_that_stands_alone_counts(text: str, letter: int | None) -> None:
    found = letter_probabilities(Completion(text, None))
    assert found.sum() == (letter is not None)
    assert letter is None or found[letter] == 1


def test_one_letter_is_asked_for_with_twenty_alternatives(chat: Chat) -> None:
    (reply,) = respondent(chat).ask([Ask("Answer as yourself.", questions(3))])
    assert reply.probabilities.shape == (3, 5)
    assert np.allclose(reply.mass, 0.9)
    assert np.allclose(np.sort(reply.probabilities, axis=1)[:, -1], 0.5 / 0.9)
    for body in chat.asked:
        assert body["messages"][0] == {"role": "system", "content": "Answer as yourself."}
        assert body["messages"][1]["content"].endswith("Reply with the letter alone: A, B, C, D or E.")
        assert (body["logprobs"], body["top_logprobs"], body["temperature"], body["seed"]) == (True, 20, 0, 0)


def test_what_a_letter_stands_for_follows_the_order_of_the_options(chat: Chat) -> None:
    chat.rule = lambda system, user: {"A": 0.8, "B": 0.1}
    forward, backward, both = (
        respondent(chat, order).ask([Ask("", questions(2))])[0] for order in ("forward", "reversed", "both")
    )
    assert forward.probabilities.argmax(axis=1).tolist() == [4, 4]
    assert backward.probabilities.argmax(axis=1).tolist() == [0, 0]
    assert np.allclose(both.probabilities, (forward.probabilities + backward.probabilities) / 2)
    assert both.letters.tolist() == [4, 0, 0, 0, 0]


def test_replies_come_in_the_order_of_the_questions_however_they_arrive(chat: Chat) -> None:
    asked = questions(12)
    numbers = {question.statement: number % 5 for number, question in enumerate(asked)}

    def rule(system: str, user: str) -> str:
        return "EDCBA"[next(number for statement, number in numbers.items() if statement in user)]

    chat.rule, chat.wait = rule, 0.02
    (reply,) = respondent(chat, concurrency=6).ask([Ask("", asked)])
    assert reply.probabilities.argmax(axis=1).tolist() == [number % 5 for number in range(12)]
    assert 1 < chat.most_at_once <= 6


def test_a_reply_without_a_letter_is_counted_and_knows_nothing(chat: Chat) -> None:
    chat.rule = lambda system, user: "I would rather not say." if "problem 1" in user else "A"
    someone = respondent(chat)
    (reply,) = someone.ask([Ask("", questions(3))])
    assert someone.unparseable == 1
    assert reply.mass.tolist() == [1, 0, 1]
    assert reply.probabilities[1].tolist() == [0.2] * 5
    assert reply.letters.tolist() == [2, 0, 0, 0, 0]


@pytest.mark.parametrize("how", ["told nothing", "refused"])
def test_a_server_without_probabilities_is_asked_for_one_answer(chat: Chat, how: str) -> None:
    """A server that refuses them is asked for them once; one that passes over them may tell them another time."""
    chat.tells, chat.refuses = False, ("logprobs",) if how == "refused" else ()
    someone = respondent(chat, concurrency=1)
    (reply,) = someone.ask([Ask("", questions(4))])
    assert reply.mass.tolist() == [1] * 4
    assert sum("logprobs" in body for body in chat.asked) == (1 if how == "refused" else 4)
    assert len(chat.asked) == (5 if how == "refused" else 4)


def test_settings_that_a_server_refuses_are_asked_for_once(chat: Chat) -> None:
    """As of models that reason: another name for the length, no temperature; the rest is asked all the same."""
    chat.refuses = ("max_tokens", "temperature", "seed")
    someone = respondent(chat, concurrency=1)
    (reply,) = someone.ask([Ask("", questions(3))])
    assert np.allclose(reply.mass, 0.9)
    assert len(chat.asked) == 3 + 3
    assert [body.get("max_completion_tokens") for body in chat.asked[-3:]] == [8, 8, 8]
    assert not {"max_tokens", "temperature", "seed"} & set(chat.asked[-1])


def test_what_is_refused_while_other_requests_are_under_way_is_asked_again_for_them_too(chat: Chat) -> None:
    chat.refuses, chat.wait = ("temperature",), 0.05
    (reply,) = respondent(chat, concurrency=6).ask([Ask("", questions(6))])
    assert np.allclose(reply.mass, 0.9)


def test_one_odd_reply_does_not_end_the_asking_for_probabilities(chat: Chat) -> None:
    chat.rule = lambda system, user: "A" if "problem 1" in user else {"A": 0.5, "B": 0.4}
    someone = respondent(chat, concurrency=1)
    (reply,) = someone.ask([Ask("", questions(4))])
    assert np.allclose(reply.mass, [0.9, 1, 0.9, 0.9])
    assert all("logprobs" in body for body in chat.asked)


# faults


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, FAST), Fault(500, FAST), Fault(503, FAST), Fault(408, FAST), Fault(drop=True),
    ],
    ids=["429", "500", "503", "408", "dropped"],
)  # fmt: skip
def test_a_request_that_fails_once_is_made_again(chat: Chat, fault: Fault) -> None:
    chat.faults = {1: fault}
    (reply,) = respondent(chat, concurrency=1).ask([Ask("", questions(3))])
    assert np.allclose(reply.mass, 0.9)
    assert len(chat.asked) == 4


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(500, FAST), "answered 500 to the end of all retries"),
        (Fault(429, FAST), "answered 429"),
        (Fault(200, FAST, b"<html>"), "is not that of chat completions"),
        (Fault(200, FAST, b"{}"), "is not that of"),
        (Fault(200, FAST, b"[]"), "is not that of"),
        (Fault(200, {"Content-Type": "text/html"}, b"<html>"), "is not that of"),
        (Fault(200, FAST, b'{"choices": ["x"]}'), "is not that of"),
        (Fault(200, FAST, b'{"choices": [{"message": {"content": ["x"]}}]}'), "is not that of"),
        (Fault(400, FAST, b'{"error": {"message": "maximum context length"}}'), "maximum context length"),
        (Fault(422, FAST, b'{"error": {"message": "no sk-loopback-0123456789"}}'), "no …"),
    ],
)
def test_a_failure_costs_the_subject_and_one_after_the_other_ends_the_run(
    chat: Chat, fault: Fault, message: str
) -> None:
    """Unless it is the request's own fault, which says nothing of the server; a reply in between begins anew."""
    someone = respondent(chat, retries=1, concurrency=1)
    the_requests_own = fault.status in (400, 422)
    for failures in (2, 3):
        for attempt in range(failures):
            chat.always = fault
            last = attempt == 2 and not the_requests_own
            with pytest.raises(RemoteFailed if last else SubjectFailed, match=message):
                someone.ask([Ask("", questions(1))])
        chat.always = None
        someone.ask([Ask("", questions(1))])


def test_a_text_that_always_fails_does_not_end_the_run_though_it_comes_first(chat: Chat) -> None:
    plain = chat.take
    chat.take = lambda body, key: (  # type: ignore[method-assign]
        plain(body, key) or (Fault(500, FAST) if "problem 0" in body["messages"][1]["content"] else None)
    )
    someone = respondent(chat, retries=0, concurrency=1)
    asked = questions(6)
    with pytest.raises(SubjectFailed):
        someone.ask([Ask("", asked[:1])])
    someone.ask([Ask("", asked[1:])])
    with pytest.raises(SubjectFailed):
        someone.ask([Ask("", asked[:1])])


def test_a_server_that_is_gone_ends_the_run(chat: Chat, release: Path, tmp_path: Path) -> None:
    """After so many failures in a row, not after one for each of the subjects that are left."""
    model = ModelSettings("m", api=ApiSettings(chat.url, concurrency=2, retries=0, timeout=5.0))
    chat.faults = {number: Fault(503, FAST) for number in range(9, 999)}
    with pytest.raises(RemoteFailed, match="answered 503") as refused:
        run(RunSettings(str(release), ("no-change",), model, DARK_TRIAD, subjects=40), tmp_path / "run", Share())
    assert "what is done is kept" in str(refused.value)
    assert len(lines(tmp_path / "run")) == 1
    assert len(chat.asked) < 9 + 20


def test_silence_is_waited_for_no_longer_than_the_timeout(chat: Chat) -> None:
    chat.always = Fault(200, silent=1.0)
    with pytest.raises(RemoteFailed, match="did not answer in time"):
        respondent(chat, retries=0, timeout=0.1, concurrency=1).ask([Ask("", questions(1))])


@pytest.mark.parametrize(("status", "said"), [(401, "the key is not accepted"), (404, "no such model")])
def test_a_refusal_for_good_ends_the_run_and_shows_no_key(
    chat: Chat, release: Path, tmp_path: Path, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chat.always = Fault(status, FAST, json.dumps({"error": {"message": f"bad key {KEY}"}}).encode())
    with pytest.raises(RemoteFailed, match=said) as refused:
        run(settings(release, chat), tmp_path / "run", Share())
    assert KEY not in str(refused.value)
    given = ["--api-url", chat.url, "--model", "m", "--method", "no-change", "--config", DARK_TRIAD]
    assert papi("align", "run", release, *given, "--out", tmp_path / "other") == 7
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in everything


def test_a_method_that_the_server_cannot_do_does_not_end_the_others(chat: Chat, release: Path, tmp_path: Path) -> None:
    """As where a prompt is too long for the model: its subjects have no result, the next method is asked."""
    ask = chat.take

    def take(body: dict[str, Any], key: str) -> Fault | None:
        found = ask(body, key)
        return Fault(400, FAST) if "answers that you have given" in body["messages"][0]["content"] else found

    chat.take = take  # type: ignore[method-assign]
    given = settings(release, chat, methods=("few-shot-10", "few-shot-120", "no-change"))
    report = run(given, tmp_path / "run", Share())
    assert sorted(report.hopeless) == ["few-shot-10", "few-shot-120"]
    assert {line["method"] for line in lines(tmp_path / "run")} == {"no-change"}


def test_alternatives_without_a_letter_are_no_answer(chat: Chat) -> None:
    """The text goes on to name a letter; but what the server told of the first token is what counts."""
    chat.rule = lambda system, user: {"I": 0.9, "We": 0.05} if "problem 1" in user else {"A": 0.9}
    someone = respondent(chat)
    (reply,) = someone.ask([Ask("", questions(3))])
    assert np.allclose(reply.mass, [0.9, 0, 0.9])
    assert someone.unparseable == 1
    assert not letter_probabilities(Completion("I think B.", (("I", -0.01), ("We", -5.0)))).any()


def test_brackets_before_a_letter_are_passed_over(chat: Chat) -> None:
    told = [{"token": "(", "logprob": -0.01, "top_logprobs": [{"token": "(", "logprob": -0.01}]}]
    told += [{"token": "B", "logprob": -0.1, "top_logprobs": [{"token": "B", "logprob": -0.1}]}]
    reply = chat.reply

    def with_brackets(body: dict[str, Any]) -> dict[str, Any]:
        found = reply(body)
        found["choices"][0]["logprobs"] = {"content": told}
        return found

    chat.reply = with_brackets  # type: ignore[method-assign]
    (found,) = respondent(chat).ask([Ask("", questions(2))])
    assert np.allclose(found.mass, np.exp(-0.1))
    assert found.letters.tolist() == [0, 2, 0, 0, 0]


def test_nobody_there_ends_the_run_and_costs_no_subject(
    chat: Chat, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--model", "m", "--method", "prompting", "--config", DARK_TRIAD, "--subjects", "4", "--retries", "0"]
    out = ["--out", tmp_path / "run"]
    assert papi("align", "run", release, "--api-url", "http://127.0.0.1:9/v1", *asked, *out) == 7
    said = capsys.readouterr().err
    assert "cannot be reached" in said
    assert "http://127.0.0.1:9/v1" in said
    assert not (tmp_path / "run" / "failures.jsonl").exists()
    assert papi("align", "run", release, "--api-url", chat.url, *asked, *out) == 0


def test_a_run_goes_on_at_another_address(chat: Chat, release: Path, tmp_path: Path) -> None:
    """As where a server was started anew on another port; it is said."""
    run(settings(release, chat, subjects=1), tmp_path / "run", Share())
    said: list[str] = []
    with chatting(Chat()) as other:
        again = run(settings(release, other, subjects=2), tmp_path / "run", Share(), said.append)
    assert (again.done, again.before) == (2, 2)
    assert any(f"last at {chat.url}" in text for text in said)
    assert read_configuration(tmp_path / "run")["model"]["api_url"] == other.url


def test_a_model_at_hand_is_not_one_behind_an_address(
    chat: Chat, release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    at_hand = RunSettings(str(release), ("no-change",), ModelSettings(tiny.name), DARK_TRIAD, subjects=1, min_mass=0.0)
    run(at_hand, tmp_path / "run", Share())
    model = ModelSettings(tiny.name, api=ApiSettings(chat.url))
    with pytest.raises(UsageError, match=r"another model\.api_url"):
        run(replace(at_hand, model=model), tmp_path / "run", Share())


# runs


def test_a_run_is_like_any_other(chat: Chat, release: Path, tmp_path: Path) -> None:
    """Prompts, lines, folder, resume and report are the same; costs are said before and after."""
    out, said = tmp_path / "run", []
    given = settings(release, chat, methods=("ridge", "no-change", "few-shot-120", "p2"))
    report = run(given, out, Share(), said.append)
    assert report == RunReport(done=12, before=0, failures=[], complete=True)
    assert any("few-shot-120: about 27 requests" in text for text in said)
    sent = {
        text.split(":")[0]: int(text.split(", ")[1].split()[0].replace(",", "")) for text in said if "about" in text
    }
    assert sent["few-shot-120"] > sent["no-change"] + 27 * 18 * 5  # 18 answers are told with every question
    assert any(text.startswith("all together: about 84 requests") for text in said)
    assert said[-1] == f"{10 * len(chat.asked):,} tokens sent, {len(chat.asked)} written"
    told = [body["messages"][0]["content"] for body in chat.asked if body["messages"][0]["role"] == "system"]
    assert any("the answers that you have given so far" in text for text in told)
    frozen = read_configuration(out)
    assert frozen["model"] == {"name": "some-model", "api_url": chat.url}
    costs = {(line["method"], line["subject"]): line["tokens"] for line in lines(out, "costs")}
    assert {tokens for (name, _), tokens in costs.items() if name == "no-change"} == {9 * 11}
    assert {tokens for (name, _), tokens in costs.items() if name == "p2"} == {10 * 11}
    before = len(chat.asked)
    assert run(given, out, Share()).done == 0
    assert len(chat.asked) == before
    where, results = write_report([out], figures=False)
    assert results.document["methods"]["few-shot-120"]["option_mass"] == pytest.approx(0.9)
    assert (where / "leaderboard.md").exists()


def test_a_run_goes_on_after_a_refusal(chat: Chat, release: Path, tmp_path: Path) -> None:
    chat.faults = {number: Fault(401) for number in range(12, 40)}
    with pytest.raises(RemoteFailed):
        run(settings(release, chat), tmp_path / "run", Share())
    done = len(lines(tmp_path / "run"))
    assert done == 1
    chat.faults = {}
    assert run(settings(release, chat), tmp_path / "run", Share()).done == 5


def test_prices_are_told_before_and_after(chat: Chat, release: Path, tmp_path: Path) -> None:
    model = ModelSettings("m", api=ApiSettings(chat.url, prices=Prices(2.0, 10.0)))
    said: list[str] = []
    given = RunSettings(str(release), ("no-change",), model, DARK_TRIAD, subjects=2)
    run(given, tmp_path / "run", Share(), said.append)
    sent, written = (int(said[0].split(word)[0].split()[-1].replace(",", "")) for word in (" tokens sent", " written"))
    assert written == 2 * 9 * 8
    assert f"at most {number((2 * sent + 10 * written) / 1e6)} in your currency" in said[0]
    assert "180 tokens sent, 18 written" in said[-1]
    model = ModelSettings("m", api=ApiSettings(chat.url))
    alone = RunSettings(str(release), ("no-change",), model, DARK_TRIAD, subjects=1)
    once: list[str] = []
    run(alone, tmp_path / "one", Share(), once.append)
    assert 2 * int(once[0].split(" tokens sent")[0].split()[-1].replace(",", "")) == sent
    assert Prices(2.0, 10.0).of(1_000_000, 100_000) == 3.0


def test_replies_without_a_letter_are_counted_in_the_lines_and_the_report(
    chat: Chat, release: Path, tmp_path: Path
) -> None:
    chat.rule = lambda system, user: "A" if len(user) % 2 else "No."
    given = settings(release, chat, methods=("no-change",), min_mass=0.0)
    run(given, tmp_path / "run", Share())
    lost = [line.get("unparseable", 0) for line in lines(tmp_path / "run")]
    assert lost[0] > 0
    where, results = write_report([tmp_path / "run"], figures=False)
    assert results.document["methods"]["no-change"]["unparseable"] == sum(lost)
    assert f"{sum(lost)} of 27 replies" in (where / "leaderboard.md").read_text()


def test_replies_without_probabilities_are_counted_and_said(chat: Chat, release: Path, tmp_path: Path) -> None:
    chat.tells, said = False, list[str]()
    run(settings(release, chat, methods=("no-change",)), tmp_path / "run", Share(), said.append)
    assert [line["parsed"] for line in lines(tmp_path / "run")] == [9, 9, 9]
    assert said[-1].endswith("27 replies came without probabilities")
    where, results = write_report([tmp_path / "run"], figures=False)
    assert results.document["methods"]["no-change"]["parsed"] == 27
    assert "27 of 27 replies" in (where / "leaderboard.md").read_text()
    both = settings(release, chat, methods=("no-change",), option_order="both")
    run(both, tmp_path / "both", Share())
    where, _ = write_report([tmp_path / "both"], figures=False)
    assert "54 of 54 replies" in (where / "leaderboard.md").read_text()
    chat.tells = True
    run(settings(release, chat, methods=("no-change",)), tmp_path / "other", Share())
    assert all("parsed" not in line for line in lines(tmp_path / "other"))


def test_who_fails_for_want_of_letters_is_told_so(chat: Chat, release: Path, tmp_path: Path) -> None:
    chat.rule = lambda system, user: "No."
    report = run(settings(release, chat, methods=("no-change",), subjects=1), tmp_path / "run", Share())
    assert report.failures[0]["reason"].endswith("less than --min-mass 0.5: 9 replies had no letter")


def test_replies_without_a_letter_are_counted_in_both_orders(chat: Chat, release: Path, tmp_path: Path) -> None:
    chat.rule = lambda system, user: "No." if user.index("Agree strongly") < user.index("Disagree strongly") else "A"
    given = settings(release, chat, methods=("no-change",), option_order="both", min_mass=0.0)
    run(given, tmp_path / "run", Share())
    assert [line["unparseable"] for line in lines(tmp_path / "run")] == [9, 9, 9]


def test_methods_that_need_weights_are_not_for_an_address(chat: Chat, release: Path, tmp_path: Path) -> None:
    said: list[str] = []
    given = settings(release, chat, methods=("no-change", "pas", "dpo"))
    run(given, tmp_path / "run", Share(), said.append)
    assert {line["method"] for line in lines(tmp_path / "run")} == {"no-change"}
    assert any(text.startswith("pas: n/a behind --api-url") for text in said)
    with pytest.raises(UsageError, match="no method to run"):
        settings(release, chat, methods=("pas",)).chosen()
    someone = respondent(chat)
    with pytest.raises(UsageError, match="neither steered nor trained"):
        someone.ask([Ask("", questions(1), Steering(heads=np.ones((1, 1, 1), dtype=np.float32)))])


# settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "ftp://x"}, "no address"),
        ({"url": "http://x:99999/v1"}, "no address"),
        ({"url": "http://[::1/v1"}, "no address"),
        ({"url": "http://x/v1?api-version=1"}, "no address"),
        ({"url": "me:secret@x/v1"}, "must not hold a key"),
        ({"url": "htps://me:secret@x/v1"}, "must not hold a key"),
        ({"url": "somewhere"}, "no address"),
        ({"url": "https://me:secret@x/v1"}, "must not hold a key"),
        ({"url": "http://x/v1", "concurrency": 0}, "concurrency"),
        ({"url": "http://x/v1", "retries": -1}, "retries"),
        ({"url": "http://x/v1", "per_minute": 0}, "requests-per-minute"),
        ({"url": "http://x/v1", "timeout": 0.0}, "timeout"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        ApiSettings(**change)
    assert "secret" not in str(refused.value)


def test_options_about_weights_are_refused_with_an_address(chat: Chat, release: Path) -> None:
    model = ModelSettings("m", quantize="nf4", api=ApiSettings(chat.url))
    with pytest.raises(UsageError, match="--quantize is for a model at hand"):
        RunSettings(str(release), ("no-change",), model).chosen()


def test_what_stands_in_an_address_is_not_stored_but_for_where_it_is() -> None:
    assert ApiSettings("https://host:8000/v1/").address == "https://host:8000/v1"


def test_the_key_comes_from_the_environment() -> None:
    assert key_of({"OPENAI_API_KEY": "other", "PAPI_API_KEY": " mine "}) == "mine"
    assert key_of({"OPENAI_API_KEY": "other"}) == "other"
    assert key_of({}) == "none"
    with pytest.raises(UsageError, match="signs that no key has") as refused:
        key_of({"PAPI_API_KEY": "schlüssel"})
    assert "schlüssel" not in str(refused.value)


def test_the_server_gets_the_key(chat: Chat) -> None:
    respondent(chat).ask([Ask("", questions(1))])
    assert chat.keys == [f"Bearer {KEY}"]


def test_every_attempt_waits_for_its_turn(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Pace] = []
    monkeypatch.setattr(Pace, "wait", lambda pace: waited.append(pace))
    chat.faults = dict.fromkeys(range(3), Fault(500, FAST))
    respondent(chat, concurrency=1, retries=3, per_minute=60).ask([Ask("", questions(2))])
    assert len(waited) == len(chat.asked) == 5
    assert {pace.per_minute for pace in waited} == {60}


def test_without_a_key_no_word_of_a_server_is_taken_for_it(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPI_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    chat.always = Fault(400, FAST, b'{"error": {"message": "none of the models is loaded"}}')
    with pytest.raises(SubjectFailed, match="none of the models is loaded"):
        respondent(chat).ask([Ask("", questions(1))])


def test_a_pace_lets_requests_through_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("alignment.api.client.time.monotonic", lambda: 100.0)
    monkeypatch.setattr("alignment.api.client.time.sleep", slept.append)
    pace = Pace(30)
    for _ in range(3):
        pace.wait()
    assert slept == [0.0, 2.0, 4.0]
    Pace(None).wait()
    assert len(slept) == 3


# the command


def test_the_command_passes_on_how_a_server_is_asked(
    chat: Chat, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[RunSettings] = []
    monkeypatch.setattr(
        "alignment.runs.start.run", lambda settings, *rest: given.append(settings) or RunReport(0, 0, [], True)
    )
    asked = ["--model", "m", "--api-url", chat.url, "--concurrency", "3", "--retries", "2", "--timeout", "7.5"]
    asked += ["--requests-per-minute", "90", "--price-sent", "2", "--price-written", "8", "--open", "4", "--no-own"]
    assert papi("align", "run", release, "--method", "no-change", *asked, "--out", tmp_path / "run") == 0
    (found,) = given
    assert found.model == ModelSettings("m", api=ApiSettings(chat.url, 3, 2, 7.5, 90, Prices(2.0, 8.0)))
    assert found.open_ended == OpenSettings(4, own=False)
    assert found.seeds == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--price-sent", "3"], ["--price-written", "0"], ["--requests-per-minute", "9"], ["--concurrency", "4"],
        ["--retries", "1"], ["--timeout", "9"], ["--most-tokens", "7"], ["--no-own"], ["--dtype", "float16"],
        ["--quantize", "nf4"], ["--device-map", "auto"], ["--api-url", "http://127.0.0.1:9/v1"],
    ],
)  # fmt: skip
def test_options_that_mean_nothing_alone_are_refused(
    release: Path, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert papi("align", "run", release, "--method", "ridge", *options, "--out", tmp_path / "run") == 2
    without = "--open" if options[0] in {"--most-tokens", "--no-own"} else "--api-url"
    without = "--model" if options[0] in {"--dtype", "--quantize", "--device-map", "--api-url"} else without
    assert f"{options[0]} means nothing without {without}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
