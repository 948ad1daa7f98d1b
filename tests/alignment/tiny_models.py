"""Tiny random models of several architectures, a tokenizer trained on the spot, and the plain forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from alignment.prompts import LETTERS, prompts_for, read_prompts
from alignment.questions import Question

TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + TEMPLATE
)
WORDS = (
    "You lie awake over small problems. Option (A) (B) (C) (D) (E) Very Accurate Moderately Inaccurate Neither nor "
    "OptionA OptionB OptionC"
)
SIZE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "max_position_embeddings": 2048}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
# Grouped queries everywhere; in Qwen 3 and Gemma the heads are wider than hidden / heads; windows shorter than prompts.
ARCHITECTURES: dict[str, Callable[[int], Any]] = {
    "llama": lambda words: LlamaConfig(vocab_size=words, **SIZE, **HEADS),
    "mistral": lambda words: MistralConfig(vocab_size=words, **SIZE, **HEADS, sliding_window=200),
    "qwen2": lambda words: Qwen2Config(vocab_size=words, **SIZE, **HEADS),
    "qwen3": lambda words: Qwen3Config(vocab_size=words, **SIZE, **HEADS, head_dim=16),
    "gemma2": lambda words: Gemma2Config(vocab_size=words, **SIZE, **HEADS, head_dim=16, sliding_window=200),
    "gemma3": lambda words: Gemma3TextConfig(vocab_size=words, **SIZE, **HEADS, head_dim=16, sliding_window=200),
}


@cache
def tiny_tokenizer(template: str = TEMPLATE) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a few merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<pad>", "<bos>", "<eos>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=360, special_tokens=marks, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([WORDS] * 8, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")
    fast.chat_template = template or None
    return fast


@cache
def tiny_model(architecture: str, attention: str = "eager", dtype: torch.dtype = torch.float32) -> Any:
    """A model with random weights, large enough for the answers to differ."""
    torch.manual_seed(1)
    config = ARCHITECTURES[architecture](len(tiny_tokenizer()))
    config.pad_token_id = 0
    config.initializer_range = 0.3
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).to(dtype).eval()


def questions(count: int) -> tuple[Question, ...]:
    """Questions of different lengths."""
    texts = [f"Lie awake over {'very ' * (n % 5)}small problem {n}." for n in range(count)]
    return tuple(
        Question(f"i{n}", text, f"You {text[0].lower()}{text[1:]}", "NEOAC"[n % 5], None, 1 - 2 * (n % 2))
        for n, text in enumerate(texts)
    )


def texts() -> dict[str, Any]:
    return read_prompts("ipip-neo-300")


def plain_probabilities(model: Any, system: str, question: Question, answer: str) -> np.ndarray:
    """The probabilities of all tokens after a prompt, by one plain forward over the whole of it."""
    messages = [("system", system), ("user", prompts_for(texts(), "forward").question(question)), ("assistant", answer)]
    ids = tiny_tokenizer().apply_chat_template(
        [{"role": role, "content": text} for role, text in messages], continue_final_message=True, return_dict=False
    )
    given = torch.tensor([ids], device=model.get_input_embeddings().weight.device)
    with torch.inference_mode():
        found: np.ndarray = torch.softmax(model(given).logits[0, -1].double(), -1).cpu().numpy()
    return found


def plain_answers(model: Any, system: str, asked: Sequence[Question]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the responses 1-5 and the letters' mass, one plain forward a question."""
    letters = [tiny_tokenizer()(f"({letter}", add_special_tokens=False)["input_ids"][-1] for letter in LETTERS]
    found = np.stack([plain_probabilities(model, system, question, "Option (")[letters] for question in asked])
    return (found / found.sum(1, keepdims=True))[:, ::-1], found.sum(1)
