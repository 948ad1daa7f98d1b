"""`papi align`: models that answer as a person would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from papi.cli import align_options as options
from papi.cli.align_export import export
from papi.cli.align_judge import judge
from papi.cli.align_pocket import demo, pocket_train
from papi.cli.align_report import report
from papi.cli.console import complain, examples, print_json, print_table, progress_lines
from papi.errors import GateFailed

if TYPE_CHECKING:
    from alignment.runs.loop import RunReport

align = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Models that answer as a person would.")

RUN_EXAMPLES = examples(
    "papi align run papi-demo/release --method ridge --out runs/floors",
    "papi align run papi-demo/release --model pocket --method pas --subjects 20 --out runs/pocket",
    "papi align run palign/papi --revision v1.0.0 --model Qwen/Qwen3-8B --method steering --out runs/8b",
    "papi align run palign/papi --model gpt-4o --api-url https://api.openai.com/v1 --method few-shot-120 --out runs/4o",
    "torchrun --nproc-per-node 4 -m papi align run release --model MODEL --method pas --out runs/shared",
)


def run(
    release: options.Release, method: options.Method, out: options.Out, model: options.Model = None,
    config: options.Config = "ipip-neo-300", split: options.Split = "test", subjects: options.Subjects = None,
    labels: options.Labels = "responses", prompts: options.Prompts = None,
    option_order: options.OptionOrder = "forward", descriptions: options.Descriptions = None,
    seed: options.Seed = 0, dtype: options.Dtype = None, quantize: options.Quantize = None,
    attn: options.Attn = None, device_map: options.DeviceMap = None, model_revision: options.ModelRevision = None,
    revision: options.Revision = None, min_mass: options.MinMass = 0.5, api_url: options.ApiUrl = None,
    concurrency: options.Concurrency = None, retries: options.Retries = None, timeout: options.Timeout = None,
    requests_per_minute: options.RequestsPerMinute = None, price_sent: options.PriceSent = None,
    price_written: options.PriceWritten = None, processes: options.Processes = None, seeds: options.Seeds = 3,
    set_: options.Set = None, open_: options.Open = None, own: options.Own = None,
    most_tokens: options.MostTokens = None, save_adapters: options.SaveAdapters = False,
    retry_failed: options.RetryFailed = False,
) -> None:  # fmt: skip
    """Run methods over the subjects of a test split; go on where an earlier run ended."""
    from alignment.model_settings import ModelSettings
    from alignment.runs.settings import RunSettings
    from alignment.runs.start import run as run_methods
    from alignment.sharing import share_of

    share = share_of(processes=processes)
    api = options.api_settings(
        "--api-url", api_url, concurrency, retries, timeout, requests_per_minute, price_sent, price_written
    )
    if model is None:
        options.refuse_without_model(
            model_revision=model_revision, dtype=dtype, quantize=quantize, attn=attn, device_map=device_map,
            api_url=api_url,
        )  # fmt: skip
    named = ModelSettings(model, model_revision, dtype, quantize, attn, device_map, api) if model else None
    settings = RunSettings(
        release, tuple(method), named, config, split, subjects, labels, prompts, option_order, descriptions, seed,
        min_mass, revision, retry_failed, seeds, tuple(set_ or ()), save_adapters,
        options.open_settings(open_, own, most_tokens),
    )  # fmt: skip
    advice = ADVICE_ON_SERVERS if api else ADVICE_ON_MODELS
    _show_run(run_methods(settings, out, share, progress_lines()), out, advice)


# What to do about a method without any result.
ADVICE_ON_SERVERS = (
    "see that the server answers at --api-url and has this --model, or take a lower --min-mass (in a new --out), and if"
    " it may go better now --retry-failed"
)
ADVICE_ON_MODELS = (
    "take an instruction-tuned model, other --prompts, a lower --min-mass (in a new --out) or more memory, and if it"
    " may go better now --retry-failed"
)


def _show_run(report: RunReport, out: Path, advice: str) -> None:
    for name in dict.fromkeys(failure["method"] for failure in report.failures):
        reasons = [failure["reason"] for failure in report.failures if failure["method"] == name]
        complain(f"{name}: {len(reasons)} left out, the first since {reasons[0]} (all in failures.jsonl)")
    left_out = f"{len(report.failures)} left out" if report.failures else "nobody left out"
    print(f"{out}: {report.done} answered, {report.before} were there before, {left_out}")
    for name, reason in report.hopeless.items():
        raise GateFailed(f"{name} has no result of any subject", got=reason, next_step=advice)
    if not report.complete:
        print("the rest is done by the other processes of this run; if they have ended early, run it again")


METHODS_EXAMPLES = examples("papi align methods", "papi align methods dpo ppo", "papi align methods training --json")


def methods(
    names: Annotated[list[str] | None, typer.Argument(help="Of these, or of these families, only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the methods: what they are and cost, whether they learn from the dev split, what --set may change."""
    from alignment.hyperparameters import defaults
    from alignment.methods.registry import ALL, chosen_methods

    found = chosen_methods(names or [ALL])
    if as_json:
        shown = ("name", "family", "sees_dev", "leaky", "cost", "meaning")
        each = [{name: getattr(m, name) for name in shown} | {"set": defaults().get(m.name, {})} for m in found]
        print_json(each)
        return
    rows = [
        [m.name, m.family, "yes" if m.sees_dev else "no", m.cost, m.meaning + (" (leaky)" if m.leaky else "")]
        for m in found
    ]
    print_table(("method", "family", "sees dev", "cost a subject", "meaning"), rows, "methods")
    settings = [[f"{m.name}.{key}", f"{value:g}"] for m in found for key, value in defaults().get(m.name, {}).items()]
    if names and settings:
        print_table(("--set", "default"), settings, "hyperparameters")


run.__doc__ = f"{run.__doc__}\n\n{RUN_EXAMPLES}"
methods.__doc__ = f"{methods.__doc__}\n\n{METHODS_EXAMPLES}"
align.command()(run)
align.command()(report)
align.command()(methods)
align.command()(judge)
align.command()(export)
align.command()(demo)
align.command("pocket-train")(pocket_train)
