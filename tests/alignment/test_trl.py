"""TRL as a second opinion (`pip install 'palign-papi[trl]'`): the same loss and gradient of DPO; GRPO runs on our data.

TRL's own preparation adds tokens to a completion, so its collator is given the tokens of a prompt and of one letter.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from test_adapters import some_adapter
from tiny_models import questions, texts, tiny_model, tiny_tokenizer

from alignment.adapter import Adapter
from alignment.asking import Ask
from alignment.hyperparameters import defaults
from alignment.respondent.adapters import fresh_adapter, load_weights
from alignment.respondent.respondent import Respondent
from alignment.training.material import Material
from alignment.training.objectives import Batch, objective_of

trl = pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing` is deprecated",  # peft 0.21.2 with transformers 5.23
    "ignore::FutureWarning:trl",  # trl 1.16.0 announces what it will move
)

ANSWERS = np.array([1, 2, 4, 5, 5])
BETA = 0.1


@pytest.fixture
def someone() -> Respondent:
    return Respondent(copy.deepcopy(tiny_model("llama", attention="eager")), tiny_tokenizer(), texts())


def test_dpo_has_the_loss_and_the_gradient_of_trl(someone: Respondent, tmp_path: Path) -> None:
    adapter = some_adapter(someone)
    material = Material(someone, [Ask("You.", questions(len(ANSWERS)))])
    loss, gradient = ours(someone, adapter, material)
    other_loss, other_gradient = theirs(someone, adapter, material, tmp_path)
    assert loss == pytest.approx(other_loss, abs=1e-5)
    assert gradient.keys() == other_gradient.keys()
    for name, found in gradient.items():
        assert torch.allclose(found, other_gradient[name], atol=1e-5), name
    assert max(found.abs().max() for found in gradient.values()) > 1e-4


def ours(someone: Respondent, adapter: Adapter, material: Material) -> tuple[float, dict[str, Any]]:
    rows = np.arange(len(ANSWERS))
    reference = material.reference[0]
    objective = objective_of("dpo", defaults()["dpo"] | {"beta": BETA})
    with fresh_adapter(someone.scorer, adapter.rank, adapter.alpha, 0) as lora:
        load_weights(lora, adapter)
        found = material.outcomes(rows)
        loss = objective.loss(Batch(found.logarithms, reference, torch.from_numpy(ANSWERS), found.hidden), 0)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach()), gradients(someone.model)


def gradients(model: Any) -> dict[str, Any]:
    """Those of the adapter's weights, by names that do not depend on what the adapter is called."""
    found = {}
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            plain = name.removeprefix("base_model.model.")
            found[plain.replace(".papi.", ".").replace(".default.", ".")] = weight.grad.clone()
    return found


def theirs(someone: Respondent, adapter: Adapter, material: Material, folder: Path) -> tuple[float, dict[str, Any]]:
    from peft import LoraConfig, get_peft_model
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    config = LoraConfig(
        r=adapter.rank, lora_alpha=adapter.alpha, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]
    )
    model: Any = get_peft_model(copy.deepcopy(tiny_model("llama", attention="eager")), config)
    told = Dataset.from_list([{"prompt": "?", "chosen": "A", "rejected": "B"}] * 2)
    arguments = trl.DPOConfig(
        output_dir=str(folder), beta=BETA, report_to="none", use_cpu=True, bf16=False, activation_checkpointing=False,
        disable_dropout=True, max_length=None,
    )  # fmt: skip
    trainer = trl.DPOTrainer(model=model, args=arguments, train_dataset=told, processing_class=tiny_tokenizer())
    # only now: what the trainer refers to is the adapter as it was given, which was new
    for name, weight in trainer.model.named_parameters():
        key = name.removeprefix("base_model.model.").replace(".default.", ".")
        if key in adapter.weights:
            weight.data.copy_(torch.from_numpy(adapter.weights[key]))
    (prompt,) = someone.encoded(material.asks[0])
    letter = dict(zip(prompt.responses, prompt.letters, strict=True))
    examples = [
        {
            "prompt_ids": list(prompt.encoded.prefix + suffix),
            "chosen_ids": [letter[answer]],
            "rejected_ids": [letter[1 if answer > 3 else 5]],
        }
        for suffix, answer in zip(prompt.encoded.suffixes, ANSWERS.tolist(), strict=True)
    ]
    batch = DataCollatorForPreference(pad_token_id=0)(examples)
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return float(loss.detach()), gradients(trainer.model)


def test_grpo_runs_on_our_prompts_and_rewards(someone: Respondent, tmp_path: Path) -> None:
    (prompt,) = someone.encoded(Ask("You.", questions(2)))
    said = [someone.tokenizer.decode(prompt.encoded.prefix + suffix) for suffix in prompt.encoded.suffixes]

    def reward(completions: list[str], answer: list[int], **_: Any) -> list[float]:
        options = dict(zip("ABCDE", (5, 4, 3, 2, 1), strict=True))
        pairs = zip((options.get(said[:1]) for said in completions), answer, strict=True)
        return [-6.0 if option is None else -abs(option - wanted) for option, wanted in pairs]

    arguments = trl.GRPOConfig(
        output_dir=str(tmp_path), report_to="none", use_cpu=True, bf16=False, max_steps=1, num_generations=2,
        per_device_train_batch_size=2, max_completion_length=1, activation_checkpointing=False,
    )  # fmt: skip
    told = Dataset.from_list([{"prompt": text, "answer": 5} for text in said])
    trainer = trl.GRPOTrainer(
        model=someone.model, reward_funcs=reward, args=arguments, train_dataset=told, processing_class=someone.tokenizer
    )
    trainer.train()
    assert trainer.state.global_step == 1
