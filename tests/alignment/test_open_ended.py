"""Open answers: what is asked, that steering acts while a model writes, and what judges make of it.

The loopback server checks the plumbing only: its judgements mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chat_server import KEY, Chat, Fault, chatting
from hypothesis import given
from hypothesis import strategies as st
from outcomes import papi
from run_settings import lines, settings
from sklearn.metrics import cohen_kappa_score
from test_adapters import some_adapter
from tiny_models import texts, tiny_model, tiny_tokenizer

from alignment.api.settings import ApiSettings
from alignment.asking import Ask
from alignment.benchmark import read_benchmark
from alignment.hyperparameters import hyperparameters
from alignment.judging.judges import Text, asked_of_judge, in_random_order, score_of
from alignment.judging.measures import measure, weighted_kappa
from alignment.judging.running import JudgeSettings, judge_run
from alignment.methods import strength
from alignment.methods.contract import Context, Prompted
from alignment.methods.registry import methods
from alignment.model_settings import ModelSettings
from alignment.prompts import prompts_for, read_prompts
from alignment.report import write_report
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.configuration_file import read_configuration
from alignment.runs.locks import only_one_in
from alignment.runs.settings import OpenSettings, RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from alignment.situations import Situation, labels_of, situations
from alignment.steering import Scope, Steering
from papi.errors import Busy, GateFailed, RemoteFailed, SubjectFailed, UsageError
from papi.instruments import DARK_TRIAD, IPIP_300, instrument

WORDING = prompts_for(read_prompts(IPIP_300), "forward")
FACETS = [facet.name for facet in instrument(IPIP_300).facets]


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("PAPI_API_KEY", KEY)
    with chatting(Chat()) as served:
        yield served


# situations


def test_items_are_asked_openly_and_every_facet_has_a_situation_of_its_own(release: Path) -> None:
    benchmark = read_benchmark(release, IPIP_300, "test")
    found = situations(benchmark, WORDING, 10, own=True)
    assert len(found) == 40
    by_item = {question.item: question for question in benchmark.held_out}
    assert sorted(by_item[each.name].domain for each in found[:10]) == sorted("NEOAC" * 2)
    for each in found[:10]:
        assert each.statement == by_item[each.name].statement
        assert each.statement in each.said
    assert [each.name for each in found[10:]] == [name for k in range(1, 7) for name in (f"{d}{k}" for d in "NEOAC")]
    assert {each.name for each in found[10:]} == set(FACETS)
    assert not any(letter in each.said for each in found for letter in ("(A)", "(E)"))


def test_the_dark_triad_has_items_only(release: Path) -> None:
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    assert len(situations(benchmark, WORDING, 4, own=True)) == 4


def test_a_label_is_the_persons_answer_or_the_score_of_the_facet(release: Path) -> None:
    benchmark = read_benchmark(release, IPIP_300, "test")
    asked = situations(benchmark, WORDING, 10, own=True)
    row = 3
    found = labels_of(benchmark.subjects[row], benchmark, asked)
    answers = dict(zip((q.item for q in benchmark.held_out), benchmark.held_out_answers[row].tolist(), strict=True))
    assert found[:10] == [answers[each.name] or None for each in asked[:10]]
    for each, label in zip(asked[10:], found[10:], strict=True):
        own = [q for q in benchmark.held_out if q.facet == each.name and answers[q.item]]
        score = np.mean([answers[q.item] if q.keyed > 0 else 6 - answers[q.item] for q in own])
        assert label is not None
        assert abs(label - score) <= 0.5


def test_no_situation_is_an_item_of_the_inventory(real_data: Path) -> None:
    """The statements are the project's own."""
    import xlrd

    book = xlrd.open_workbook(next((real_data / "raw").rglob("*.xls")))
    words = " ".join(str(cell.value) for sheet in book.sheets() for row in sheet.get_rows() for cell in row).lower()
    from papi.tables import read_toml

    for each in read_toml("alignment", "situations.toml").values():
        assert each["statement"].removeprefix("You ").rstrip(".").lower() not in words


# writing


def written_with_bias(someone: Respondent, steering: Steering, system: str, said: str, first: int) -> str:
    """The same greedy text by whole forwards, the vectors added to every token from `first` on."""
    assert steering.heads is not None
    ids = list(someone.chat.opening(system, said))
    start, handles = len(ids), []
    for layer, projection in someone.scorer.parts.projections.items():
        vector = torch.from_numpy(steering.heads[layer].reshape(-1))

        def hook(module: Any, arguments: tuple[torch.Tensor], vector: torch.Tensor = vector) -> tuple[torch.Tensor]:
            moved = arguments[0].clone()
            moved[:, first:] += vector
            return (moved,)

        handles.append(projection.register_forward_pre_hook(hook))
    with torch.inference_mode():
        for _ in range(12):
            ids.append(int(someone.model(torch.tensor([ids])).logits[0, -1].argmax()))
    for handle in handles:
        handle.remove()
    return str(someone.tokenizer.decode(ids[start:], skip_special_tokens=True)).strip()


@pytest.mark.parametrize("scope", ["prompt", "suffix"])
def test_a_text_is_steered_while_it_is_written(scope: Scope) -> None:
    someone = Respondent(tiny_model("llama", attention="eager"), tiny_tokenizer(), texts())
    someone.model.generation_config.eos_token_id = None
    random = np.random.default_rng(0)
    heads = random.normal(0, 0.5, someone.scorer.parts.shape("heads")).astype(np.float32)
    steering = Steering(heads=heads, scope=scope)
    said = ["Tell of a day.", "Tell of quite another, longer day than that."]
    found = someone.tell(Ask("You are calm.", (), steering), said, 12)
    before = someone.chat.tokenizer.apply_chat_template(
        [{"role": "system", "content": "You are calm."}, {"role": "user", "content": ""}], tokenize=False
    )
    first = 0 if scope == "prompt" else len(someone.chat.tokens(before.removesuffix("<|end|>\n")))
    assert found == [written_with_bias(someone, steering, "You are calm.", text, first) for text in said]
    assert found == [someone.tell(Ask("You are calm.", (), steering), [text], 12)[0] for text in said]
    plain = someone.tell(Ask("You are calm.", ()), said, 12)
    assert plain != found


def test_tokens_are_those_up_to_the_end_of_a_text() -> None:
    """What fills a shorter text up beside a longer one is not counted."""
    someone = Respondent(tiny_model("llama", attention="eager"), tiny_tokenizer(), texts())
    said = ("One.", "Another, longer one.")
    openings = [someone.chat.opening("You.", text) for text in said]
    with torch.inference_mode():
        first = [int(someone.model(torch.tensor([opening])).logits[0, -1].argmax()) for opening in openings]
    assert first[0] != first[1]
    someone.model.generation_config.eos_token_id = first[0]  # so that the first text is over at once
    counts = []
    for asked in ([said[0]], [said[1]], list(said)):
        before = someone.tokens
        someone.tell(Ask("You.", ()), asked, 8)
        counts.append(someone.tokens - before)
    assert counts[0] == len(openings[0]) + 1
    assert counts[1] > len(openings[1]) + 1
    assert counts[2] == counts[0] + counts[1]


def test_a_question_beyond_the_models_places_is_refused() -> None:
    someone = Respondent(tiny_model("llama", attention="eager"), tiny_tokenizer(), texts())
    with pytest.raises(SubjectFailed, match="the model has places for"):
        someone.tell(Ask("You lie awake. " * 900, ()), ["Well?"], 12)


def test_texts_do_not_depend_on_what_is_written_beside_them() -> None:
    someone = Respondent(tiny_model("qwen3", attention="eager"), tiny_tokenizer(), texts())
    adapter = some_adapter(someone)
    said = ["Short.", "A much longer thing to say about oneself and others."]
    both = someone.tell(Ask("You.", ()), said, 10, adapter)
    assert both == [someone.tell(Ask("You.", ()), [text], 10, adapter)[0] for text in said]
    assert both != someone.tell(Ask("You.", ()), said, 10)


# runs


OPEN = OpenSettings(items=3, own=True, most_tokens=6)


def test_a_run_tells_and_goes_on_where_it_ended(release: Path, tiny: Path, tmp_path: Path) -> None:
    given = settings(release, tiny, methods=("few-shot-120", "pas"), subjects=2, open_ended=OPEN)
    report = run(given, tmp_path / "run", Share())
    assert (report.done, report.failures, report.complete) == (4, [], True)
    for line in lines(tmp_path / "run"):
        assert len(line["situations"]) == len(line["labels"]) == len(line["texts"]) == 3
    before = (tmp_path / "run" / "answers.jsonl").read_bytes()
    content = before.splitlines(keepends=True)
    (tmp_path / "run" / "answers.jsonl").write_bytes(b"".join(content[:2]) + content[2][:50])
    assert run(given, tmp_path / "run", Share()).done == 2
    assert (tmp_path / "run" / "answers.jsonl").read_bytes() == before
    with pytest.raises(UsageError, match="another open_ended"):
        run(settings(release, tiny, methods=("pas",), subjects=2), tmp_path / "run", Share())
    with pytest.raises(UsageError, match="open answers, no options"):
        write_report([tmp_path / "run"])


def test_texts_of_a_run_are_steered_and_adapted(
    release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strength, "choose_strength", lambda tried, min_mass: 8.0)
    few = ("dpo.steps=4", "dpo.learning_rate=0.05", "dpo.warm_up=0")
    open_ = OpenSettings(items=3, own=False, most_tokens=12)
    names = ("no-change", "caa", "dpo")
    given = settings(release, tiny, methods=names, subjects=1, seeds=1, replaced=few, open_ended=open_)
    run(given, tmp_path / "run", Share())
    found = {line["method"]: line["texts"] for line in lines(tmp_path / "run")}
    benchmark = read_benchmark(release, DARK_TRIAD, "test")
    someone = load_respondent(ModelSettings(str(tiny)), read_prompts(DARK_TRIAD), "forward", Share())
    context = Context(benchmark, min_mass=0.0, hyperparameters=hyperparameters(few))
    asked = [each.said for each in situations(benchmark, someone.wording, 3, own=False)]
    for name in names:
        condition = methods()[name].fit(benchmark.subjects[0], someone, context)
        assert isinstance(condition, Prompted)
        ask = Ask(someone.wording.opened(condition.system), (), condition.steering)
        assert found[name] == someone.tell(ask, asked, 12, condition.adapter)
    assert len({tuple(each) for each in found.values()}) == 3


def test_open_questions_ask_for_no_letter(chat: Chat, release: Path, tmp_path: Path) -> None:
    chat.rule = lambda system, user: f"I am as I am, {len(system)}."
    model = ModelSettings("m", api=ApiSettings(chat.url))
    methods = ("no-change", "trait-levels", "few-shot-120", "ridge", "pas")
    said: list[str] = []
    given = RunSettings(str(release), methods, model, IPIP_300, subjects=1, open_ended=OPEN)
    run(given, tmp_path / "run", Share(), said.append)
    assert len(chat.asked) == 3 * 33
    for body in chat.asked:
        assert "letter" not in body["messages"][0]["content"]
        assert "Answer in your own words" in body["messages"][0]["content"]
        assert body["max_tokens"] == 6
        assert "logprobs" not in body
    assert any(text.startswith("ridge: n/a: a floor") for text in said)
    assert any(text.startswith("no-change: about 33 requests") for text in said)


def test_the_pocket_respondent_tells_nothing(release: Path) -> None:
    given = RunSettings(str(release), ("no-change",), ModelSettings("pocket"), open_ended=OPEN)
    with pytest.raises(UsageError, match="writes no text"):
        given.chosen()


@pytest.mark.parametrize("change", [{"items": -1}, {"most_tokens": 0}, {"items": 0, "own": False}])
def test_nothing_to_tell_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="nothing to tell"):
        OpenSettings(**change)


# judging


def a_text(method: str = "pas", subject: str = "s", label: int = 4, said: str = "I do.") -> Text:
    return Text(method, subject, Situation("i1", "How are you?", "You are calm."), label, said)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("5", 5), (" 6\n", 6), ("Score: 3", 3), ("4/6", None), ("0", 0), ("7", None), ("16", None), ("", None),
        ("I would say 2.", 2), ("2 or 3", None), ("3.5", None), ("3 3", 3),
    ],
)  # fmt: skip
def test_a_score_is_one_number_from_1_to_6(reply: str, score: int | None) -> None:
    assert score_of(reply) == score


def test_a_judge_sees_the_text_and_the_label_and_no_method() -> None:
    system, user = asked_of_judge(a_text("pas-published", label=2), WORDING)
    for told in ("How are you?", "You are calm.", WORDING.labels[1], "I do."):
        assert told in user
    assert [line[0] for line in user.splitlines() if line[1:3] == ": "] == list("123456")  # an anchor for every score
    assert "pas" not in user + system
    same = asked_of_judge(a_text("no-change", label=2), WORDING)
    assert same == (system, user)


def test_methods_come_in_another_order_each_time() -> None:
    every = [a_text(method, f"s{n}") for n in range(30) for method in ("a", "b", "c")]
    found = in_random_order(every, 1)
    assert sorted(text.key for text in found) == sorted(text.key for text in every)
    firsts = [found[3 * n].method for n in range(30)]
    assert set(firsts) == {"a", "b", "c"}
    assert [text.subject for text in found] == [text.subject for text in every]  # situations stay together
    assert found == in_random_order(every, 1) != in_random_order(every, 2)


@pytest.fixture
def told(chat: Chat, release: Path, tmp_path: Path) -> Path:
    """A run of open answers, three methods, three people, two items."""
    chat.rule = lambda system, user: f"A text of {len(system) % 7}."
    model = ModelSettings("m", api=ApiSettings(chat.url))
    open_ = OpenSettings(items=2, own=False, most_tokens=6)
    methods = ("no-change", "trait-levels", "few-shot-120")
    run(RunSettings(str(release), methods, model, DARK_TRIAD, subjects=3, open_ended=open_), tmp_path / "run", Share())
    chat.asked.clear()
    return tmp_path / "run"


def judge(chat: Chat, name: str = "judge", **how: Any) -> JudgeSettings:
    return JudgeSettings(ModelSettings(name, api=ApiSettings(chat.url, **({"retries": 0} | how))))


def known(folder: Path) -> int:
    return sum(label is not None for line in lines(folder) for label in line["labels"])


def test_every_judgement_is_kept_with_its_prompt(chat: Chat, told: Path) -> None:
    chat.rule = lambda system, user: "5" if "A text of 3" in user else "2"
    said: list[str] = []
    document = judge_run(told, judge(chat), None, said.append)
    found = lines(told, "judgements")
    assert len(found) == len(chat.asked) == known(told)
    assert {line["prompt"] for line in found} == {body["messages"][1]["content"] for body in chat.asked}
    assert all(line["score"] == int(line["reply"]) for line in found)
    (by_method,) = document["judges"].values()
    for name, about in by_method.items():
        own = [line["score"] for line in found if line["method"] == name]
        assert about["texts"] == about["scored"] == len(own)
        assert about["low"] <= about["mean"] <= about["high"]
    assert json.loads((told / "judged.json").read_text()) == document
    assert "`few-shot-120`" in (told / "judged.md").read_text()
    before, after = (text for text in said if "tokens sent" in text)
    assert "about" in before
    assert after.endswith(f"{10 * len(found)} tokens sent, {len(found)} written")
    assert {line["system"] for line in found} == {body["messages"][0]["content"] for body in chat.asked}
    judge_run(told, judge(chat), None, said.append)
    assert len(chat.asked) == len(found)  # nothing is judged twice


def test_a_judge_that_is_refused_keeps_what_was_judged_and_says_its_cost(chat: Chat, told: Path) -> None:
    chat.rule, said = lambda system, user: "3", list[str]()
    chat.faults = {number: Fault(401) for number in range(5, 99)}
    with pytest.raises(RemoteFailed, match="key is not accepted"):
        judge_run(told, judge(chat, concurrency=1), None, said.append)
    assert len(lines(told, "judgements")) == 5
    assert said[-1].endswith("50 tokens sent, 5 written")


def test_a_judge_that_fails_goes_on_later_and_loses_nothing(chat: Chat, told: Path) -> None:
    chat.rule = lambda system, user: "3"
    chat.faults = {6: Fault(500, {"Retry-After-Ms": "1"})}
    with pytest.raises(RemoteFailed, match=r"(?s)1 texts could not be judged.*answered 500"):
        judge_run(told, judge(chat, concurrency=1), None, lambda text: None)
    before = len(lines(told, "judgements"))
    assert before == known(told) - 1  # the text that failed alone is left
    assert (told / "judged.json").exists()
    chat.faults = {}
    judge_run(told, judge(chat, concurrency=1), None, lambda text: None)
    found = lines(told, "judgements")
    keys = [(line["method"], line["subject"], line["situation"]) for line in found]
    assert len(keys) == len(set(keys)) == known(told)


def test_refusals_and_replies_without_a_number_are_counted_and_have_no_score(chat: Chat, told: Path) -> None:
    replies = iter(["0", "none", *["4"] * 100])
    chat.rule = lambda system, user: next(replies)
    (by_method,) = judge_run(told, judge(chat, concurrency=1), None, lambda text: None)["judges"].values()
    assert sum(about["refused"] for about in by_method.values()) == 1
    assert sum(about["unparseable"] for about in by_method.values()) == 1
    assert {about["mean"] for about in by_method.values()} == {4}


def test_two_judges_are_compared_on_the_texts_that_both_have_scored(chat: Chat, told: Path) -> None:
    """The second says one more of some texts, refuses some and says no number of others."""
    scores = iter([1, 3, 2, 5, 6, 4] * 9)
    chat.rule = lambda system, user: str(next(scores))
    judge_run(told, judge(chat, "one", concurrency=1), None, lambda text: None)
    replies = iter(["1", "4", "0", "none", "6", "2"] * 9)
    chat.rule = lambda system, user: next(replies)
    document = judge_run(told, judge(chat, "two", concurrency=1), None, lambda text: None)
    found = lines(told, "judgements")
    both = [
        (one["score"], two["score"])
        for one, two in product(found, repeat=2)
        if (one["judge"], two["judge"]) == tuple(document["judges"])
        and all(one[name] == two[name] for name in ("method", "subject", "situation"))
        and two["score"] is not None
    ]
    assert 0 < len(both) < known(told)
    expected = cohen_kappa_score(*zip(*both, strict=True), weights="quadratic", labels=range(1, 7))
    assert list(document["kappa"].values()) == [pytest.approx(expected, abs=1e-6)]


def test_texts_are_judged_in_random_order(chat: Chat, told: Path) -> None:
    """Of each person and situation the methods in an order of their own, not that of the file."""
    chat.rule = lambda system, user: "3"
    judge_run(told, judge(chat, concurrency=1), None, lambda text: None)
    groups: dict[tuple[str, str], list[str]] = {}
    for line in lines(told, "judgements"):
        groups.setdefault((line["subject"], line["situation"]), []).append(line["method"])
    assert len({tuple(methods) for methods in groups.values()}) > 1


def test_judgements_are_compared_with_the_options(chat: Chat, told: Path, release: Path, tmp_path: Path) -> None:
    """The options are all 3; a judge that gives 6 less the distance to the person's answer agrees wholly."""
    chat.rule = lambda system, user: {"C": 0.9, "B": 0.05}
    model = ModelSettings("m", api=ApiSettings(chat.url))
    methods = ("no-change", "trait-levels", "few-shot-120")
    run(RunSettings(str(release), methods, model, DARK_TRIAD, subjects=3), tmp_path / "options", Share())
    labels = read_prompts(DARK_TRIAD)["labels"]

    def rule(system: str, user: str) -> str:
        answer = 1 + next(n for n, each in enumerate(labels) if f"herself: {each}." in user)
        return str(6 - abs(answer - 3))

    chat.rule = rule
    document = judge_run(told, judge(chat), tmp_path / "options", lambda text: None)
    (found,) = document["with_options"].values()
    assert found["texts"] == known(told)
    assert found["r"] == pytest.approx(1)
    said: list[str] = []
    again = judge_run(told, judge(chat), None, said.append)
    assert again["with_options"] is None
    assert any("--options brings it back" in text for text in said)


def test_options_of_other_people_or_another_model_are_refused(
    chat: Chat, told: Path, release: Path, tmp_path: Path
) -> None:
    chat.rule = lambda system, user: "A"
    for name, change, field in (("split", {"split": "test_population"}, "split"), ("model", {}, "model")):
        model = ModelSettings("other" if name == "model" else "m", api=ApiSettings(chat.url))
        given: dict[str, Any] = {"config": DARK_TRIAD, "subjects": 1} | change
        run(RunSettings(str(release), ("no-change",), model, **given), tmp_path / name, Share())
        with pytest.raises(UsageError, match=f"of another {field}"):
            judge_run(told, judge(chat), tmp_path / name, lambda text: None)


def test_what_was_judged_by_another_rubric_is_judged_anew(
    chat: Chat, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.rule = lambda system, user: "5" if "by another rubric" in user else "2"
    judge_run(told, judge(chat), None, lambda text: None)
    plain = asked_of_judge
    other = "by another rubric"
    for where in ("judges", "running"):
        monkeypatch.setattr(
            f"alignment.judging.{where}.asked_of_judge", lambda text, w: (other, f"{other}: {plain(text, w)[1]}")
        )
    (by_method,) = judge_run(told, judge(chat), None, lambda text: None)["judges"].values()
    assert {about["mean"] for about in by_method.values()} == {5}
    assert sum(about["texts"] for about in by_method.values()) == known(told)
    assert len(lines(told, "judgements")) == 2 * known(told)  # the earlier ones are kept too


def test_two_judges_at_work_in_one_folder_are_refused(chat: Chat, told: Path) -> None:
    with only_one_in(told, "judge"), pytest.raises(Busy):
        judge_run(told, judge(chat), None, lambda text: None)


def test_a_model_at_hand_may_judge(chat: Chat, told: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with random weights says no number, which is no judgement; what it said is kept."""
    with pytest.raises(GateFailed, match="gave no text a number"):
        judge_run(told, JudgeSettings(ModelSettings(str(tiny))), None, lambda text: None)
    found = lines(told, "judgements")
    assert len(found) == known(told)
    assert all(line["score"] is None and line["reply"] for line in found)
    (told / "judgements.jsonl").unlink()
    asked: list[str] = []

    def tell(self: Respondent, ask: Ask, said: list[str], most_tokens: int) -> list[str]:
        asked.extend(said)
        return [str(1 + len(text) % 6) for text in said]

    monkeypatch.setattr(Respondent, "tell", tell)
    document = judge_run(told, JudgeSettings(ModelSettings(str(tiny), dtype="bfloat16")), None, lambda text: None)
    (by_method,) = document["judges"].values()
    assert sum(about["scored"] for about in by_method.values()) == known(told)
    assert sorted(asked) == sorted(line["prompt"] for line in lines(told, "judgements"))


def test_a_text_that_is_too_long_for_a_judge_at_hand_costs_no_other(
    chat: Chat, told: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lines(told)
    found[0]["texts"][0] = "too long"
    (told / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in found))

    def tell(self: Respondent, ask: Ask, said: list[str], most_tokens: int) -> list[str]:
        if any("too long" in text for text in said):
            raise SubjectFailed("a prompt has too many tokens")
        return ["4"] * len(said)

    monkeypatch.setattr(Respondent, "tell", tell)
    with pytest.raises(RemoteFailed, match=r"(?s)1 texts could not be judged.*too many tokens"):
        judge_run(told, JudgeSettings(ModelSettings(str(tiny))), None, lambda text: None)
    assert len(lines(told, "judgements")) == known(told) - 1
    assert (told / "judged.json").exists()


def test_judges_are_told_apart_by_how_they_are_loaded() -> None:
    ways = ((None, None, None), ("r1", None, None), (None, "float16", None), (None, None, "nf4"))
    assert len({JudgeSettings(ModelSettings("a/b", *way)).name for way in ways}) == 4


def test_an_earlier_rubric_that_comes_back_is_judged_anew(
    chat: Chat, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the judgements of the rubric in between would stand for it."""
    plain, means = asked_of_judge, []
    for rubric, score in (("one", "5"), ("other", "2"), ("one", "5")):
        for where in ("judges", "running"):
            changed = lambda text, w, rubric=rubric: (rubric, plain(text, w)[1])  # noqa: E731
            monkeypatch.setattr(f"alignment.judging.{where}.asked_of_judge", changed)
        chat.rule = lambda system, user, score=score: score
        (by_method,) = judge_run(told, judge(chat), None, lambda text: None)["judges"].values()
        means.append({about["mean"] for about in by_method.values()})
    assert means == [{5}, {2}, {5}]


def test_the_pocket_respondent_is_no_judge(told: Path) -> None:
    with pytest.raises(UsageError, match="writes no text"):
        judge_run(told, JudgeSettings(ModelSettings("pocket")), None, lambda text: None)


def test_a_judge_at_another_address_is_the_same_judge(chat: Chat, told: Path) -> None:
    chat.rule = lambda system, user: "3"
    judge_run(told, judge(chat), None, lambda text: None)
    with chatting(Chat()) as other:
        document = judge_run(told, judge(other), None, lambda text: None)
        assert other.asked == []
    assert len(document["judges"]) == 1


def test_nobody_there_to_judge_is_said_with_the_reason(told: Path) -> None:
    nobody = ModelSettings("j", api=ApiSettings("http://127.0.0.1:9/v1", retries=0))
    with pytest.raises(RemoteFailed, match="cannot be reached"):
        judge_run(told, JudgeSettings(nobody), None, lambda text: None)


def test_a_run_of_options_is_not_judged(chat: Chat, release: Path, tmp_path: Path) -> None:
    run(RunSettings(str(release), ("ridge",), config=DARK_TRIAD, subjects=2), tmp_path / "run", Share())
    with pytest.raises(UsageError, match="no open answers"):
        judge_run(tmp_path / "run", judge(chat), None, lambda text: None)
    assert read_configuration(tmp_path / "run")["open_ended"] is None


def test_the_command_judges_and_shows_no_key(chat: Chat, told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat.rule = lambda system, user: "5"
    assert papi("align", "judge", told, "--judge-model", "j", "--judge-url", chat.url) == 0
    said = capsys.readouterr()
    assert "5.00" in said.out
    assert KEY not in said.out + said.err
    assert papi("align", "judge", told, "--judge-model", "j", "--price-sent", "1") == 2


# agreement


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=2, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    one, other = map(list, zip(*pairs, strict=True))
    found = weighted_kappa(one, other)
    if len({*one, *other}) == 1:
        assert found is None
    else:
        expected = cohen_kappa_score(one, other, weights="quadratic", labels=range(1, 7))
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_mean_is_that_of_the_subjects_means() -> None:
    """A subject with many texts counts no more than one with few."""
    scores = {"a": [6, 6, 6, 6], "b": [2]}
    found = measure(
        [
            {"method": "m", "subject": subject, "situation": f"i{n}", "judge": "j", "score": score, "refused": False}
            for subject, own in scores.items()
            for n, score in enumerate(own)
        ]
    )
    assert found["judges"]["j"]["m"]["mean"] == 4
    assert (found["judges"]["j"]["m"]["low"], found["judges"]["j"]["m"]["high"]) == (2, 6)
