"""The options of `papi align run`, each with what `--help` says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import path_option

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
Dtype = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")]
Quantize = Annotated[str | None, typer.Option(help="nf4.")]
Attn = Annotated[str | None, typer.Option(help="sdpa, eager or flash_attention_2.")]
DeviceMap = Annotated[str | None, typer.Option(help="auto spreads the model over the GPUs.")]
ModelRevision = Annotated[str | None, typer.Option(help="Revision of a model on the Hub.")]
Revision = Annotated[str | None, typer.Option(help="Revision of a release on the Hub.")]
MinMass = Annotated[float, typer.Option(help="Least probability on the five letters.")]
ApiUrl = Annotated[str | None, typer.Option(help="Address of a server with chat completions (…/v1).")]
Concurrency = Annotated[int, typer.Option(help="Requests at once, with --api-url.")]
Retries = Annotated[int, typer.Option(help="Attempts after a failed request, with --api-url.")]
RequestsPerMinute = Annotated[int | None, typer.Option(help="At most, with --api-url.")]
PriceSent = Annotated[float, typer.Option(help="Of a million tokens sent, for the estimate.", min=0)]
PriceWritten = Annotated[float, typer.Option(help="Of a million tokens written.", min=0)]
Processes = Annotated[int | None, typer.Option(help="How many processes the launcher was to start.")]
Seeds = Annotated[int, typer.Option(help="How often trained methods are trained.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="METHOD.KEY=VALUE, e.g. dpo.steps=100.")]
Open = Annotated[int | None, typer.Option("--open", help="Ask so many held-out items openly instead.")]
Own = Annotated[bool, typer.Option(help="With --open: the project's 30 situations too.")]
MostTokens = Annotated[int, typer.Option(help="With --open: of a text.")]
SaveAdapters = Annotated[bool, typer.Option("--save-adapters", help="Keep what is trained.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try failed subjects again.")]
