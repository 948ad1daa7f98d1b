"""Exported models answer as the steered ones did: as plain checkpoints, as vectors, as adapters."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from run_settings import lines, settings
from test_adapters import some_adapter
from tiny_models import ARCHITECTURES, HEADS, NO_SYSTEM, SIZE, TEMPLATE, texts, tiny_model, tiny_tokenizer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3Config,
    Gemma3TextConfig,
    GemmaConfig,
    MistralConfig,
    Olmo2Config,
    Phi3Config,
)

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.export import load_vectors, steered_by
from alignment.export.checkpoint import save_checkpoint
from alignment.export.exporting import export
from alignment.export.template import tell
from alignment.export.vectors import save_vectors
from alignment.methods import strength
from alignment.model_settings import ModelSettings
from alignment.prompts import read_prompts
from alignment.respondent.adapters import adapted
from alignment.respondent.hooks import architecture_of, steered
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.release import Moved
from alignment.runs.start import run
from alignment.sharing import Share
from alignment.steering import Scope, Steering
from papi.errors import InputRejected, MissingFile, UsageError
from papi.instruments import DARK_TRIAD

IDS = torch.arange(10, 40)[None]
WORDS = len(tiny_tokenizer())
MORE: dict[str, Callable[[], Any]] = {
    "gemma": lambda: GemmaConfig(vocab_size=WORDS, **SIZE, **HEADS, head_dim=16),
    "olmo2": lambda: Olmo2Config(vocab_size=WORDS, **SIZE, **HEADS),
    "mistral without a window": lambda: MistralConfig(vocab_size=WORDS, **SIZE, **HEADS, sliding_window=None),
    "phi3": lambda: Phi3Config(vocab_size=WORDS, **SIZE, **HEADS),
    "gemma3 with eyes": lambda: Gemma3Config(
        text_config=Gemma3TextConfig(vocab_size=WORDS, **SIZE, **HEADS, head_dim=16).to_dict(),
        vision_config={**EYES, "num_attention_heads": 2, "num_hidden_layers": 1},
        mm_tokens_per_image=4,
    ),
}
EYES = {"hidden_size": 16, "intermediate_size": 16, "image_size": 8, "patch_size": 4}
EXPORTED = (
    *("llama", "qwen2", "qwen3", "gemma2", "gemma3", "gemma3 with eyes", "gemma", "olmo2"),
    "mistral without a window",
)


def model_of(name: str) -> Any:
    """A tiny model with random weights, its biases drawn too."""
    if name in ARCHITECTURES:
        found = copy.deepcopy(tiny_model(name, attention="eager"))
    else:
        torch.manual_seed(1)
        config = MORE[name]()
        config.pad_token_id, config.initializer_range = 0, 0.3
        found = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for key, weight in found.named_parameters():
        if key.endswith("bias"):
            weight.data.normal_(0, 0.3)
    return found


def drawn(model: Any, part: str = "heads", scope: Scope = "prompt") -> Steering:
    shape = architecture_of(model).shape("heads" if part == "heads" else "residual")
    vectors = np.random.default_rng(0).normal(0, 0.5, shape).astype(np.float32)
    return Steering(heads=vectors, scope=scope) if part == "heads" else Steering(residual=vectors, scope=scope)


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(IDS).logits
    return found


def loaded(folder: Path) -> Any:
    """The exported model; nothing may be left over or drawn anew when it is loaded."""
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    return model.eval()


# checkpoints


@pytest.mark.parametrize("name", EXPORTED)
def test_a_steered_model_is_a_plain_checkpoint_with_the_same_logits(name: str, tmp_path: Path) -> None:
    model = model_of(name)
    steering, before = drawn(model), logits(model)
    save_checkpoint(model, tiny_tokenizer(), tmp_path, steering, None, None)
    with steered(architecture_of(model), [steering]):
        expected = logits(model)
    assert torch.allclose(logits(loaded(tmp_path)), expected, atol=1e-5)
    assert (expected - before).abs().max() > 0.01
    assert torch.equal(logits(model), before)  # the model itself is as it was


@pytest.mark.parametrize("name", ["llama", "qwen2", "mistral without a window"])
def test_what_is_added_to_a_layers_output_is_a_bias_of_its_last_projection(name: str, tmp_path: Path) -> None:
    model = model_of(name)
    steering = drawn(model, "residual")
    save_checkpoint(model, tiny_tokenizer(), tmp_path, steering, None, None)
    with steered(architecture_of(model), [steering]):
        expected = logits(model)
    assert torch.allclose(logits(loaded(tmp_path)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        ("mistral", "heads", "sliding window"),
        ("phi3", "heads", "type phi3 has no bias"),
        ("gemma3 with eyes", "residual", "type gemma3_text has no bias"),
        ("qwen3", "residual", "type qwen3 has no bias"),
    ],
)
def test_an_architecture_that_cannot_hold_it_is_refused(name: str, part: str, message: str, tmp_path: Path) -> None:
    model = model_of(name)
    with pytest.raises(UsageError, match=message) as refused:
        save_checkpoint(model, tiny_tokenizer(), tmp_path, drawn(model, part), None, None)
    assert "--small" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_steering_of_the_question_alone_is_refused(tmp_path: Path) -> None:
    model = model_of("llama")
    with pytest.raises(UsageError, match="acts on every token"):
        save_checkpoint(model, tiny_tokenizer(), tmp_path, drawn(model, scope="suffix"), None, None)


@pytest.mark.parametrize("name", ["llama", "qwen2", "gemma3"])
def test_an_adapter_is_added_to_the_weights(name: str, tmp_path: Path) -> None:
    """To 1e-5 of the largest logit: added beforehand or meanwhile, the same sum is rounded otherwise in float32."""
    someone = Respondent(model_of(name), tiny_tokenizer(), texts())
    large, before = some_adapter(someone), logits(someone.model)
    adapter = Adapter(large.rank, large.alpha, {key: 0.1 * weight for key, weight in large.weights.items()})
    save_checkpoint(someone.model, tiny_tokenizer(), tmp_path, None, adapter, None)
    with adapted(someone.scorer, adapter):
        expected = logits(someone.model)
    assert (logits(loaded(tmp_path)) - expected).abs().max() < 1e-5 * expected.abs().max()
    assert (expected - before).abs().max() > 0.05


def test_quantised_weights_are_no_plain_checkpoint(tiny: Path, tmp_path: Path) -> None:
    someone = load_respondent(ModelSettings(str(tiny), quantize="nf4"), texts(), "forward", Share())
    with pytest.raises(UsageError, match="quantised"):
        save_checkpoint(someone.model, someone.tokenizer, tmp_path, drawn(someone.model), None, None)


# vectors


@pytest.mark.parametrize("part", ["heads", "residual"])
@pytest.mark.parametrize("name", ["llama", "mistral", "phi3"])
def test_vectors_come_back_from_the_disk_and_steer(name: str, part: str, tmp_path: Path) -> None:
    model, path = model_of(name), tmp_path / "vectors.safetensors"
    steering = drawn(model, part)
    save_vectors(steering, path, {"method": "pas"})
    assert np.array_equal(getattr(load_vectors(path), part), getattr(steering, part))
    with steered(architecture_of(model), [steering]):
        expected = logits(model)
    with steered_by(model, path):
        assert torch.equal(logits(model), expected)
    assert not torch.allclose(logits(model), expected, atol=1e-3)


def test_vectors_steer_a_quantised_model(tiny: Path, tmp_path: Path) -> None:
    someone = load_respondent(ModelSettings(str(tiny), quantize="nf4"), texts(), "forward", Share())
    path, before = tmp_path / "v.safetensors", logits(someone.model)
    save_vectors(drawn(someone.model), path, {})
    with steered_by(someone.model, path):
        assert not torch.allclose(logits(someone.model), before, atol=0.01)
    assert torch.equal(logits(someone.model), before)


def test_vectors_are_those_of_one_shape(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    save_vectors(drawn(model_of("qwen3")), path, {})
    with pytest.raises(UsageError, match="another model"), steered_by(model_of("llama"), path):
        pass


def test_what_holds_no_vectors_is_refused(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(MissingFile):
        load_vectors(tmp_path / "nothing")
    with pytest.raises(InputRejected, match="holds no vectors"):
        load_vectors(tiny / "model.safetensors")
    (tmp_path / "broken").write_bytes(b"broken")
    with pytest.raises(InputRejected, match="cannot be read"):
        load_vectors(tmp_path / "broken")


# texts


def test_a_text_opens_every_conversation_before_a_system_text_of_its_own() -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tell(tokenizer, 'You said: "no".\n{{ never }} 😀')
    said = [{"role": "user", "content": "Well?"}]
    system = {"role": "system", "content": 'You said: "no".\n{{ never }} 😀'}
    own = [{"role": "system", "content": "Be brief."}, *said]
    both = [{"role": "system", "content": f"{system['content']}\n\nBe brief."}, *said]
    for given, expected in ((said, [system, *said]), (own, both)):
        found = tokenizer.apply_chat_template(given, tokenize=False)
        assert found == tiny_tokenizer().apply_chat_template(expected, tokenize=False)
    assert tokenizer.apply_chat_template(said, tokenize=True)  # signs beyond the first plane are whole


DUMPED = "{{ messages | tojson }}"  # a template that shows what it is given


@pytest.mark.parametrize("template", [DUMPED, NO_SYSTEM.removesuffix(TEMPLATE) + DUMPED])
def test_a_text_opens_a_list_of_parts_too(template: str) -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer(template))
    tell(tokenizer, "You are calm.")
    role = "user" if "raise" in template else "system"
    said = [{"role": role, "content": [{"type": "text", "text": "Well?"}]}]
    (found, *rest) = json.loads(tokenizer.apply_chat_template(said, tokenize=False))
    assert found["content"] == [{"type": "text", "text": "You are calm.\n\n"}, *said[0]["content"]]
    assert rest == []


@pytest.mark.parametrize("template", [DUMPED, NO_SYSTEM.removesuffix(TEMPLATE) + DUMPED])
@pytest.mark.parametrize("content", [None, ""])
def test_a_message_without_a_text_gets_the_text_alone(template: str, content: str | None) -> None:
    """And keeps what else it has; where nobody but the assistant has spoken the text comes before."""
    tokenizer = copy.deepcopy(tiny_tokenizer(template))
    tell(tokenizer, "You are calm.")
    role = "user" if "raise" in template else "system"
    said = [{"role": role, "content": content, "name": "x"}]
    (found,) = json.loads(tokenizer.apply_chat_template(said, tokenize=False))
    assert found["content"].strip() == "You are calm."
    assert found["name"] == "x"
    call = {"role": "assistant", "content": "", "tool_calls": ["x"]}
    found = json.loads(tokenizer.apply_chat_template([call], tokenize=False))
    assert found == [{"role": role, "content": "You are calm."}, call]


def test_every_template_of_a_tokenizer_is_told(tmp_path: Path) -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    plain = str(tokenizer.chat_template)
    tokenizer.chat_template = {"default": plain, "tool_use": f"Tools.{plain}"}
    tell(tokenizer, "You are calm.")
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    said, system = [{"role": "user", "content": "Well?"}], {"role": "system", "content": "You are calm."}
    whole = tiny_tokenizer().apply_chat_template([system, *said], tokenize=False)
    assert again.apply_chat_template(said, tokenize=False) == whole
    assert again.apply_chat_template(said, chat_template="tool_use", tokenize=False) == f"Tools.{whole}"


def test_a_text_opens_the_first_users_where_there_is_no_system_role() -> None:
    tokenizer, plain = (copy.deepcopy(tiny_tokenizer(NO_SYSTEM)) for _ in range(2))
    tell(tokenizer, "You are calm.")
    said = [{"role": "user", "content": "Well?"}]
    opened = [{"role": "user", "content": "You are calm.\n\nWell?"}]
    assert tokenizer.apply_chat_template(said, tokenize=False) == plain.apply_chat_template(opened, tokenize=False)


def test_a_base_model_cannot_be_told() -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = None
    with pytest.raises(UsageError, match="no chat template"):
        tell(tokenizer, "You are calm.")


# runs


@pytest.fixture(scope="module", autouse=True)
def steering_is_strong() -> Iterator[None]:
    """Whatever the folds say, so that there is steering to export."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strength, "choose_strength", lambda tried, min_mass: 2.0)
        yield


@pytest.fixture(scope="module")
def made(steering_is_strong: None, release: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of steering methods and a trained one for a subject."""
    methods = ("ridge", "pas", "pas-few-shot", "pas-published-cv", "few-shot-120", "dpo")
    few = {"seeds": 2, "replaced": ("dpo.steps=3", "dpo.rank=2")}
    out = tmp_path_factory.mktemp("made") / "run"
    run(settings(release, tiny, methods=methods, subjects=1, **few), out, Share())
    failed = {"method": "soups", "subject": lines(out)[0]["subject"], "reason": "no luck"}
    (out / "failures.jsonl").write_text(json.dumps(failed) + "\n")
    return out


@pytest.fixture
def done(made: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be done with as one likes."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def said_by(folder: Path, release: Path, out: Path) -> list[Any]:
    """What an exported model answers under the neutral text."""
    run(settings(release, folder, methods=("no-change",), subjects=1), out, Share())
    probabilities: list[Any] = lines(out)[0]["probabilities"]
    return probabilities


def line_of(folder: Path, method: str) -> Any:
    return next(line for line in lines(folder) if line["method"] == method)


def test_an_exported_model_answers_as_the_run_did(done: Path, release: Path, tmp_path: Path) -> None:
    """Its own answers, as somebody who loads it gets them, are those of the steered or trained model."""
    subject = lines(done)[0]["subject"]
    pas, dpo = line_of(done, "pas")["probabilities"], line_of(done, "dpo")["probabilities"]
    export(done, subject, tmp_path / "pas", "pas")
    assert np.allclose(said_by(tmp_path / "pas", release, tmp_path / "a"), pas, atol=1e-5)
    for number, seed in enumerate((0, 1)):
        export(done, subject, tmp_path / f"dpo-{seed}", "dpo", seed)
        assert np.allclose(said_by(tmp_path / f"dpo-{seed}", release, tmp_path / f"b{seed}"), dpo[number], atol=1e-5)
    assert not np.allclose(pas, dpo[0], atol=1e-3)


def test_a_description_is_the_one_that_the_run_wrote(
    release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings(release, tiny, methods=("p2",), subjects=1), tmp_path / "run", Share())
    (line,) = lines(tmp_path / "run")
    monkeypatch.setattr(Respondent, "write", lambda *given: "Something else.")
    export(tmp_path / "run", line["subject"], tmp_path / "out", small=True)
    told = (tmp_path / "out" / "prompt.txt").read_bytes().decode()
    assert line["fit"]["description"] in told
    assert "Something else." not in told


def test_what_vllm_would_pass_over_is_said(release: Path, tmp_path: Path) -> None:
    """Its own code has no bias of o_proj for some types that take one."""
    for name, passed_over in (("llama", False), ("qwen3", True)):
        model = tmp_path / name
        model_of(name).save_pretrained(model)
        tiny_tokenizer().save_pretrained(model)
        run(settings(release, model, methods=("pas", "no-change"), subjects=1), tmp_path / f"run-{name}", Share())
        subject = lines(tmp_path / f"run-{name}")[0]["subject"]
        said = [export(tmp_path / f"run-{name}", subject, tmp_path / f"{name}-{m}", m) for m in ("pas", "no-change")]
        assert [any("--model-impl transformers" in text for text in each) for each in said] == [passed_over, False]


def test_what_a_method_tells_is_in_the_template_and_said(done: Path, tmp_path: Path) -> None:
    said = export(done, lines(done)[0]["subject"], tmp_path / "out", "pas-published-cv")
    assert any("in the chat template" in text for text in said)
    template = (tmp_path / "out" / "chat_template.jinja").read_text()
    assert "the answers that you have given so far" in template


def test_the_small_export_holds_what_changes_the_model(done: Path, tiny: Path, tmp_path: Path) -> None:
    subject = lines(done)[0]["subject"]
    said = export(done, subject, tmp_path / "pas", "pas-few-shot", small=True)
    names = sorted(path.name for path in (tmp_path / "pas").iterdir())
    assert names == ["README.md", "prompt.txt", "vectors.safetensors"]
    assert load_vectors(tmp_path / "pas" / "vectors.safetensors").scope == "suffix"
    assert any("only what follows" in text for text in said)
    export(done, subject, tmp_path / "dpo", "dpo", small=True)
    assert "adapter_model.safetensors" in {path.name for path in (tmp_path / "dpo").iterdir()}
    with pytest.raises(UsageError, match="acts on every token"):
        export(done, subject, tmp_path / "whole", "pas-few-shot")
    assert not (tmp_path / "whole").exists()
    assert list(tmp_path.glob(".*")) == []


def test_a_kept_adapter_is_exported_as_it_was_kept(release: Path, tiny: Path, tmp_path: Path) -> None:
    few: dict[str, Any] = {"seeds": 1, "replaced": ("dpo.steps=3", "dpo.rank=2"), "save_adapters": True}
    run(settings(release, tiny, methods=("dpo",), subjects=1, **few), tmp_path / "run", Share())
    (line,) = lines(tmp_path / "run")
    export(tmp_path / "run", line["subject"], tmp_path / "out", small=True)
    kept = tmp_path / "run" / "adapters" / "dpo" / line["subject"] / "0" / "adapter_model.safetensors"
    assert (tmp_path / "out" / "adapter_model.safetensors").read_bytes() == kept.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": None}, "which method"),
        ({"method": "ridge"}, "is a floor"),
        ({"method": "caa"}, "which method"),
        ({"method": "dpo", "seed": 7}, "not trained with the seed 7"),
        ({"method": "pas", "seed": 0}, "pas has no seeds to choose from: nothing is trained"),
        ({"method": "soups"}, "soups has no answers of"),
        ({"subject_id": "sd3-nobody", "method": "pas"}, "no answers of this subject"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    done: Path, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    given = {"subject_id": lines(done)[0]["subject"]} | arguments
    with pytest.raises(UsageError, match=message):
        export(done, out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["pas", "dpo", "pas-published-cv"])
def test_who_follows_the_readme_of_an_export_gets_the_answers_of_the_run(
    done: Path, tmp_path: Path, method: str
) -> None:
    """With nothing but transformers: the text that stands in README.md, and the letters that it names."""
    out = tmp_path / "out"
    export(done, lines(done)[0]["subject"], out, method)
    told = (out / "README.md").read_text()
    assert "SIMULATED" in told
    assert ("in the chat template" in told) == (method == "pas-published-cv")
    (text,) = quoted(told)
    tokenizer, model = AutoTokenizer.from_pretrained(out), AutoModelForCausalLM.from_pretrained(out)
    with torch.inference_mode():
        found = model(**tokenizer(text, return_tensors="pt", add_special_tokens=False)).logits[0, -1].softmax(-1)
    letters = torch.stack([found[tokenizer.encode(letter, add_special_tokens=False)[-1]] for letter in "ABCDE"])
    assert "letters A, B, C, D, E stand for the responses 5, 4, 3, 2, 1" in told
    expected = line_of(done, method)["probabilities"]
    expected = expected[0][0] if method == "dpo" else expected[0]
    assert np.allclose((letters / letters.sum()).numpy()[::-1], expected, atol=1e-5)


def quoted(told: str) -> list[str]:
    """The texts that are set off by four spaces."""
    blocks = re.findall(r"(?:^    .*\n)+", told, flags=re.MULTILINE)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in blocks]


@pytest.mark.parametrize("template", [NO_SYSTEM, None])
def test_the_readme_of_an_export_asks_the_model_in_ways_that_it_takes(
    release: Path, tmp_path: Path, template: str | None
) -> None:
    """Without a system role, without a template, in both orders of the options."""
    model, out = tmp_path / "model", tmp_path / "out"
    model_of("llama").save_pretrained(model)
    tokenizer = copy.deepcopy(tiny_tokenizer(template or TEMPLATE))
    tokenizer.chat_template = template
    tokenizer.save_pretrained(model)
    run(settings(release, model, methods=("caa",), subjects=1, option_order="both"), tmp_path / "run", Share())
    export(tmp_path / "run", lines(tmp_path / "run")[0]["subject"], out)
    told = (out / "README.md").read_text()
    forward, backward = quoted(told)
    assert forward != backward
    assert "responses 5, 4, 3, 2, 1" in told
    assert "responses 1, 2, 3, 4, 5" in told
    if template is None:
        assert "no chat template: give it the whole text" in told
        return
    assert "the beginning of the user's" in told
    neutral = read_prompts(DARK_TRIAD)["system"]
    question = forward.split(f"{neutral}\n\n")[1].split("<|end|>")[0]
    said = [{"role": "user", "content": f"{neutral}\n\n{question}"}, {"role": "assistant", "content": "Option ("}]
    again = AutoTokenizer.from_pretrained(out)
    assert again.apply_chat_template(said, tokenize=False, continue_final_message=True) == forward


def test_an_export_can_be_read_by_others(done: Path, tmp_path: Path) -> None:
    export(done, lines(done)[0]["subject"], tmp_path / "out", "pas")
    (tmp_path / "any").touch()
    modes = {path.stat().st_mode for path in (*(tmp_path / "out").iterdir(), tmp_path / "any")}
    assert len(modes) == 1


def test_what_was_moved_is_asked_for_and_can_be_named(
    done: Path, release: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, subject = json.loads((done / "run.json").read_text()), lines(done)[0]["subject"]
    frozen["release"]["path"] = "release-of-then"
    (done / "run.json").write_text(json.dumps(frozen))
    with pytest.raises(MissingFile, match="release of the run is not in its place") as refused:
        export(done, subject, tmp_path / "out", "pas")
    assert "--release" in str(refused.value)
    export(done, subject, tmp_path / "out", "pas", moved=Moved(release=str(release)))
    frozen["model"]["name"] = "model-of-then"
    (done / "run.json").write_text(json.dumps(frozen))
    with pytest.raises(MissingFile, match="model of the run is not in its place"):
        export(done, subject, tmp_path / "other", "pas", moved=Moved(release=str(release)))
    export(done, subject, tmp_path / "other", "pas", moved=Moved(str(release), str(tiny)))
    assert (tmp_path / "other" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("method", "quantize", "message"), [("pas-few-shot", None, "acts on every token"), ("pas", "nf4", "quantised")]
)
def test_what_no_checkpoint_holds_is_refused_before_a_model_is_loaded(
    done: Path, tmp_path: Path, method: str, quantize: str | None, message: str
) -> None:
    frozen = json.loads((done / "run.json").read_text())
    frozen["model"] |= {"name": str(tmp_path / "gone"), "quantize": quantize}
    (done / "run.json").write_text(json.dumps(frozen))
    subject = lines(done)[0]["subject"]
    with pytest.raises(UsageError, match=message):
        export(done, subject, tmp_path / "out", method)
    with pytest.raises(MissingFile, match="model of the run is not in its place"):
        export(done, subject, tmp_path / "out", method, small=True)


def test_a_kept_adapter_of_all_subjects_is_exported_with_the_subjects_text(
    release: Path, tiny: Path, tmp_path: Path
) -> None:
    small = ("prompt-morl.steps=2", "prompt-morl.rank=2")
    few: dict[str, Any] = {"seeds": 1, "replaced": small, "subjects": 2}
    subjects = []
    for name, kept in (("fitted", False), ("kept", True)):
        out = tmp_path / name
        run(settings(release, tiny, methods=("prompt-morl",), save_adapters=kept, **few), out, Share())
        subjects = [line["subject"] for line in lines(out)]
        for subject in subjects:
            export(out, subject, tmp_path / f"{name}-{subject}", small=True)
    for subject in subjects:
        files = [sorted((tmp_path / f"{name}-{subject}").iterdir()) for name in ("fitted", "kept")]
        assert [path.name for path in files[0]] == [
            *("README.md", "adapter_config.json", "adapter_model.safetensors", "prompt.txt")
        ]
        assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_another_model_or_another_fit_is_refused(done: Path, tiny: Path, tmp_path: Path) -> None:
    subject, answers = lines(done)[0]["subject"], done / "answers.jsonl"
    before = answers.read_text()
    answers.write_text(before.replace('"alpha": 2.0', '"alpha": 4.0'))
    with pytest.raises(InputRejected, match="not that of the run: alpha"):
        export(done, subject, tmp_path / "out", "pas")
    answers.write_text(before)
    frozen = json.loads((done / "run.json").read_text())
    frozen["model"]["files"]["model.safetensors"] = "0" * 64
    (done / "run.json").write_text(json.dumps(frozen))
    with pytest.raises(InputRejected, match="not the one of the run: files"):
        export(done, subject, tmp_path / "out", "pas")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_left_alone(done: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export(done, lines(done)[0]["subject"], tmp_path / "out", "pas")
    assert (tmp_path / "out" / "mine").read_text() == "mine"
    with pytest.raises(MissingFile):
        export(tmp_path / "nowhere", "sd3-1", tmp_path / "other")


def test_adapters_of_the_tests_are_not_empty() -> None:
    adapter = some_adapter(Respondent(model_of("llama"), tiny_tokenizer(), texts()))
    assert isinstance(adapter, Adapter)
    assert all(np.abs(value).max() > 0 for value in adapter.weights.values())


def test_an_ask_of_a_steered_model_is_another(tiny: Path) -> None:
    """The vectors that these tests draw do change answers."""
    from tiny_models import questions

    someone = Respondent(model_of("llama"), tiny_tokenizer(), texts())
    asks = [Ask("Answer.", questions(2), steering) for steering in (None, drawn(someone.model))]
    plain, moved = someone.ask(asks)
    assert np.abs(plain.probabilities - moved.probabilities).max() > 0.01
