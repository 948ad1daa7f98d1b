"""`papi align judge`: how well open answers fit the person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli import align_options as shared
from papi.cli.console import examples, path_argument, path_option, print_json, progress_lines

EXAMPLES = examples(
    "papi align judge runs/open --judge-model gpt-4o --judge-url https://api.openai.com/v1",
    "papi align judge runs/open --judge-model Qwen/Qwen3-32B --quantize nf4 --options runs/8b",
)


def judge(
    run: Annotated[Path, path_argument("Folder of a run with open answers (papi align run … --open).")],
    judge_model: Annotated[str, typer.Option(help="Name at the address, or a folder or Hub name of a model.")],
    judge_url: Annotated[str | None, typer.Option(help="Address of a server with chat completions (…/v1).")] = None,
    options: Annotated[Path | None, path_option("A run of the options, for the agreement with them.")] = None,
    release: Annotated[str | None, typer.Option(help="Where the run's release is now, if it was moved.")] = None,
    seed: Annotated[int, typer.Option(help="Of the order of the texts.", min=0)] = 0,
    dtype: shared.Dtype = None,
    quantize: shared.Quantize = None,
    device_map: shared.DeviceMap = None,
    model_revision: shared.ModelRevision = None,
    concurrency: shared.Concurrency = None,
    retries: shared.Retries = None,
    timeout: shared.Timeout = None,
    requests_per_minute: shared.RequestsPerMinute = None,
    price_sent: shared.PriceSent = None,
    price_written: shared.PriceWritten = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print judged.json.")] = False,
) -> None:
    """Let a model judge open answers from 1 to 6, blind to the method; a second judge may follow."""
    from alignment.judging.running import JudgeSettings, judge_run, table_of
    from alignment.model_settings import ModelSettings
    from alignment.runs.release import Moved

    api = shared.api_settings(
        "--judge-url", judge_url, concurrency, retries, timeout, requests_per_minute, price_sent, price_written
    )
    loading = ModelSettings(judge_model, model_revision, dtype, quantize, device_map=device_map, api=api)
    document = judge_run(run, JudgeSettings(loading, seed), options, progress_lines(), Moved(release))
    if as_json:
        print_json(document)
        return
    print(table_of(document))
    print(f"written to {run}: judgements.jsonl, judged.json, judged.md")


judge.__doc__ = f"{judge.__doc__}\n\n{EXAMPLES}"
