"""Seconds of PAS's fit beside those of trainings, and of a step of DPO beside TRL's, on the pocket respondent.

    python benchmarks/training_speed.py [--alone 3] [--subjects 20] [--people 20000] [--out FOLDER]

One thread, one run. A fit holds heads, directions and the strength (or the whole training), without the test pass. It
is timed for subjects in a run, what is shared by all of them counted in, and for single ones that share nothing. A
step of DPO is one batch of 16 of the same questions, the same adapter and the same model; TRL with its defaults, and
with the untrained model's log-probabilities computed beforehand. TRL has no PPO. TRL's figures need
`pip install 'palign-papi[trl]'`; without it they are left out, and that is said. Prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import logging
import statistics
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import report
from pocket_ladder import release_in
from threadpoolctl import threadpool_limits

from alignment.adapter import TARGETS
from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.hyperparameters import defaults
from alignment.methods.contract import Context, answered
from alignment.methods.registry import methods
from alignment.model_settings import POCKET, ModelSettings
from alignment.prompts import read_prompts
from alignment.respondent.adapters import fresh_adapter
from alignment.respondent.loading import load_respondent
from alignment.respondent.respondent import Respondent
from alignment.sharing import Share
from alignment.training.fitting import given_material
from alignment.training.objectives import objective_of
from alignment.training.trainer import Lesson, train
from papi.instruments import IPIP_300, TEST_POPULATION

FITTED = ("pas", "pas-few-shot", "sft", "dpo", "dpo-graded", "epg", "ppo")
FIRST, LAST = 10, 60  # steps between which a step is timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alone", type=int, default=3)
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path("pocket-ladder"))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    benchmark = read_benchmark(release_in(chosen.out, chosen.people), IPIP_300, TEST_POPULATION)
    someone = load_respondent(ModelSettings(POCKET), read_prompts(IPIP_300), "forward", Share())
    with threadpool_limits(1):
        alone = {name: alone_seconds(name, benchmark, someone, chosen.alone) for name in FITTED}
        in_run = {name: run_seconds(name, benchmark, someone, chosen.subjects) for name in FITTED}
        steps = {"own": own_step(benchmark, someone)}
        if find_spec("trl"):
            for name, before in (("TRL's default", False), ("TRL, reference computed beforehand", True)):
                steps[name] = trl_step(benchmark, someone, precomputed=before)
        else:
            print("TRL's figures are left out: it is not installed", flush=True)
    figures: dict[str, Any] = {"alone": alone, "in a run": in_run}
    for name, seconds in tuple(figures.items()):
        figures[f"{name}, against pas"] = {method: round(own / seconds["pas"], 1) for method, own in seconds.items()}
    figures["a step of dpo"] = {name: round(seconds, 4) for name, seconds in steps.items()}
    figures["steps against ours"] = {name: round(seconds / steps["own"], 2) for name, seconds in steps.items()}
    if len(steps) > 1:
        whole = steps["TRL's default"] * defaults()["dpo"]["steps"]
        figures["TRL's dpo, 250 steps"] = round(whole, 2)
        figures["TRL's dpo, against pas"] = {
            name: round(whole / figures[name]["pas"], 1) for name in ("alone", "in a run")
        }
    report("seconds of fits and steps", [(name, str(value)) for name, value in figures.items()], figures)


def run_seconds(name: str, benchmark: Benchmark, someone: Respondent, subjects: int) -> float:
    """The mean over subjects that share a context, as in a run; a tenth of them for PPO."""
    count = max(2, subjects // 10) if name == "ppo" else subjects
    context = Context(benchmark)
    start = time.perf_counter()
    for subject in benchmark.subjects[:count]:
        methods()[name].fit(subject, someone, context)
    seconds = (time.perf_counter() - start) / count
    print(f"{name} in a run of {count}: {seconds:.3f} s", flush=True)
    return round(seconds, 3)


def alone_seconds(name: str, benchmark: Benchmark, someone: Respondent, subjects: int) -> float:
    """The median over subjects, each with a context of its own, so that nothing is made once for all."""
    seconds = []
    for subject in benchmark.subjects[:subjects]:
        context = Context(benchmark)
        start = time.perf_counter()
        methods()[name].fit(subject, someone, context)
        seconds.append(time.perf_counter() - start)
    print(f"{name} alone: {statistics.median(seconds):.3f} s", flush=True)
    return round(statistics.median(seconds), 3)


def own_step(benchmark: Benchmark, someone: Respondent) -> float:
    chosen, subject = defaults()["dpo"], benchmark.subjects[0]
    context = Context(benchmark)
    items = answered(subject.given)
    material = given_material(someone, context)
    lesson = Lesson(material, items, subject.given[items], objective_of("dpo", chosen), chosen, 0)
    times = {}
    with fresh_adapter(someone.scorer, int(chosen["rank"]), int(chosen["alpha"]), 0):
        for step in train(lesson, [FIRST, LAST]):
            times[step] = time.perf_counter()
    return (times[LAST] - times[FIRST]) / (LAST - FIRST)


def trl_step(benchmark: Benchmark, someone: Respondent, *, precomputed: bool) -> float:
    """TRL's own trainer and preparation on the prompts, answers and rejected letters of the same subject."""
    import warnings

    import trl
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig
    from transformers import TrainerCallback

    warnings.simplefilter("ignore")  # what TRL and peft announce for their next versions
    logging.disable(logging.WARNING)
    disable_progress_bars()
    times: dict[int, float] = {}

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
            times[state.global_step] = time.perf_counter()

    chosen = defaults()["dpo"]
    tokenizer = copy.deepcopy(someone.tokenizer)
    tokenizer.eos_token = tokenizer.eos_token or tokenizer.pad_token  # TRL ends every text; the pocket model has no end
    lora = LoraConfig(
        r=int(chosen["rank"]), lora_alpha=int(chosen["alpha"]), target_modules=list(TARGETS), lora_dropout=0.0
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = trl.DPOConfig(
            output_dir=folder, max_steps=LAST, per_device_train_batch_size=int(chosen["batch"]), beta=chosen["beta"],
            learning_rate=chosen["learning_rate"], use_cpu=someone.scorer.device.type == "cpu", bf16=False,
            report_to="none", save_strategy="no",
            logging_strategy="no", disable_tqdm=True, precompute_ref_log_probs=precomputed,
        )  # fmt: skip
        trainer = trl.DPOTrainer(
            model=copy.deepcopy(someone.model), args=arguments, peft_config=lora, callbacks=[Clock()],
            train_dataset=Dataset.from_list(_preferences(benchmark, someone, benchmark.subjects[0])),
            processing_class=tokenizer,
        )  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
    return (times[LAST] - times[FIRST]) / (LAST - FIRST)


def _preferences(benchmark: Benchmark, someone: Respondent, subject: Subject) -> list[dict[str, str]]:
    from alignment.respondent.chat import Turn

    wording, system = someone.wording, someone.wording.system()
    letters = dict(zip(wording.responses, "ABCDE", strict=True))
    rows = []
    for item in np.flatnonzero((subject.given != 0) & (subject.given != 3)):
        answer = int(subject.given[item])
        prompt = someone.chat.text(system, Turn(wording.question(benchmark.given[item]), wording.asked))
        rows.append({"prompt": prompt, "chosen": letters[answer], "rejected": letters[1 if answer > 3 else 5]})
    return rows


if __name__ == "__main__":
    main()
