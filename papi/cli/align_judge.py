"""`papi align judge`: how well open answers fit the person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import examples, path_argument, path_option, print_json, progress_lines
from papi.errors import UsageError

EXAMPLES = examples(
    "papi align judge runs/open --judge-model gpt-4o --judge-url https://api.openai.com/v1",
    "papi align judge runs/open --judge-model Qwen/Qwen3-8B --options runs/8b",
)


def judge(
    run: Annotated[Path, path_argument("Folder of a run with open answers (papi align run … --open).")],
    judge_model: Annotated[str, typer.Option(help="Name at the address, or a folder or Hub name of a model.")],
    judge_url: Annotated[str | None, typer.Option(help="Address of a server with chat completions (…/v1).")] = None,
    options: Annotated[Path | None, path_option("A run of the options, for the agreement with them.")] = None,
    seed: Annotated[int, typer.Option(help="Of the order of the texts.", min=0)] = 0,
    concurrency: Annotated[int, typer.Option(help="Requests at once, with --judge-url.")] = 8,
    retries: Annotated[int, typer.Option(help="Attempts after a failed request, with --judge-url.")] = 5,
    requests_per_minute: Annotated[int | None, typer.Option(help="At most, with --judge-url.")] = None,
    price_sent: Annotated[float, typer.Option(help="Of a million tokens sent.", min=0)] = 0.0,
    price_written: Annotated[float, typer.Option(help="Of a million tokens written.", min=0)] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print judged.json.")] = False,
) -> None:
    """Let a model judge open answers from 1 to 6, blind to the method; a second judge may follow."""
    from alignment.api.settings import ApiSettings, Prices
    from alignment.judging.running import JudgeSettings, judge_run, table_of

    if judge_url is None and (price_sent or price_written or requests_per_minute):
        raise UsageError("prices and a pace are for a judge behind --judge-url", next_step="leave them out")
    prices = Prices(price_sent, price_written) if price_sent or price_written else None
    api = ApiSettings(judge_url, concurrency, retries, 60.0, requests_per_minute, prices) if judge_url else None
    document = judge_run(run, JudgeSettings(judge_model, api, seed), options, progress_lines())
    if as_json:
        print_json(document)
        return
    print(table_of(document))
    print(f"written to {run}: judgements.jsonl, judged.json, judged.md")


judge.__doc__ = f"{judge.__doc__}\n\n{EXAMPLES}"
