"""`papi align export`: the model of one subject of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import examples, path_argument

EXAMPLES = examples(
    "papi align export runs/8b model-of-someone --subject ipip300-0123456789abcdef --method pas",
    "papi align export runs/8b vectors-of-someone --subject ipip300-0123456789abcdef --method pas --small",
)


def export(
    run: Annotated[Path, path_argument("Folder of a run.")],
    out: Annotated[Path, path_argument("New folder for the model.")],
    subject: Annotated[str, typer.Option(help="Which subject's; answers.jsonl names them.")],
    method: Annotated[str | None, typer.Option(help="Which method; needed where the run has several.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which seed's, of a trained method; else its first.")] = None,
    release: Annotated[str | None, typer.Option(help="Where the run's release is now, if it was moved.")] = None,
    model: Annotated[str | None, typer.Option(help="Where the run's model is now, if it was moved.")] = None,
    small: Annotated[bool, typer.Option("--small", help="Only what changes the model, not the model.")] = False,
) -> None:
    """Write the steered or trained model of one subject as a checkpoint that can be served."""
    from alignment.runs.extras import require_extra

    require_extra()
    from alignment.export.exporting import export as export_subject
    from alignment.runs.release import Moved

    said = export_subject(run, subject, out, method, seed, small=small, moved=Moved(release, model))
    for line in said:
        print(line)
    print(f"written to {out}")


export.__doc__ = f"{export.__doc__}\n\n{EXAMPLES}"
