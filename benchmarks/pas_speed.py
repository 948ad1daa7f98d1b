"""Seconds a subject: the published PAS beside ours, on the same random Llama and the same subjects, in one run.

    python benchmarks/pas_speed.py [--subjects 2] [--more 2] [--items 180] [--seed 0]

One thread. `published` is `benchmarks/published_algorithm.py`; ours are `pas-few-shot` and `pas` through the engine,
with the project's prompts (options before the statement, so that they are shared) and with prompts of the published
order. Each subject gets a context of its own, so that nothing is made once for all. Then the ridge probes of 300
subjects × 1,024 heads on two threads.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import report
from published_algorithm import Costs, Published
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from alignment.asking import Ask
from alignment.benchmark import Benchmark, Subject, read_benchmark
from alignment.methods import probes
from alignment.methods.contract import Context, Prompted
from alignment.methods.prompting import pairs_of
from alignment.methods.registry import methods
from alignment.prompts import Prompts, prompts_for, read_prompts
from alignment.respondent import scoring
from alignment.respondent.respondent import Respondent
from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import IPIP_300

PEOPLE = 2_000
LAYERS, HIDDEN, HEADS, INNER = 4, 256, 8, 688
LEAST_TOKENS = 1_400  # of all given answers in the prompt
VOCABULARIES = range(2000, 280, -20)
MARKS = ("<pad>", "<bos>", "<eos>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
# Texts of our own in the published structure: the statement first, the options after it; answers in one line.
PUBLISHED_ORDER = {
    "system": "You are an honest person who answers to the point.",
    "question": """Here is a statement about you: "You {item}."
Please say which of these options tells best how accurately it describes you.
Options:
{options}
""",
    "option": "({letter}). {label}",
    "item_when_asked": "lower case",
    "few_shot": "Below are some of the things you do and how far you find that they are true of you:{pairs}",
    "pair": "{item}:{label}",
    "pair_separator": ";",
}
MISSING_SHARE = 0.004  # of the answers, as among the real people
PROBED_SUBJECTS, PROBED_HEADS, PROBED_WIDTH, PROBED_ITEMS = 300, 1024, 128, 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=2, help="of the published algorithm and of ours")
    parser.add_argument("--more", type=int, default=2, help="further ones of ours")
    parser.add_argument("--items", type=int, default=180, help="held-out items asked on both sides, at most 180")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        benchmark = benchmark_of(Path(folder), options.seed)
        figures = _Speed(benchmark, options.items, options.seed).measure(options.subjects, options.more)
    figures |= _probe_seconds(options.seed)
    report("PAS, seconds a subject", [(name, _line(value)) for name, value in figures.items()], figures)


def _line(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def benchmark_of(work: Path, seed: int) -> Benchmark:
    """The split `test` of some simulated people, made at the first call."""
    if not (work / "release").is_dir():
        simulate(work / "raw", {IPIP_300: PEOPLE}, seed)
        build_release(work / "raw", work / "release", BuildOptions(only=(IPIP_300,), figures=False))
    return read_benchmark(work / "release", IPIP_300, "test")


class _Speed:
    """The two sides on one model, with everything that is the same for all subjects."""

    def __init__(self, benchmark: Benchmark, items: int, seed: int) -> None:
        self.whole, self.seed = benchmark, seed
        chosen = np.arange(0, len(benchmark.held_out), max(1, len(benchmark.held_out) // items))[:items]
        self.part = replace(
            benchmark,
            held_out=tuple(benchmark.held_out[i] for i in chosen),
            held_out_answers=benchmark.held_out_answers[:, chosen],
        )
        self.texts = {"ours": read_prompts(IPIP_300)}
        self.texts["published order"] = self.texts["ours"] | PUBLISHED_ORDER
        self.tokenizer = tokenizer_of(benchmark, list(self.texts.values()))
        self.model = _model(len(self.tokenizer), seed)

    def measure(self, both: int, more: int) -> dict[str, Any]:
        wording = prompts_for(self.texts["published order"] | {"assistant_when_asked": "Option"}, "forward")
        published = Published(self.model, self.tokenizer, wording)
        theirs: list[Costs] = []
        ours: dict[tuple[str, int], list[dict[str, float]]] = {}
        for number, subject in enumerate(self.part.subjects[: both + more]):
            if number < both:
                theirs.append(published.run(subject, self.part.given, self.part.held_out, self.seed))
            for method, texts in (("pas-few-shot", "ours"), ("pas-few-shot", "published order"), ("pas", "ours")):
                for benchmark in {len(each.held_out): each for each in (self.part, self.whole)}.values():
                    key = f"{method}, {texts}", len(benchmark.held_out)
                    ours.setdefault(key, []).append(self._ours(subject, benchmark, method, self.texts[texts]))
            print(f"{number + 1} of {both + more} subjects", flush=True)
        return self._figures(theirs, ours)

    def _ours(self, subject: Subject, benchmark: Benchmark, method: str, texts: dict[str, Any]) -> dict[str, float]:
        """One subject with a context and a respondent of its own."""
        parts: dict[str, float] = {}
        with _parts_timed(parts):
            start = time.perf_counter()
            someone = Respondent(self.model, self.tokenizer, texts)
            condition = methods()[method].fit(subject, someone, Context(benchmark, self.seed, min_mass=0.0))
            assert isinstance(condition, Prompted)
            someone.ask([Ask(condition.system, benchmark.held_out, condition.steering)])
            seconds = time.perf_counter() - start
        return {"seconds": seconds, "tokens": someone.tokens, **parts, "alpha": condition.fit["alpha"]}

    def _figures(self, theirs: list[Costs], ours: dict[tuple[str, int], list[dict[str, float]]]) -> dict[str, Any]:
        """Medians over subjects; `ratio` is the published algorithm's median over ours, for as many questions."""
        items, everything = len(self.part.held_out), len(self.whole.held_out)
        published = [asdict(costs) | {"seconds": costs.seconds} for costs in theirs]
        named = f"published, {items} items"
        seconds = {items: statistics.median(costs.seconds for costs in theirs)}
        figures: dict[str, Any] = {
            "subjects": {"published": len(theirs), "ours": len(next(iter(ours.values())))},
            "vocabulary": len(self.tokenizer),
            "tokens_of_the_answers": {name: self._told(texts) for name, texts in self.texts.items()},
            named: _medians(published),
        }
        if everything != items:  # the rest does not depend on how many are asked
            all_of_it = [c.states + c.probes + c.tests * everything / items for c in theirs]
            seconds[everything] = statistics.median(all_of_it)
            figures[f"published, {everything} items, extrapolated"] = {"seconds": round(seconds[everything], 1)}
        for (name, count), runs in ours.items():
            found = _medians(runs)
            figures[f"{name}, {count} items"] = found | {"ratio": round(seconds[count] / found["seconds"], 1)}
        return figures

    def _told(self, texts: dict[str, Any]) -> int:
        """Tokens of the given answers in the prompt, the median subject's."""
        wording, context = prompts_for(texts, "forward"), Context(self.whole)
        found = [len(self.tokenizer(_pairs(each, wording, context))["input_ids"]) for each in self.whole.subjects[:20]]
        return int(statistics.median(found))


def _medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Of each figure, with the least and the most seconds."""
    found = {key: round(float(statistics.median(run[key] for run in runs)), 2) for key in runs[0]}
    seconds = [run["seconds"] for run in runs]
    return {"seconds": found.pop("seconds"), "least": round(min(seconds), 2), "most": round(max(seconds), 2), **found}


def _pairs(subject: Subject, wording: Prompts, context: Context) -> str:
    return pairs_of(subject, wording, context, np.arange(len(subject.given)))


def tokenizer_of(benchmark: Benchmark, texts: list[dict[str, Any]]) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of the largest vocabulary with which the answers have enough tokens in either text."""
    context, prompts = Context(benchmark), [prompts_for(each, "forward") for each in texts]
    told = [_pairs(subject, wording, context) for wording in prompts for subject in benchmark.subjects[:20]]
    asked = [wording.question(question) for wording in prompts for question in benchmark.held_out]
    others = [wording.system(key, **fields) for wording in prompts for key, fields in _SYSTEMS.items()]
    for words in VOCABULARIES:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=words, special_tokens=list(MARKS), initial_alphabet=alphabet, show_progress=False
        )
        tokenizer.train_from_iterator([*told, *asked, *others, "Option (A Option (B Option"], trainer)
        if min(len(encoded.ids) for encoded in tokenizer.encode_batch(told)) >= LEAST_TOKENS:
            break
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")
    fast.chat_template = TEMPLATE
    return fast


_SYSTEMS: dict[str, dict[str, str]] = {"system": {}, "few_shot": {"pairs": ""}}


def _model(words: int, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=words,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=4096,
        initializer_range=0.1,
        pad_token_id=0,
    )
    config._attn_implementation = "sdpa"
    return LlamaForCausalLM(config).eval()


@contextmanager
def _parts_timed(parts: dict[str, float]) -> Iterator[None]:
    """Within the block the seconds of prefixes, of what follows them and of the probes are added up."""
    places: tuple[tuple[Any, str, str], ...] = (
        (scoring, "encode_prefixes", "prefixes"),
        (scoring.Scorer, "_letters", "suffixes"),
        (probes, "fit_ridge_probes", "probes"),
        (Respondent, "states", "states"),
    )
    before = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, part), call in zip(places, before, strict=True):
        parts[part] = 0.0
        setattr(owner, name, _counting(parts, part, call))
    yield
    for (owner, name, _), call in zip(places, before, strict=True):
        setattr(owner, name, call)


def _counting(parts: dict[str, float], part: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = call(*arguments, **named)
        parts[part] += time.perf_counter() - start
        return result

    return counted


def _probe_seconds(seed: int) -> dict[str, dict[str, float]]:
    """Ridge probes, scores, and weights of the best 24 heads, of all subjects; states shared. The median of three."""
    random = np.random.default_rng(seed)
    differences = random.standard_normal((PROBED_ITEMS, PROBED_HEADS, PROBED_WIDTH), dtype=np.float32)
    answers = random.integers(1, 6, (PROBED_SUBJECTS, PROBED_ITEMS)).astype(np.int8)
    answers[random.random(answers.shape) < MISSING_SHARE] = 0
    usable = np.ones(PROBED_HEADS, dtype=bool)
    runs = []
    with threadpool_limits(2):
        for _ in range(3):
            times = [time.perf_counter()]
            targets, asked = probes.graded(answers)
            fitted = probes.fit_ridge_probes(differences)
            times.append(time.perf_counter())
            scores = fitted.scores(targets, asked)
            times.append(time.perf_counter())
            for own, target, there in zip(scores, targets, asked, strict=True):
                fitted.weights(target, there, probes.best_heads(own, usable))
            times.append(time.perf_counter())
            fit, scored, weighed = np.diff(times)
            runs.append({"seconds": times[-1] - times[0], "fit": fit, "scores": scored, "weights": weighed})
    return {f"probes, {PROBED_SUBJECTS} subjects, {PROBED_HEADS} heads": _medians(runs)}


if __name__ == "__main__":
    main()
