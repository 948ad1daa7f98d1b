"""Loading a model and its tokenizer, and saying exactly which they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging

from alignment.model_settings import POCKET, ModelSettings
from alignment.pocket import CHECKPOINT
from alignment.respondent.respondent import Respondent
from alignment.sharing import Share
from papi.errors import EnvironmentProblem, MissingFile, UsageError
from papi.files import sha256_of_file
from papi.hub_answers import hub_answers
from papi.words import joined

IDENTIFYING = (
    "*.json",
    "*.safetensors",
    "*.bin",
    "*.model",
    "*.jinja",
    "*.txt",
    "*.tiktoken",
)  # config, weights, tokenizer
WEIGHTS = ("*.safetensors", "*.bin")
TOKENIZERS = ("tokenizer*", "*.model", "*.tiktoken", "vocab*")
PACKAGES = ("torch", "transformers", "tokenizers", "accelerate", "peft", "bitsandbytes")


def load_respondent(settings: ModelSettings, texts: dict[str, Any], option_order: str, share: Share) -> Respondent:
    """The model of some settings as a respondent.

    Raises `UsageError` where there is no such model or it cannot be loaded that way, `RemoteFailed` where the Hub does
    not answer.
    """
    if settings.device_map and share.world > 1:
        advice = "leave --device-map out, or start a single process"
        raise UsageError("a model spread over devices cannot be shared among processes", next_step=advice)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # progress is the run's to show
    getLogger("bitsandbytes").setLevel(ERROR)  # it asks for a package that nothing here needs
    name = str(CHECKPOINT) if settings.name == POCKET else settings.name
    with _explained(settings):
        tokenizer = AutoTokenizer.from_pretrained(name, revision=settings.revision or "main")
        model: Any = AutoModelForCausalLM.from_pretrained(name, **_arguments(settings, share))
        if not settings.device_map and not settings.quantize:
            model.to(_device(share))
    _keep_unpacked(model)
    return Respondent(model, tokenizer, texts, option_order)


def identity_of(settings: ModelSettings, respondent: Respondent) -> dict[str, Any]:
    """What says exactly which model it is: the commit of one on the Hub, the hashes of a folder's files."""
    config = respondent.model.config
    folder = CHECKPOINT if settings.name == POCKET else Path(settings.name)
    files = sorted(path for pattern in IDENTIFYING for path in folder.glob(pattern)) if folder.is_dir() else []
    return {
        "name": settings.name,
        "revision": settings.revision,
        "commit": None if files else getattr(config, "_commit_hash", None),
        "files": {path.name: sha256_of_file(path) for path in files},
        "architecture": type(respondent.model).__name__,
        "dtype": str(respondent.model.dtype).removeprefix("torch."),
        "quantize": settings.quantize,
        "attention": config._attn_implementation,
        "device_map": settings.device_map,
        "device": respondent.scorer.device.type,
        "unsteered_layers": list(respondent.scorer.parts.skipped),
    }


def package_versions() -> dict[str, str]:
    """The versions of the packages that answers depend on."""
    return {name: version(name) for name in PACKAGES}


def _arguments(settings: ModelSettings, share: Share) -> dict[str, Any]:
    on_gpu = torch.cuda.is_available()
    dtype = settings.dtype or ("bfloat16" if on_gpu or settings.quantize else "float32")
    found: dict[str, Any] = {"revision": settings.revision or "main", "dtype": getattr(torch, dtype)}
    if settings.attention:
        found["attn_implementation"] = settings.attention
    if settings.quantize:
        found["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        )
    if settings.device_map or settings.quantize:
        found["device_map"] = settings.device_map or {"": str(_device(share))}
    return found


def _keep_unpacked(model: Any) -> None:
    """Keep bitsandbytes (0.50.2) from repacking 4-bit weights on CPUs with AVX512-BF16 at the first forward.

    Through repacked weights no gradient flows, without a word, and only widths that divide by 64 can be repacked.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _device(share: Share) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", share.local % torch.cuda.device_count())


def _refuse_incomplete(folder: Path) -> None:
    """Raise `MissingFile` where a folder lacks a part of a model."""
    advice = "name a folder that save_pretrained of a model and of its tokenizer wrote, or a model of the Hub"
    if not folder.is_dir():
        raise MissingFile("there is no such folder with a model", where=str(folder), next_step=advice)
    parts = {"config.json": ("config.json",), "weights": WEIGHTS, "a tokenizer": TOKENIZERS}
    missing = [name for name, patterns in parts.items() if not any(any(folder.glob(each)) for each in patterns)]
    if missing:
        what = f"the model's folder lacks {joined(missing)}"
        raise MissingFile(what, where=str(folder), expected=", ".join(parts), next_step=advice)


@contextmanager
def _explained(settings: ModelSettings) -> Iterator[None]:
    """The libraries' many complaints as the project's errors."""
    where = settings.name
    if settings.is_folder and settings.name != POCKET:
        _refuse_incomplete(Path(where))
    try:
        yield
    except torch.OutOfMemoryError as error:
        advice = "take a smaller model, --quantize nf4, or --device-map auto"
        raise EnvironmentProblem(f"the model {where} does not fit into the memory", next_step=advice) from error
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        if isinstance(error, OSError) and isinstance(error.__cause__, Exception):  # what the Hub's client met with
            with hub_answers(f"get the model {where} (there is no folder of that name)", where):
                raise error.__cause__ from None
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        advice = "check --model, --model-revision, --dtype, --attn, --quantize; a folder has config, weights, tokenizer"
        raise UsageError(f"the model {where} cannot be loaded", got=reason, next_step=advice) from error
