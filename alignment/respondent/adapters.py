"""Adapters on a model: put on, taken off without a trace, merged, saved and loaded in peft's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from alignment.adapter import TARGETS, Adapter
from alignment.respondent.scoring import Scorer
from papi.errors import InputRejected, UsageError
from papi.files import make_folder, read_bytes, read_json, write_bytes, write_json

if TYPE_CHECKING:  # it takes seconds to import, and most methods have no adapter
    from peft import LoraConfig, LoraModel

NAME = "papi"
PREFIX = "base_model.model."  # of the names in peft's files
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@contextmanager
def fresh_adapter(scorer: Scorer, rank: int, alpha: int, seed: int) -> Iterator[LoraModel]:
    """Within the block the model has a new adapter, which changes nothing yet (B = 0) and can be trained."""
    with _attached(scorer, _config(rank, alpha), seed) as lora:
        yield lora


@contextmanager
def adapted(scorer: Scorer, adapter: Adapter | None) -> Iterator[None]:
    """Within the block the model has an adapter. Raises `UsageError` for one of another model."""
    if adapter is None:
        yield
        return
    with _attached(scorer, _config(adapter.rank, adapter.alpha)) as lora:
        load_weights(lora, adapter)
        yield


def adapter_of(lora: LoraModel) -> Adapter:
    """The weights of an adapter that is on a model, as they are now."""
    from peft import get_peft_model_state_dict

    config: Any = lora.peft_config[NAME]
    state = get_peft_model_state_dict(lora.model, adapter_name=NAME)
    weights = {key: value.detach().float().cpu().numpy().copy() for key, value in sorted(state.items())}
    return Adapter(int(config.r), int(config.lora_alpha), weights)


def merged(adapters: Sequence[Adapter], weights: Sequence[float]) -> Adapter:
    """The weighted sum of some adapters, exactly: its rank is the sum of theirs.

    As peft's `combination_type="cat"`, in float32 whatever the model's type: the factors stand side by side, the weight
    and each adapter's own scale in B. (peft's `linear` adds the factors, not their products: no sum of adapters.)
    """
    rank, found = sum(each.rank for each in adapters), {}
    for key in adapters[0].weights:
        parts = [each.weights[key] for each in adapters]
        if "lora_B" in key:
            scales = [np.float32(w * a.alpha / a.rank) for w, a in zip(weights, adapters, strict=True)]
            found[key] = np.concatenate([scale * part for scale, part in zip(scales, parts, strict=True)], axis=1)
        else:
            found[key] = np.concatenate(parts, axis=0)
    return Adapter(rank, rank, found)


def save_adapter(adapter: Adapter, folder: Path, model_name: str) -> None:
    """Write an adapter as peft does, for `PeftModel.from_pretrained(model, folder)`."""
    make_folder(folder)
    config = _config(adapter.rank, adapter.alpha).to_dict()  # type: ignore[no-untyped-call]
    lists = {key: sorted(value) for key, value in config.items() if isinstance(value, set)}
    named = {PREFIX + key: np.ascontiguousarray(value) for key, value in adapter.weights.items()}
    write_bytes(folder / WEIGHTS, save(named))
    write_json(folder / CONFIG, config | lists | {"base_model_name_or_path": model_name, "inference_mode": True})


def load_adapter(folder: Path) -> Adapter:
    """An adapter from a folder that `save_adapter` wrote. Raises `InputRejected` where it is none."""
    try:
        config, found = read_json(folder / CONFIG), load(read_bytes(folder / WEIGHTS))
        weights = {key.removeprefix(PREFIX): value for key, value in found.items()}
        return Adapter(int(config["r"]), int(config["lora_alpha"]), weights)
    except (ValueError, TypeError, KeyError, SafetensorError) as error:
        raise InputRejected("the folder holds no adapter", where=str(folder), got=repr(error)) from error


def is_adapter(folder: Path) -> bool:
    """Whether an adapter was written into a folder to its end."""
    return (folder / CONFIG).is_file()


def _config(rank: int, alpha: int) -> LoraConfig:
    from peft import LoraConfig

    return LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=list(TARGETS), lora_dropout=0.0, bias="none", task_type="CAUSAL_LM"
    )


@contextmanager
def _attached(scorer: Scorer, config: LoraConfig, seed: int = 0) -> Iterator[LoraModel]:
    """An adapter on the model; the places where it is steered are looked up anew, since layers are wrapped meanwhile.

    Adapter weights are float32 whatever the model's, so that small steps of training are not lost.
    """
    from peft import LoraModel

    trainable = [weight for weight in scorer.model.parameters() if weight.requires_grad]
    try:
        with torch.random.fork_rng(_devices(scorer.device)):
            torch.manual_seed(seed)
            lora: Any = LoraModel(scorer.model, {NAME: config}, NAME)
        for name, weight in scorer.model.named_parameters():
            if "lora_" in name:
                weight.data = weight.data.float()
        scorer.look_up_parts()
        yield lora
    finally:
        _take_off(scorer.model)
        for weight in trainable:
            weight.requires_grad_(True)
        scorer.look_up_parts()


def _take_off(model: Any) -> None:
    """Put back the layers that adapters have wrapped, all of them or those that there was memory for."""
    from peft.tuners.lora import LoraLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            room, _, own = name.rpartition(".")
            setattr(model.get_submodule(room), own, module.base_layer)
    if hasattr(model, "peft_config"):
        del model.peft_config


def load_weights(lora: LoraModel, adapter: Adapter) -> None:
    """Put an adapter's weights in place of those on the model. Raises `UsageError` for one of another model."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    state = {key: torch.from_numpy(np.array(value)) for key, value in adapter.weights.items()}
    expected = {key: value.shape for key, value in get_peft_model_state_dict(lora.model, adapter_name=NAME).items()}
    if {key: value.shape for key, value in state.items()} != expected:
        got = f"{len(state)} weights, rank {adapter.rank}"
        raise UsageError("the adapter is of another model", expected=f"{len(expected)} weights", got=got)
    set_peft_model_state_dict(lora.model, state, adapter_name=NAME)


def _devices(device: torch.device) -> list[int]:
    return [device.index or 0] if device.type == "cuda" else []
