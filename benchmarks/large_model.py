"""Fits and memory on a model of a large one's shape, with random weights, on whatever accelerator there is.

    python benchmarks/large_model.py [--shape llama-3-8b] [--quantize nf4] [--subjects 2] [--work FOLDER]

For each method, in a run of so many subjects, the seconds of a fit, those of asking the held-out items, and the most
memory meanwhile (on a CPU: of the process so far); a step of DPO beside TRL's, where it is installed. The weights
(16 GB in bfloat16 for the 8B shape) are written into the folder once. `--shape small` tries it on a CPU.
"""

from __future__ import annotations

import argparse
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import report
from pas_speed import benchmark_of, tokenizer_of
from training_speed import own_step, trl_step
from transformers import AutoModelForCausalLM, LlamaConfig

from alignment.asking import Ask
from alignment.benchmark import Benchmark
from alignment.methods.contract import Context, Prompted
from alignment.methods.registry import methods
from alignment.model_settings import ModelSettings
from alignment.prompts import read_prompts
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.runs.progress import forget_peak_memory, peak_memory
from alignment.sharing import Share
from papi.instruments import IPIP_300

SHAPES: dict[str, dict[str, Any]] = {
    "llama-3-8b": {
        "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192, "rope_theta": 500_000.0,
    },
    "small": {
        "vocab_size": 4096, "hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 8192,
    },
}  # fmt: skip
MEASURED = ("no-change", "few-shot-120", "pas", "pas-few-shot", "sft", "dpo", "dpo-graded", "epg", "ppo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="llama-3-8b")
    parser.add_argument("--quantize", choices=["nf4"])
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("large-model"))
    chosen = parser.parse_args()
    benchmark = benchmark_of(chosen.work / "data", 0)
    folder = model_in(chosen.work / chosen.shape, chosen.shape, benchmark)
    settings = ModelSettings(str(folder), quantize=chosen.quantize)
    someone = load_respondent(settings, read_prompts(IPIP_300), "forward", Share())
    found = {name: measured(name, benchmark, someone, chosen.subjects) for name in MEASURED}
    figures: dict[str, Any] = {"shape": chosen.shape, "dtype": str(someone.model.dtype), "quantize": chosen.quantize}
    figures |= {"device": str(someone.scorer.device), "methods": found}
    figures["fits against pas"] = {name: round(each["fit"] / found["pas"]["fit"], 1) for name, each in found.items()}
    figures["a step of dpo"] = {name: round(seconds, 4) for name, seconds in steps(benchmark, someone).items()}
    report("fits on a large model", [(name, str(value)) for name, value in figures.items()], figures)


def model_in(folder: Path, shape: str, benchmark: Benchmark) -> Path:
    """The folder of a model of that shape with random weights in bfloat16, written at the first call."""
    if not (folder / "config.json").exists():
        torch.manual_seed(0)
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = AutoModelForCausalLM.from_config(LlamaConfig(**SHAPES[shape], pad_token_id=0), dtype=torch.bfloat16)
        beside = folder.with_name(f"{folder.name}.new")
        tokenizer_of(benchmark, [read_prompts(IPIP_300)]).save_pretrained(beside)
        model.save_pretrained(beside)
        beside.rename(folder)
    return folder


def measured(name: str, benchmark: Benchmark, someone: Respondent, subjects: int) -> dict[str, float]:
    """Mean seconds of a fit and of asking, and the peak of memory."""
    forget_peak_memory()
    context = Context(benchmark, min_mass=0.0)
    times = [time.perf_counter()]
    for subject in benchmark.subjects[:subjects]:
        condition = methods()[name].fit(subject, someone, context)
        assert isinstance(condition, Prompted)
        times.append(time.perf_counter())
        someone.ask([Ask(condition.system, benchmark.held_out, condition.steering)], condition.adapter)
        times.append(time.perf_counter())
    fit, asking = (float(np.diff(times)[start::2].mean()) for start in (0, 1))
    gigabytes = peak_memory() / 1e9
    print(f"{name}: fit {fit:.3f} s, asking {asking:.3f} s, {gigabytes:.2f} GB", flush=True)
    return {"fit": round(fit, 4), "asking": round(asking, 4), "gigabytes": round(gigabytes, 3)}


def steps(benchmark: Benchmark, someone: Respondent) -> dict[str, float]:
    """Seconds of a step of DPO, our own and TRL's."""
    found = {"own": own_step(benchmark, someone)}
    if find_spec("trl") and not getattr(someone.model, "is_quantized", False):
        for name, before in (("TRL's default", False), ("TRL, reference computed beforehand", True)):
            found[name] = trl_step(benchmark, someone, precomputed=before)
    else:
        print("TRL's steps are left out: it is not installed, or the weights are quantised", flush=True)
    return found


if __name__ == "__main__":
    main()
