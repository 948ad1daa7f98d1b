"""The options of `papi align run`, each with what `--help` says of it; some are those of `papi align judge` too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from papi.cli.console import path_option
from papi.errors import UsageError

if TYPE_CHECKING:
    from alignment.api.settings import ApiSettings
    from alignment.runs.settings import OpenSettings

# Headings that options stand under.
MODEL, SERVER = "A model at hand", "A model behind an address"
TRAINING, OPENLY = "Training", "Open answers"

Release = Annotated[str, typer.Argument(help="Folder of a release, or its repository on the Hub.")]
Method = Annotated[list[str], typer.Option(help="A method or family (papi align methods), or all; once or more.")]
Out = Annotated[Path, path_option("Folder of the run; one that is there is gone on with.")]
Model = Annotated[str | None, typer.Option(help="Folder or Hub name of a model, or pocket.")]
Config = Annotated[str, typer.Option(help="ipip-neo-300 or dark-triad.")]
Split = Annotated[str, typer.Option(help="test or test_population.")]
Subjects = Annotated[int | None, typer.Option(help="Only the first so many of the split.")]
Labels = Annotated[str, typer.Option(help="responses, or published (the predecessor's).")]
Prompts = Annotated[Path | None, path_option("Texts in place of the project's, TOML or JSON.")]
OptionOrder = Annotated[str, typer.Option(help="forward, reversed or both (averaged).")]
Descriptions = Annotated[Path | None, path_option("Texts about the subjects for p2, JSON.")]
Seed = Annotated[int, typer.Option(help="Of all that is drawn.", min=0)]
Dtype = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.", rich_help_panel=MODEL)]
Quantize = Annotated[str | None, typer.Option(help="nf4.", rich_help_panel=MODEL)]
Attn = Annotated[str | None, typer.Option(help="sdpa, eager or flash_attention_2.", rich_help_panel=MODEL)]
DeviceMap = Annotated[str | None, typer.Option(help="auto spreads the model over the GPUs.", rich_help_panel=MODEL)]
ModelRevision = Annotated[str | None, typer.Option(help="Revision of a model on the Hub.", rich_help_panel=MODEL)]
Revision = Annotated[str | None, typer.Option(help="Revision of a release on the Hub.")]
MinMass = Annotated[float, typer.Option(help="Least probability on the five letters.")]
ApiUrl = Annotated[
    str | None, typer.Option(help="Address of a server with chat completions (…/v1).", rich_help_panel=SERVER)
]
Concurrency = Annotated[
    int | None, typer.Option(help="Requests at once, with an address; else 8.", rich_help_panel=SERVER)
]
Retries = Annotated[
    int | None, typer.Option(help="Attempts after a failed request, with an address; else 5.", rich_help_panel=SERVER)
]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds to wait for a reply, with an address; else 60.", rich_help_panel=SERVER)
]
RequestsPerMinute = Annotated[
    int | None, typer.Option(help="At most, of a process, with an address.", rich_help_panel=SERVER)
]
PriceSent = Annotated[
    float | None, typer.Option(help="Of a million tokens sent, with an address.", min=0, rich_help_panel=SERVER)
]
PriceWritten = Annotated[
    float | None, typer.Option(help="Of a million tokens written, with an address.", min=0, rich_help_panel=SERVER)
]
Processes = Annotated[int | None, typer.Option(help="How many processes the launcher was to start.")]
Seeds = Annotated[int, typer.Option(help="How often trained methods are trained.", rich_help_panel=TRAINING)]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="METHOD.KEY=VALUE, e.g. dpo.steps=100.", rich_help_panel=TRAINING)
]
Open = Annotated[
    int | None, typer.Option("--open", help="Ask so many held-out items openly instead.", rich_help_panel=OPENLY)
]
Own = Annotated[
    bool | None,
    typer.Option("--own/--no-own", help="With --open: the project's 30 situations too.", rich_help_panel=OPENLY),
]
MostTokens = Annotated[int | None, typer.Option(help="With --open: of a text; else 120.", rich_help_panel=OPENLY)]
SaveAdapters = Annotated[bool, typer.Option("--save-adapters", help="Keep what is trained.", rich_help_panel=TRAINING)]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try failed subjects again.")]


def api_settings(
    option: str,
    url: str | None,
    concurrency: int | None,
    retries: int | None,
    timeout: float | None,
    requests_per_minute: int | None,
    price_sent: float | None,
    price_written: float | None,
) -> ApiSettings | None:
    """How a server is asked, where there is an address (given by `option`). Raises `UsageError` for options without."""
    from alignment.api.settings import ApiSettings, Prices

    given = _given(concurrency=concurrency, retries=retries, timeout=timeout, per_minute=requests_per_minute)
    prices = _given(sent=price_sent, written=price_written)
    if url is None:
        names = {"per_minute": "requests_per_minute", "sent": "price_sent", "written": "price_written"}
        _refuse({names.get(name, name): value for name, value in (given | prices).items()}, option)
        return None
    return ApiSettings(url, prices=Prices(**prices) if prices else None, **given)


def open_settings(items: int | None, own: bool | None, most_tokens: int | None) -> OpenSettings | None:
    """What is asked openly, if anything. Raises `UsageError` for options without --open."""
    from alignment.runs.settings import OpenSettings

    given = _given(own=own, most_tokens=most_tokens)
    if items is None:
        own_or_not = {"own": "own" if own else "no-own"}
        _refuse({own_or_not.get(name, name): value for name, value in given.items()}, "--open")
        return None
    return OpenSettings(items, **given)


def refuse_without_model(**options: str | None) -> None:
    """Raise `UsageError` for options about a model where none is named."""
    _refuse(_given(**options), "--model")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _refuse(given: dict[str, Any], without: str) -> None:
    for name, value in given.items():
        what = f"--{name.replace('_', '-')} means nothing without {without}"
        raise UsageError(what, got=str(value), next_step=f"add {without}, or leave it out")
