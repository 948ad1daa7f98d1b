"""Models, tokenizers, files and launchers that are not as usual: taken as they are, or refused in words."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TEMPLATE, plain_answers, questions, texts, tiny_model, tiny_tokenizer
from transformers import AutoModelForCausalLM, Qwen3_5TextConfig

from alignment.asking import Ask
from alignment.benchmark import Benchmark, read_benchmark
from alignment.methods.strength import STRENGTHS, Tried, choose_strength
from alignment.model_settings import ModelSettings
from alignment.prompts import read_prompts
from alignment.respondent import batches
from alignment.respondent.chat import Chat, Turn
from alignment.respondent.respondent import Respondent
from alignment.runs import start
from alignment.runs.descriptions import read_descriptions
from alignment.runs.folder import ANSWERS, FAILURES, RunFolder, opened
from alignment.runs.settings import RunSettings
from alignment.sharing import Share, share_of
from alignment.steering import Scope, Steering
from alignment.training.material import Material
from papi.errors import InputRejected, MissingExtra, UsageError
from papi.instruments import DARK_TRIAD, IPIP_300


def test_an_unknown_token_that_also_begins_every_prompt_is_no_complaint() -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = "<bos>" + TEMPLATE
    tokenizer.unk_token = "<bos>"
    someone = Respondent(tiny_model("llama"), tokenizer, texts())
    (reply,) = someone.ask([Ask("Answer.", questions(2))])
    assert np.isfinite(reply.probabilities).all()


def test_a_template_that_cannot_hold_the_messages_is_refused() -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(UsageError, match="chat template cannot hold"):
        Chat(tokenizer).text("Answer.", Turn("?", "Option ("))


def test_thoughts_are_left_empty() -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = TEMPLATE + "{% if enable_thinking is false %}<think></think>{% endif %}"
    assert "<think></think>" in tokenizer.decode(Chat(tokenizer).request("Describe somebody."))


@cache
def qwen35() -> Any:
    """A model whose first three layers have linear attention, and no o_proj."""
    config = Qwen3_5TextConfig(
        vocab_size=len(tiny_tokenizer()), hidden_size=32, intermediate_size=48, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4,
        linear_key_head_dim=8, linear_value_head_dim=8, max_position_embeddings=2048, pad_token_id=0,
        initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(config).eval()


def test_layers_of_linear_attention_are_skipped_and_each_prompt_goes_through_whole() -> None:
    someone = Respondent(qwen35(), tiny_tokenizer(), texts())
    assert someone.scorer.parts.skipped == (0, 1, 2)
    (found,) = someone.ask([Ask("Answer.", questions(5))])
    expected, mass = plain_answers(qwen35(), "Answer.", questions(5))
    assert np.allclose(found.probabilities, expected, atol=1e-5)
    assert np.allclose(found.mass, mass, atol=1e-5)


@pytest.mark.parametrize("scope", ["prompt", "suffix"])
def test_a_prompt_that_goes_through_whole_is_steered_where_it_is_to_be(scope: Scope) -> None:
    """Equal to a bias on o_proj that acts on every token, or on those after the shared beginning."""
    someone = Respondent(qwen35(), tiny_tokenizer(), texts())
    random = np.random.default_rng(0)
    vectors = random.normal(0, 0.5, someone.scorer.parts.shape("heads")).astype(np.float32)
    vectors[:3] = 0
    ask = Ask("Answer.", questions(3), Steering(heads=vectors, scope=scope))
    (prompt,) = someone.encoded(ask)
    first = 0 if scope == "prompt" else len(prompt.encoded.prefix)
    assert len(prompt.encoded.prefix) > 10
    bias = torch.from_numpy(vectors[3].reshape(-1))

    def hook(module: Any, arguments: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        moved = arguments[0].clone()
        moved[:, first:] += bias
        return (moved,)

    handle = someone.scorer.parts.projections[3].register_forward_pre_hook(hook)
    expected, _ = plain_answers(qwen35(), "Answer.", questions(3))
    handle.remove()
    (found,) = someone.ask([ask])
    assert np.allclose(found.probabilities, expected, atol=1e-5)


def test_training_goes_through_linear_attention_too() -> None:
    someone = Respondent(qwen35(), tiny_tokenizer(), texts())
    found = Material(someone, [Ask("Answer.", questions(3))]).outcomes(np.arange(3)).logarithms
    expected, mass = plain_answers(qwen35(), "Answer.", questions(3))
    assert np.allclose(found[:, :5].detach().exp().numpy(), expected * mass[:, None], atol=1e-5)


def test_the_complaint_of_the_allocator_of_this_machine_is_known() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert batches._is_out_of_memory(refused.value)


def test_a_strength_without_numbers_is_not_taken_and_can_be_stored() -> None:
    errors = np.ones((len(STRENGTHS), 20))
    errors[3] = np.nan
    errors[2] = 0.5
    tried = Tried(errors, np.ones(len(STRENGTHS)))
    assert choose_strength(tried, 0.5) == STRENGTHS[2]
    assert "4" not in json.loads(json.dumps(tried.described(2.0), allow_nan=False))["fold_errors"]


@pytest.mark.parametrize(
    "content", [{"dark-triad": "x"}, {"few_shot": "{pairs:d}"}, {"few_shot": "{pairs!r}"}, {"few_shot": "{pairs:{x}}"}]
)
def test_prompts_that_no_text_can_be_made_of_are_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputRejected, match="not as it must be"):
        read_prompts(DARK_TRIAD, path)


def test_a_launchers_variable_that_is_no_number_is_refused() -> None:
    assert share_of({"WORLD_SIZE": ""}) == Share()
    with pytest.raises(UsageError, match="WORLD_SIZE is no number"):
        share_of({"WORLD_SIZE": "two"})


def test_a_missing_extra_names_what_to_install(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignment.runs.extras.find_spec", lambda name: None)
    settings = RunSettings(str(release), ("no-change",), ModelSettings("pocket"))
    with pytest.raises(MissingExtra, match="not installed") as refused:
        start.run(settings, tmp_path / "run", Share())
    assert "pip install" in str(refused.value)


def test_damaged_weights_are_an_error_in_words(release: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    tiny_model("llama").save_pretrained(model)
    tiny_tokenizer().save_pretrained(model)
    (model / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:1000])
    settings = RunSettings(str(release), ("no-change",), ModelSettings(str(model)))
    with pytest.raises(UsageError, match="cannot be loaded"):
        start.run(settings, tmp_path / "run", Share())


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def line(subject: str, **more: Any) -> dict[str, Any]:
    return {"method": "ridge", "subject": subject, **more}


def test_mending_keeps_what_is_whole_even_if_it_is_cut_off(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.add(ANSWERS, line("a"))
    path = folder.path / "answers.jsonl"
    path.write_bytes(path.read_bytes() + b'{"method": "rid')
    torn = path.read_bytes()

    def cut(beside: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alignment.runs.folder.move", cut)
        with pytest.raises(KeyboardInterrupt):
            folder.mend()
    assert path.read_bytes() == torn
    folder.mend()
    assert folder.lines(ANSWERS) == [line("a")]


def test_a_first_write_that_is_cut_off_leaves_a_folder_that_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = {"format": "papi-run-1", "methods": {}, "model": None, "release": {}}

    def cut(beside: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alignment.runs.configuration_file.move", cut)
        with pytest.raises(KeyboardInterrupt), opened(tmp_path / "run", 0, configuration):
            pass
    with opened(tmp_path / "run", 0, configuration) as again:
        assert json.loads((again.path / "run.json").read_text()) == configuration


def test_failures_that_are_tried_again_are_not_counted_as_done(folder: RunFolder) -> None:
    other = RunFolder(folder.path, 1)
    other.add(FAILURES, line("a", reason="x"))
    other.add(FAILURES, line("b", reason="x"))
    tasks = [("ridge", "a"), ("ridge", "b")]
    folder.forget_failures({tasks[0]})
    assert not folder.merge(tasks, tasks)
    folder.add(ANSWERS, line("a"))
    assert folder.merge(tasks, tasks)
    assert [each["subject"] for each in folder.lines(FAILURES)] == ["b"]


def description_file(tmp_path: Path, benchmark: Benchmark, output: Any) -> Path:
    """The predecessor's form, for the first subject."""
    labels = ["Unknown", *read_prompts(IPIP_300)["labels"]]
    answers = zip(benchmark.given, benchmark.subjects[0].given, strict=True)
    told = ";".join(f"{question.text}:{labels[answer]}" for question, answer in answers)
    path = tmp_path / "texts.json"
    path.write_text(json.dumps([{"input": f"Please rewrite:\n{told}", "output": output}]))
    return path


@pytest.mark.parametrize("output", ["You are kind.", ["You are kind."]])
def test_descriptions_in_the_predecessors_form_are_found_by_the_answers(
    release: Path, tmp_path: Path, output: Any
) -> None:
    benchmark = read_benchmark(release, IPIP_300, "test", "published")
    path = description_file(tmp_path, benchmark, output)
    assert read_descriptions(path, benchmark) == {benchmark.subjects[0].subject_id: "You are kind."}


@pytest.mark.parametrize("output", [None, ["a", "b"], []])
def test_descriptions_without_one_text_are_refused(release: Path, tmp_path: Path, output: Any) -> None:
    benchmark = read_benchmark(release, IPIP_300, "test", "published")
    with pytest.raises(InputRejected, match="cannot be read"):
        read_descriptions(description_file(tmp_path, benchmark, output), benchmark)


def test_a_model_whose_layers_lie_elsewhere_answers_and_is_steered_alike(tmp_path: Path) -> None:
    """Layers that are fetched from the disk as they are needed, as device_map lays out what does not fit."""
    here = tiny_model("llama", attention="sdpa")
    here.save_pretrained(tmp_path)
    places: dict[str, str] = dict.fromkeys(("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"), "cpu")
    places |= {"model.layers.0": "cpu", "model.layers.1": "disk", "model.layers.2": "disk"}
    away = AutoModelForCausalLM.from_pretrained(tmp_path, device_map=places, offload_folder=tmp_path / "off")
    one, other = (Respondent(model, tiny_tokenizer(), texts()) for model in (here, away))
    vectors = np.random.default_rng(0).normal(0, 0.5, one.scorer.parts.shape("heads")).astype(np.float32)
    for steering in (None, Steering(heads=vectors)):
        replies = [each.ask([Ask("Answer.", questions(4), steering)])[0].probabilities for each in (one, other)]
        assert np.array_equal(*replies)
    assert np.array_equal(*(each.states("Answer.", questions(3)) for each in (one, other)))
