"""Training an adapter on one answer token: what it learns from, when it ends, and that it is the same each time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, plain_probabilities, questions, texts, tiny_model, tiny_tokenizer

from alignment.asking import Ask
from alignment.benchmark import Benchmark
from alignment.hyperparameters import Hyperparameters, defaults, hyperparameters
from alignment.methods.contract import Context, Prompted, answered
from alignment.methods.registry import methods
from alignment.prompts import read_prompts
from alignment.respondent.adapters import adapter_of, fresh_adapter
from alignment.respondent.chat import Encoded
from alignment.respondent.respondent import Respondent
from alignment.respondent.scoring import Prompt
from alignment.runs.settings import RunSettings
from alignment.training import fitting, trainer
from alignment.training.material import Material
from alignment.training.objectives import objective_of, rewards
from alignment.training.outcomes import ELSE, _outcomes
from alignment.training.trainer import Lesson, batches, train
from papi.errors import UsageError
from papi.instruments import DARK_TRIAD

TRAINED = ("sft", "dpo", "dpo-graded", "ppo", "epg")
TUNED = ("sft", "dpo-graded", "epg")
FEW = [f"{name}.{key}={value}" for name in TRAINED for key, value in (("steps", 5), ("warm_up", 1), ("rank", 2))]
ASKED = questions(7)
SYSTEM = "You are somebody."
SHORT = read_prompts(DARK_TRIAD) | {"system": "You.", "question": "{options}\n{statement}", "labels": list("vwxyz")}


@pytest.fixture(scope="module")
def someone() -> Respondent:
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), SHORT)


def lesson(method: str, respondent: Respondent, chosen: Hyperparameters | None = None, seed: int = 0) -> Lesson:
    material = Material(respondent, [Ask(SYSTEM, ASKED)])
    settings = chosen or hyperparameters(FEW)[method]
    answers = np.array([1, 5, 3, 4, 2, 5, 1], dtype=np.int8)
    return Lesson(material, np.arange(len(ASKED)), answers, objective_of(method, settings), settings, seed)


def weights_after(taught: Lesson, steps: int) -> dict[str, Any]:
    return dict(fitting.trained(taught, steps).weights)


def fitted(method: str, benchmark: Benchmark, respondent: Respondent, subject: int = 0, seed: int = 0) -> Prompted:
    context = Context(benchmark, seed, min_mass=0.0, hyperparameters=hyperparameters(FEW))
    found = methods()[method].fit(benchmark.subjects[subject], respondent, context)
    assert isinstance(found, Prompted)
    return found


# outcomes


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_outcomes_are_those_of_the_plain_forward(architecture: str, attention: str) -> None:
    if architecture == "gemma2" and attention == "sdpa":
        pytest.skip("Gemma 2 has no sdpa")
    model = tiny_model(architecture, attention=attention)
    respondent = Respondent(model, tiny_tokenizer(), texts(), option_order="both")
    material = Material(respondent, [Ask(SYSTEM, ASKED), Ask("You are another.", ASKED[:3])])
    rows = np.array([1, 4, 8])
    found = material.outcomes(rows)
    letters = [tiny_tokenizer()(f"({letter}", add_special_tokens=False)["input_ids"][-1] for letter in "ABCDE"]
    for row, system, question in ((0, SYSTEM, ASKED[1]), (1, SYSTEM, ASKED[4]), (2, "You are another.", ASKED[1])):
        plain = plain_probabilities(model, system, question, "Option (")
        expected = np.array([*plain[letters][::-1], 1 - plain[letters].sum()])  # A is response 5
        assert np.allclose(found.logarithms[row].detach().exp().numpy(), expected, atol=2e-6)
    assert found.logarithms.shape == (2 * len(rows), ELSE + 1)
    assert found.hidden.shape == (2 * len(rows), model.config.hidden_size)
    assert torch.allclose(found.logarithms.exp().sum(dim=1), torch.ones(6), atol=1e-5)


def test_the_second_order_of_the_options_is_read_the_other_way_round(someone: Respondent) -> None:
    both, backward = (
        Respondent(someone.model, someone.tokenizer, someone.texts, option_order=order)
        for order in ("both", "reversed")
    )
    rows = np.arange(3)
    found = Material(both, [Ask(SYSTEM, ASKED)]).outcomes(rows).logarithms[3:]
    assert torch.allclose(found, Material(backward, [Ask(SYSTEM, ASKED)]).outcomes(rows).logarithms, atol=1e-6)


# the loop


@pytest.mark.parametrize("method", TRAINED)
def test_training_is_the_same_for_the_same_seed_and_another_for_another(method: str, someone: Respondent) -> None:
    first, again, other = (weights_after(lesson(method, someone, seed=seed), 5) for seed in (1, 1, 2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)
    assert any(np.abs(value).max() > 0 for key, value in first.items() if "lora_B" in key)


@pytest.mark.parametrize("method", TRAINED)
def test_training_brings_what_it_is_after(method: str, someone: Respondent) -> None:
    """The reward of all outcomes, or where the others are not its affair (preferences) of the options."""
    chosen = defaults()[method] | {"learning_rate": 5e-3, "steps": 30, "warm_up": 3, "batch": 7, "kl": 0.0}
    taught = lesson(method, someone, chosen)
    answers = torch.from_numpy(taught.answers.astype(np.int64))

    def reward() -> float:
        chances = taught.material.outcomes(taught.rows).logarithms.detach().exp()
        if "dpo" in method:
            chances = chances[:, :ELSE] / chances[:, :ELSE].sum(dim=1, keepdim=True)
        return float((chances * rewards(answers, -6)[:, : chances.shape[1]]).sum(dim=1).mean())

    before = reward()
    with fresh_adapter(someone.scorer, 4, 16, 0):
        for _ in train(taught, [30]):
            after = reward()
    assert after > before + 0.2


def test_the_reference_of_a_batch_is_the_untrained_model_on_its_own_questions(someone: Respondent) -> None:
    """So that nothing is gained before the first step, and what is gained later is over the same questions."""
    respondent = Respondent(someone.model, someone.tokenizer, someone.texts, option_order="both")
    taught = lesson("dpo", respondent, defaults()["dpo"] | {"learning_rate": 0.01, "warm_up": 0, "batch": 3})
    places = np.array([1, 4, 6])
    untrained = taught.material.outcomes(taught.rows[places]).logarithms.detach()
    assert len({tuple(row) for row in untrained.tolist()}) == 6
    with fresh_adapter(respondent.scorer, 2, 100, 0):
        for step in train(taught, [0, 3]):
            batch = trainer._batch(taught, places)
            assert batch.reference is not None
            assert torch.allclose(batch.reference, untrained, atol=1e-6)
            assert torch.allclose(batch.gain, torch.zeros(6, 6), atol=1e-5) == (step == 0)
            assert batch.answers.tolist() == [5, 2, 1, 5, 2, 1]


def test_what_is_hardly_ever_said_keeps_its_probability() -> None:
    """Of anything but a letter, down to one in a million."""
    logits = torch.tensor([[9.0, 8, 7, 6, 5, -1, -2], [9.0, 8, 7, 6, 5, 12, 0]])
    prompt = Prompt(Encoded((1,), ((2,),)), (0, 1, 2, 3, 4), (5, 4, 3, 2, 1))
    shares = logits.softmax(dim=1)
    expected = torch.cat([shares[:, [4, 3, 2, 1, 0]], shares[:, 5:].sum(dim=1, keepdim=True)], dim=1)
    assert expected[0, ELSE] < 1e-4
    assert torch.allclose(_outcomes(logits, prompt).exp(), expected, atol=1e-7)


def test_a_training_may_be_stopped_anywhere_on_the_same_way(someone: Respondent) -> None:
    """What it is after three steps does not depend on where else it stops; the learning rate follows all steps."""
    alone = weights_after(lesson("sft", someone), 3)
    taught, passed = lesson("sft", someone), []
    with fresh_adapter(someone.scorer, 2, 100, 0) as lora:
        for step in train(taught, [0, 3, 5]):
            passed.append(step)
            if step == 3:
                found = adapter_of(lora).weights
    assert passed == [0, 3, 5]
    assert all(np.array_equal(alone[key], found[key]) for key in alone)


def test_batches_take_every_usable_answer_before_any_again(someone: Respondent) -> None:
    taught = lesson("dpo", someone, hyperparameters(["dpo.batch=3"])["dpo"])
    draws = batches(taught)
    for _ in range(3):
        assert sorted(np.concatenate([next(draws), next(draws)])) == [0, 1, 3, 4, 5, 6]  # 2 is neutral


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_quantised_weights_are_trained_through(method: str, tiny_quantised: Respondent) -> None:
    """QLoRA: the adapter is float32 and learns in every layer, the weights below stay as they are."""
    taught = lesson(method, tiny_quantised)
    tiny_quantised.ask([Ask(SYSTEM, ASKED)])  # what was asked before must not stop the gradient
    before = {name: value.clone() for name, value in tiny_quantised.model.state_dict().items()}
    found = weights_after(taught, 5)
    assert all(np.abs(value).max() > 0 for key, value in found.items() if "lora_B" in key)
    after = tiny_quantised.model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("method", ["dpo", "ppo"])
def test_training_through_quantised_weights_is_the_same_for_the_same_seed(
    method: str, tiny_quantised: Respondent
) -> None:
    first, again, other = (weights_after(lesson(method, tiny_quantised, seed=seed), 3) for seed in (1, 1, 2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


@pytest.fixture(scope="module")
def tiny_quantised(tmp_path_factory: pytest.TempPathFactory) -> Respondent:
    from alignment.model_settings import ModelSettings
    from alignment.respondent.loading import load_respondent
    from alignment.sharing import Share

    folder = tmp_path_factory.mktemp("tiny")
    tiny_model("llama", attention="sdpa").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    settings = ModelSettings(str(folder), quantize="nf4")
    return load_respondent(settings, SHORT, "forward", Share())


@pytest.mark.parametrize("method", ["sft", "ppo"])
def test_the_rate_rises_and_falls_by_batches_and_weights_decay(
    method: str, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over 8 steps: up for 2, then down to 0; a PPO's updates of one batch have one rate."""
    rates: list[float] = []
    decays: set[float] = set()
    step = torch.optim.AdamW.step

    def watched(self: Any, *given: Any) -> Any:
        (group,) = self.param_groups
        rates.append(group["lr"])
        decays.add(group["weight_decay"])
        return step(self, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    taught = lesson(method, someone, defaults()[method] | {"steps": 8, "warm_up": 2, "learning_rate": 1.0, "batch": 7})
    weights_after(taught, 8)
    expected = [0, 0.5, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    epochs = taught.objective.epochs
    assert rates == pytest.approx([rate for rate in expected for _ in range(epochs)])
    assert decays == {0.05}


def test_a_short_training_warms_up_for_half_of_it_at_most(someone: Respondent) -> None:
    """Else a hundred steps of warming up would leave no step at the full rate."""
    short = lesson("dpo", someone, defaults()["dpo"] | {"steps": 4, "batch": 7})
    same = lesson("dpo", someone, defaults()["dpo"] | {"steps": 4, "batch": 7, "warm_up": 2})
    one, other = weights_after(short, 4), weights_after(same, 4)
    assert all(np.array_equal(one[key], other[key]) for key in one)


def test_errors_without_a_number_are_not_written_down(benchmark_: Benchmark, someone: Respondent) -> None:
    """A training that diverges is not taken, and its line can be stored."""
    few = ["sft.steps=5", "sft.rank=2", "sft.learning_rate=1e30", "sft.warm_up=0"]
    context = Context(benchmark_, min_mass=0.0, hyperparameters=hyperparameters(few))
    found = methods()["sft"].fit(benchmark_.subjects[0], someone, context)
    assert isinstance(found, Prompted)
    json.dumps(dict(found.fit), allow_nan=False)
    assert found.fit["steps"] == 0


def test_two_subjects_of_the_same_answers_draw_other_batches(benchmark_: Benchmark, someone: Respondent) -> None:
    twin = replace(benchmark_.subjects[0], subject_id=benchmark_.subjects[1].subject_id)
    twins = replace(benchmark_, subjects=(benchmark_.subjects[0], twin))
    one, other = (fitted("dpo", twins, someone, number).adapter for number in (0, 1))
    assert one is not None
    assert other is not None
    assert any(not np.array_equal(one.weights[key], other.weights[key]) for key in one.weights)


# methods


@pytest.mark.parametrize("method", TUNED)
def test_early_stopping_asks_what_it_was_not_trained_on(
    method: str, benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fold's items are asked of adapters trained on the others only; the last training is on all."""
    trained: list[set[str]] = []
    asked: list[tuple[int, set[str]]] = []
    ask, inner = Respondent.ask, train

    def watched(taught: Lesson, stops: Collection[int]) -> Iterator[int]:
        given = benchmark_.given
        trained.append({given[row].item for row in taught.rows})
        yield from inner(taught, stops)

    def heard(self: Respondent, asks: Any, adapter: Any = None) -> Any:
        asked.append((len(trained) - 1, {question.item for each in asks for question in each.questions}))
        return ask(self, asks, adapter)

    monkeypatch.setattr(fitting, "train", watched)
    monkeypatch.setattr(Respondent, "ask", heard)
    monkeypatch.setattr(fitting, "STOPS", (0, 2))
    fitted(method, benchmark_, someone)
    everything = {question.item for question in benchmark_.given}
    assert asked
    assert all(items and not items & trained[number] for number, items in asked)
    assert set().union(*(items for _, items in asked)) <= everything
    assert len(trained) in (3, 4)  # no last training where no step is better


def test_early_stopping_takes_the_step_of_the_lowest_error_on_the_folds(
    benchmark_: Benchmark, someone: Respondent
) -> None:
    found = fitted("sft", benchmark_, someone).fit
    errors = {int(stop): error for stop, error in found["fold_errors"].items()}
    assert list(errors) == [0, 2, 4, 5]
    assert found["steps"] == min(errors, key=lambda stop: (errors[stop], stop))


@pytest.mark.parametrize(
    ("masses", "taken"),
    [((0.9, 0.9, 0.9, 0.9), 2), ((0.9, 0.4, 0.9, 0.9), 4), ((0.9, 0.4, 0.4, 0.4), 0)],
    ids=["the lowest error", "the fewest of equals whose letters keep their mass", "none"],
)
def test_as_many_steps_are_taken_as_the_folds_speak_for(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch, masses: tuple[float, ...], taken: int
) -> None:
    """What the folds find at 0, 2, 4 and 5 steps is given here; the adapter is that of the steps taken."""
    answer = dict(zip((q.item for q in benchmark_.given), benchmark_.subjects[0].given, strict=True))

    def asked(taught: Lesson, stops: Collection[int], ask: Ask) -> tuple[Any, Any]:
        truth = np.array([answer[question.item] for question in ask.questions], dtype=float)
        assert list(stops) == [0, 2, 4, 5]
        away = np.array([[1.0], [0.25], [0.5], [0.5]])
        return truth + away, np.broadcast_to(np.array(masses)[:, None], (4, len(truth)))

    monkeypatch.setattr(fitting, "_asked_meanwhile", asked)
    context = Context(benchmark_, min_mass=0.5, hyperparameters=hyperparameters(FEW))
    found = methods()["sft"].fit(benchmark_.subjects[0], someone, context)
    assert isinstance(found, Prompted)
    assert found.fit["steps"] == taken
    assert found.fit["fold_errors"] == {"0": 1.0, "2": 0.25, "4": 0.5, "5": 0.5}
    taught = fitting._lesson("sft", benchmark_.subjects[0], someone, context, answered(benchmark_.subjects[0].given))
    if not taken:
        assert found.adapter is None
        return
    assert found.adapter is not None
    expected = weights_after(taught, taken)
    assert all(np.array_equal(found.adapter.weights[key], expected[key]) for key in expected)


def test_the_errors_of_the_folds_are_those_of_the_median(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[Ask, Any]] = []
    ask = Respondent.ask

    def listened(self: Respondent, asks: Any, adapter: Any = None) -> Any:
        found = ask(self, asks, adapter)
        heard.extend(zip(asks, found, strict=True))
        return found

    monkeypatch.setattr(Respondent, "ask", listened)
    found = fitted("sft", benchmark_, someone).fit["fold_errors"]
    answer = dict(zip((q.item for q in benchmark_.given), benchmark_.subjects[0].given, strict=True))
    medians, modes = {}, {}
    for number, stop in enumerate(found):
        of_stop = heard[number :: len(found)]
        truth = np.array([answer[question.item] for each, _ in of_stop for question in each.questions])
        shares = np.concatenate([reply.probabilities for _, reply in of_stop])
        medians[stop] = np.abs((shares.cumsum(axis=1) < 0.5).sum(axis=1) + 1 - truth).mean()
        modes[stop] = np.abs(shares.argmax(axis=1) + 1 - truth).mean()
    assert found == pytest.approx(medians, abs=1e-6)
    assert found != pytest.approx(modes, abs=1e-2)


def test_somebody_without_usable_answers_is_left_to_the_model_as_it_is(
    benchmark_: Benchmark, someone: Respondent
) -> None:
    for method, answers in (("dpo", [3] * 18), ("sft", [0] * 18), ("epg", [0] * 18)):
        nobody = replace(benchmark_.subjects[0], given=np.array(answers, dtype=np.int8))
        context = Context(benchmark_, min_mass=0.0, hyperparameters=hyperparameters(FEW))
        found = methods()[method].fit(nobody, someone, context)
        assert isinstance(found, Prompted)
        assert found.adapter is None
        assert found.fit["steps"] == 0


def test_only_what_was_answered_is_learnt(
    benchmark_: Benchmark, someone: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing answer is no row of any lesson, of a fold's or of the last."""
    subject = benchmark_.subjects[0]
    given = subject.given.copy()
    given[:4] = 0
    gaps = replace(benchmark_, subjects=(replace(subject, given=given), *benchmark_.subjects[1:]))
    taught: list[Lesson] = []
    inner, choose = fitting.train, fitting._choose_steps
    monkeypatch.setattr(fitting, "train", lambda each, stops: taught.append(each) or inner(each, stops))
    monkeypatch.setattr(fitting, "_choose_steps", lambda *given: choose(*given) | {"steps": 2})
    fitted("sft", gaps, someone)
    assert len(taught) == 4
    for each in taught:
        assert not set(each.rows) & set(range(4))
        assert list(each.answers) == list(given[each.rows])
    assert list(taught[-1].rows) == list(range(4, 18))


def test_the_trained_subject_answers_otherwise(benchmark_: Benchmark, someone: Respondent) -> None:
    found = fitted("dpo", benchmark_, someone)
    ask = Ask(found.system, benchmark_.held_out)
    (before,), (after,) = someone.ask([ask]), someone.ask([ask], found.adapter)
    assert np.abs(before.probabilities - after.probabilities).max() > 1e-4


# hyperparameters


def test_the_defaults_are_those_of_the_paper_and_of_the_contract() -> None:
    """Literals: to change one is to change a row of the table."""
    adapter = {"rank": 16, "alpha": 100, "weight_decay": 0.05, "batch": 16}
    own = {"steps": 128, "warm_up": 8, "learning_rate": 5e-4}
    rewarded = {"kl": 0.2, "lost_reward": -6}
    assert defaults() == {
        "sft": adapter | own,
        "dpo": adapter | {"steps": 250, "warm_up": 100, "learning_rate": 5e-4, "beta": 0.1},
        "dpo-graded": adapter | own | {"beta": 0.1, "margin": 0.1},
        "ppo": adapter
        | rewarded
        | {"steps": 250, "warm_up": 100, "learning_rate": 1.41e-5, "epochs": 4, "clip": 0.2, "value_weight": 0.1},
        "epg": adapter | own | rewarded,
        "prompt-morl": adapter | {"steps": 1000, "warm_up": 50, "learning_rate": 2e-4, "people": 2000, "items": 8},
        "soups": adapter | rewarded | {"steps": 250, "warm_up": 100, "learning_rate": 5e-4, "people": 200},
    }
    assert RunSettings("release", ()).training_seeds == [0, 1, 2]


def test_a_whole_number_may_be_written_as_one_likes() -> None:
    assert hyperparameters(["dpo.steps=1e2"])["dpo"]["steps"] == 100


def test_a_hyperparameter_is_set_once() -> None:
    with pytest.raises(UsageError, match=r"dpo.steps is set twice"):
        hyperparameters(["dpo.steps=7", "dpo.steps=8"])


def test_a_hyperparameter_is_replaced_for_one_method_only() -> None:
    found = hyperparameters(["dpo.steps=7", "ppo.lost_reward=-3.5"])
    assert found["dpo"]["steps"] == 7
    assert found["ppo"] == defaults()["ppo"] | {"lost_reward": -3.5}
    assert found["sft"] == defaults()["sft"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps=7", "names no trained method"),
        ("pas.steps=7", "names no trained method"),
        ("dpo.steps", "names no trained method"),
        ("dpo.margin=1", "no hyperparameter 'margin'"),
        ("dpo.steps=many", "is no number"),
        ("dpo.steps=1.5", "is no number"),
        ("dpo.steps=nan", "out of its range"),
        ("dpo.step=7", "did you mean steps"),
        ("dop.steps=7", "did you mean dpo"),
        ("dpo.steps=0", "out of its range"),
        ("dpo.learning_rate=-1", "out of its range"),
        ("dpo.learning_rate=nan", "out of its range"),
        ("ppo.lost_reward=nan", "out of its range"),
    ],
)
def test_hyperparameters_that_mean_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        hyperparameters([text])
