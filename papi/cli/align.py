"""`papi align`: models that answer as a person would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from papi.cli.align_export import export
from papi.cli.align_pocket import demo, pocket_train
from papi.cli.align_report import report
from papi.cli.console import complain, examples, path_option, print_json, print_table, progress_lines
from papi.errors import GateFailed

if TYPE_CHECKING:
    from alignment.runs.loop import RunReport

align = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Models that answer as a person would.")

RUN_EXAMPLES = examples(
    "papi align run papi-demo/release --method ridge --out runs/floors",
    "papi align run papi-demo/release --model pocket --method pas --subjects 20 --out runs/pocket",
    "papi align run palign/papi --revision v1.0.0 --model Qwen/Qwen3-8B --method all --out runs/8b",
    "papi align run palign/papi --model gpt-4o --api-url https://api.openai.com/v1 --method few-shot-120 --out runs/4o",
    "torchrun --nproc-per-node 4 -m papi align run release --model MODEL --method pas --out runs/shared",
)


def run(
    release: Annotated[str, typer.Argument(help="Folder of a release, or its repository on the Hub.")],
    method: Annotated[list[str], typer.Option(help="A method or family (papi align methods), or all; once or more.")],
    out: Annotated[Path, path_option("Folder of the run; one that is there is gone on with.")],
    model: Annotated[str | None, typer.Option(help="Folder or Hub name of a model, or pocket.")] = None,
    config: Annotated[str, typer.Option(help="ipip-neo-300 or dark-triad.")] = "ipip-neo-300",
    split: Annotated[str, typer.Option(help="test or test_population.")] = "test",
    subjects: Annotated[int | None, typer.Option(help="Only the first so many of the split.")] = None,
    labels: Annotated[str, typer.Option(help="responses, or published (the predecessor's).")] = "responses",
    prompts: Annotated[Path | None, path_option("Texts in place of the project's, TOML or JSON.")] = None,
    option_order: Annotated[str, typer.Option(help="forward, reversed or both (averaged).")] = "forward",
    descriptions: Annotated[Path | None, path_option("Texts about the subjects for p2, JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0)] = 0,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")] = None,
    quantize: Annotated[str | None, typer.Option(help="nf4.")] = None,
    attn: Annotated[str | None, typer.Option(help="sdpa, eager or flash_attention_2.")] = None,
    device_map: Annotated[str | None, typer.Option(help="auto spreads the model over the GPUs.")] = None,
    model_revision: Annotated[str | None, typer.Option(help="Revision of a model on the Hub.")] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a release on the Hub.")] = None,
    min_mass: Annotated[float, typer.Option(help="Least probability on the five letters.")] = 0.5,
    api_url: Annotated[str | None, typer.Option(help="Address of a server with chat completions (…/v1).")] = None,
    concurrency: Annotated[int, typer.Option(help="Requests at once, with --api-url.")] = 8,
    retries: Annotated[int, typer.Option(help="Attempts after a failed request, with --api-url.")] = 5,
    requests_per_minute: Annotated[int | None, typer.Option(help="At most, with --api-url.")] = None,
    price_sent: Annotated[float, typer.Option(help="Of a million tokens sent, for the estimate.", min=0)] = 0.0,
    price_written: Annotated[float, typer.Option(help="Of a million tokens written.", min=0)] = 0.0,
    processes: Annotated[int | None, typer.Option(help="How many processes the launcher was to start.")] = None,
    seeds: Annotated[int, typer.Option(help="How often trained methods are trained.")] = 3,
    set_: Annotated[list[str] | None, typer.Option("--set", help="METHOD.KEY=VALUE, e.g. dpo.steps=100.")] = None,
    save_adapters: Annotated[bool, typer.Option("--save-adapters", help="Keep what is trained.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed subjects again.")] = False,
) -> None:
    """Run methods over the subjects of a test split; go on where an earlier run ended."""
    from alignment.api.settings import ApiSettings, Prices
    from alignment.runs.loop import run as run_methods
    from alignment.runs.settings import ModelSettings, RunSettings
    from alignment.runs.sharing import share_of

    share = share_of(processes=processes)
    prices = Prices(price_sent, price_written) if price_sent or price_written else None
    api = ApiSettings(api_url, concurrency, retries, 60.0, requests_per_minute, prices) if api_url else None
    named = ModelSettings(model, model_revision, dtype, quantize, attn, device_map, api) if model else None
    settings = RunSettings(
        release, tuple(method), named, config, split, subjects, labels, prompts, option_order, descriptions, seed,
        min_mass, revision, retry_failed, seeds, tuple(set_ or ()), save_adapters,
    )  # fmt: skip
    _show_run(run_methods(settings, out, share, progress_lines()), out)


HOPELESS = (
    "take an instruction-tuned model, other --prompts, a lower --min-mass (in a new --out) or more memory, and if it"
    " may go better now --retry-failed"
)


def _show_run(report: RunReport, out: Path) -> None:
    for name in dict.fromkeys(failure["method"] for failure in report.failures):
        reasons = [failure["reason"] for failure in report.failures if failure["method"] == name]
        complain(f"{name}: {len(reasons)} left out, the first since {reasons[0]} (all in failures.jsonl)")
    left_out = f"{len(report.failures)} left out" if report.failures else "nobody left out"
    print(f"{out}: {report.done} answered, {report.before} were there before, {left_out}")
    for name, reason in report.hopeless.items():
        raise GateFailed(f"{name} has no result of any subject", got=reason, next_step=HOPELESS)
    if not report.complete:
        print("the rest is done by the other processes of this run; if they have ended early, run it again")


METHODS_EXAMPLES = examples("papi align methods", "papi align methods --json")


def methods(as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False) -> None:
    """List the methods: what they are, what they cost, whether they learn from the dev split."""
    from alignment.methods.registry import methods as known

    if as_json:
        shown = ("name", "family", "sees_dev", "leaky", "cost", "meaning")
        print_json([{name: getattr(method, name) for name in shown} for method in known().values()])
        return
    rows = [
        [m.name, m.family, "yes" if m.sees_dev else "no", m.cost, m.meaning + (" (leaky)" if m.leaky else "")]
        for m in known().values()
    ]
    print_table(("method", "family", "sees dev", "cost a subject", "meaning"), rows, "methods")


run.__doc__ = f"{run.__doc__}\n\n{RUN_EXAMPLES}"
methods.__doc__ = f"{methods.__doc__}\n\n{METHODS_EXAMPLES}"
align.command()(run)
align.command()(report)
align.command()(methods)
align.command()(export)
align.command()(demo)
align.command("pocket-train")(pocket_train)
