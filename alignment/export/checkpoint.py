"""A steered or adapted model as a plain checkpoint that any program reads which reads such models."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig

from alignment.adapter import Adapter
from alignment.export.template import tell
from alignment.respondent.hooks import Architecture, architecture_of
from alignment.steering import Floats, Steering
from papi.errors import EnvironmentProblem, UsageError
from papi.files import write_json
from papi.tables import read_toml

ADVICE = "export the small file (--small), which all architectures take"
# What a configuration has of its own kind, and a model saved as another kind has not.
OWN = ("model_type", "architectures", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types")
BIASED = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


def save_checkpoint(
    model: Any, tokenizer: Any, out: Path, steering: Steering | None, adapter: Adapter | None, text: str | None
) -> None:
    """Write the model with the steering as biases, the adapter added to its weights, and the text in its template.

    Raises `UsageError` where the architecture cannot hold a bias, and what `refuse_what_no_checkpoint_holds` raises.
    """
    scope = None if steering is None else steering.scope
    refuse_what_no_checkpoint_holds(scope, quantised=bool(getattr(model, "is_quantized", False)))
    tokenizer = copy.deepcopy(tokenizer)
    if text is not None:
        tell(tokenizer, text)
    state = {name: weight.detach() for name, weight in model.state_dict().items()}
    if adapter is not None:
        state |= _adapted(state, adapter)
    config = copy.deepcopy(model.config)
    if steering is not None:
        parts = architecture_of(model)
        config, switches = _with_switches(model.config, steering)
        state |= _biases(model, parts, steering, switches)
    try:
        model.save_pretrained(str(out), state_dict=state)
    except (SafetensorError, OSError) as error:
        advice = "check free space and permissions, then export again"
        raise EnvironmentProblem("cannot write the model", where=str(out), got=str(error), next_step=advice) from error
    write_json(out / "config.json", config.to_dict())
    tokenizer.save_pretrained(str(out))


def refuse_what_no_checkpoint_holds(scope: str | None, *, quantised: bool) -> None:
    """Raise `UsageError` for quantised weights, and where only what follows the prefix is steered (`scope`)."""
    if scope == "suffix":
        what = "the method steers only what follows the shared text; a bias acts on every token"
        advice = "export a method that steers the whole prompt, such as pas or pas-published-cv"
        raise UsageError(what, next_step=advice)
    if quantised:
        raise UsageError("quantised weights cannot be saved as a plain checkpoint", next_step=ADVICE)


def _with_switches(config: Any, steering: Steering) -> tuple[Any, tuple[str, ...]]:
    """The configuration that has the biases, and which of `attention_bias` and `mlp_bias` it needed."""
    text = config.get_text_config()  # the config itself, but for models that see or hear too
    family = family_of(config)
    needed = [
        part for part, vectors in (("bias", steering.heads), ("residual", steering.residual)) if vectors is not None
    ]
    if lacking := [part for part in needed if part not in family]:
        what = f"a model of the type {text.model_type} has no bias that could hold the steering"
        got = "what is added to a layer's output" if "residual" in lacking else None
        raise UsageError(what, got=got, next_step=ADVICE)
    found = _as_another(config, family["as"]) if "as" in family else copy.deepcopy(config)
    switches = tuple(dict.fromkeys(family[part] for part in ("keeps", *needed) if part in family))
    for switch in switches:
        setattr(found.get_text_config(), switch, True)
    return found, switches


def family_of(config: Any) -> Mapping[str, Any]:
    """What `tables/export.toml` says of a model's type; empty for one that cannot hold a bias."""
    found: Mapping[str, Any] = read_toml("alignment", "export.toml").get(config.get_text_config().model_type, {})
    return found


def _as_another(config: Any, kind: str) -> Any:
    """The configuration of another type of the same weights. Raises `UsageError` where it would be another model."""
    if config.get_text_config() is not config:
        what = f"only the language part of a {config.model_type} could be saved as a {kind}"
        raise UsageError(what, next_step=ADVICE)
    facts = config.to_dict()
    _refuse_windows(facts)
    found = AutoConfig.for_model(kind, **{name: value for name, value in facts.items() if name not in OWN})
    found.architectures = [f"{kind.capitalize()}ForCausalLM"]
    return found


def _refuse_windows(facts: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a model with a sliding window, which a Llama has not."""
    used = facts.get("use_sliding_window", facts.get("sliding_window") is not None)
    if used and facts.get("sliding_window") is not None:
        what = "a model with a sliding window cannot be saved as a Llama, which has biases and no window"
        raise UsageError(what, got=str(facts["sliding_window"]), next_step=ADVICE)


def _biases(model: Any, parts: Architecture, steering: Steering, switches: tuple[str, ...]) -> dict[str, Tensor]:
    """Biases for all layers: those that the switches ask for are zero but where there is something to add."""
    names = {id(module): name for name, module in model.named_modules()}
    found: dict[str, Tensor] = {}
    for number, layer in enumerate(parts.layers):
        prefix = names[id(layer)]
        for switch, room, projections in (("attention_bias", "self_attn", BIASED), ("mlp_bias", "mlp", MLP)):
            if switch in switches:
                for each in projections:
                    module = layer.get_submodule(f"{room}.{each}")
                    found[f"{prefix}.{room}.{each}.bias"] = _own_bias(module)
        if steering.heads is not None:
            name = f"{prefix}.self_attn.o_proj.bias"
            found[name] = found[name] + _through(parts.projections[number], steering.heads[number])
        if steering.residual is not None:
            name = f"{prefix}.mlp.down_proj.bias"
            found[name] = found[name] + torch.from_numpy(steering.residual[number]).to(found[name])
    return found


def _own_bias(module: Any) -> Tensor:
    """The bias that a projection has, or zeros."""
    if module.bias is not None:
        own: Tensor = module.bias.detach()
        return own
    return torch.zeros(module.out_features, dtype=module.weight.dtype, device=module.weight.device)


def _through(projection: Any, vectors: Floats) -> Tensor:
    """What a vector at the input of a projection adds to its output, computed in float32."""
    weight = projection.weight.detach()
    added: Tensor = weight.float() @ torch.from_numpy(vectors.reshape(-1)).to(weight.device)
    return added.to(weight.dtype)


def _adapted(state: Mapping[str, Tensor], adapter: Adapter) -> dict[str, Tensor]:
    """The adapted weights: W + (alpha / rank) B A."""
    found = {}
    for key, down in adapter.weights.items():
        if not key.endswith("lora_A.weight"):
            continue
        up = adapter.weights[key.replace("lora_A", "lora_B")]
        name = key.replace("lora_A.weight", "weight")
        change = torch.from_numpy(up).double() @ torch.from_numpy(down).double() * (adapter.alpha / adapter.rank)
        weight = state[name]
        found[name] = (weight.double() + change.to(weight.device)).to(weight.dtype)  # rounded once
    return found
