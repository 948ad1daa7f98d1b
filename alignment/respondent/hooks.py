"""The hooks by which a model is steered and its states are read.

One hook a layer adds per-row vectors to the input of `self_attn.o_proj`, which is the concatenated output of the heads:
the same as a bias on `o_proj` (Zhu et al. 2025; Li et al. 2023). A second one adds to a layer's output (Panickssery et
al. 2024, contrastive activation addition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from alignment.steering import Floats, States, Steering
from papi.errors import UsageError


@dataclass(frozen=True, eq=False)
class Architecture:
    """Where a model can be steered: its decoder layers, and those of them with `self_attn.o_proj`.

    `heads` and `head_width` describe the input of `o_proj`; `skipped` are the layers without one.
    """

    layers: tuple[nn.Module, ...]
    projections: dict[int, nn.Module]
    heads: int
    head_width: int
    hidden: int

    def shape(self, what: States) -> tuple[int, ...]:
        """The shape of the states of one token: (layers, heads, head width) or (layers, hidden width)."""
        return (len(self.layers), *((self.heads, self.head_width) if what == "heads" else (self.hidden,)))

    @property
    def skipped(self) -> tuple[int, ...]:
        """The layers whose heads cannot be steered."""
        return tuple(number for number in range(len(self.layers)) if number not in self.projections)


def architecture_of(model: Any) -> Architecture:
    """Find the layers of a causal language model. Raises `UsageError` for a model without any `self_attn.o_proj`."""
    decoders = [model.get_decoder() if hasattr(model, "get_decoder") else model, getattr(model, "model", model)]
    layers = next((tuple(decoder.layers) for decoder in decoders if hasattr(decoder, "layers")), ())
    found = {
        i: layer.self_attn.o_proj
        for i, layer in enumerate(layers)
        if hasattr(getattr(layer, "self_attn", None), "o_proj")
    }
    if not found:
        raise UsageError(
            "this model cannot be steered: none of its layers has self_attn.o_proj",
            got=type(model).__name__,
            next_step="take a model such as Llama, Mistral, Qwen 2 or 3, or Gemma",
        )
    config = model.config.get_text_config()
    heads = int(config.num_attention_heads)
    width = int(next(iter(found.values())).in_features)
    return Architecture(layers, found, heads, width // heads, int(config.hidden_size))


@contextmanager
def steered(
    parts: Architecture,
    rows: Sequence[Steering | None],
    lengths: Sequence[int] | None = None,
    starts: Sequence[int] = (),
) -> Iterator[None]:
    """Within the block, row r of every batch has `rows[r]` added. The hooks are always taken away again.

    With `lengths` the rows are packed: they are so many tokens each of a single sequence. With `starts` a row is
    steered from that token on. Raises `UsageError` where a
    vector has another shape than the model.
    """
    with ExitStack() as hooks:
        for number, vectors in _per_layer(parts, rows, "heads").items():
            hook = _adds_to_input(_placed(vectors, lengths), starts)
            hooks.callback(parts.projections[number].register_forward_pre_hook(hook).remove)
        for number, vectors in _per_layer(parts, rows, "residual").items():
            after = _adds_to_output(_placed(vectors, lengths), starts)
            hooks.callback(parts.layers[number].register_forward_hook(after).remove)
        yield


@contextmanager
def recorded(parts: Architecture, what: States) -> Iterator[dict[int, list[Tensor]]]:
    """Within the block, the states of every forward are kept: by layer, (batch, tokens, width).

    `heads` are the inputs of `o_proj`, `residual` the outputs of the layers.
    """
    kept: dict[int, list[Tensor]] = {}
    with ExitStack() as hooks:
        for number, module in (parts.projections if what == "heads" else dict(enumerate(parts.layers))).items():
            kept[number] = []
            if what == "heads":
                hooks.callback(module.register_forward_pre_hook(_keeps_input(kept[number])).remove)
            else:
                hooks.callback(module.register_forward_hook(_keeps_output(kept[number])).remove)
        yield kept


def _per_layer(parts: Architecture, rows: Sequence[Steering | None], what: States) -> dict[int, Floats]:
    """By layer the vectors of all rows, (rows, width), where any row has one."""
    shape = parts.shape(what)
    given = [(row, getattr(each, what)) for row, each in enumerate(rows) if each and getattr(each, what) is not None]
    if not given:
        return {}
    every = np.zeros((shape[0], len(rows), int(np.prod(shape[1:]))), dtype=np.float32)
    for row, vectors in given:
        if vectors.shape != shape:
            raise UsageError("the steering is of another model", expected=f"{what} {shape}", got=str(vectors.shape))
        every[:, row] = vectors.reshape(shape[0], -1)
    return {int(layer): every[layer] for layer in np.flatnonzero(every.any(axis=(1, 2)))}


def _placed(vectors: Floats, lengths: Sequence[int] | None) -> Floats:
    """Vectors a row where a forward has them: (rows, 1, width), or packed (1, tokens, width)."""
    return vectors[:, None] if lengths is None else np.repeat(vectors, lengths, axis=0)[None]


def _added(values: Tensor, vectors: Floats, starts: Sequence[int]) -> Tensor:
    """`values` (batch, tokens, width) plus `vectors`, of a shape that fits, in each row from the token `starts` on."""
    more = torch.from_numpy(vectors).to(values.device, values.dtype)
    if any(starts) and values.shape[1] > 1:  # a single token is one that is being written
        places = torch.arange(values.shape[1], device=values.device)
        more = more * (places >= torch.tensor(starts, device=values.device)[:, None])[..., None]
    return values + more


def _adds_to_input(vectors: Floats, starts: Sequence[int]) -> Callable[..., Any]:
    def hook(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (_added(arguments[0], vectors, starts), *arguments[1:])

    return hook


def _adds_to_output(vectors: Floats, starts: Sequence[int]) -> Callable[..., Any]:
    def hook(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> Any:
        if isinstance(output, tuple):
            return (_added(output[0], vectors, starts), *output[1:])
        return _added(output, vectors, starts)

    return hook


def _keeps_input(kept: list[Tensor]) -> Callable[..., Any]:
    def hook(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        kept.append(arguments[0].detach())

    return hook


def _keeps_output(kept: list[Tensor]) -> Callable[..., Any]:
    def hook(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        kept.append((output[0] if isinstance(output, tuple) else output).detach())

    return hook
