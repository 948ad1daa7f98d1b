"""`papi fetch`: download the raw files."""

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import examples, path_argument

EXAMPLES = examples("papi fetch raw", "papi fetch raw --only dark-triad")


def fetch(
    raw: Annotated[Path, path_argument("Folder for the raw files; made if it is not there.")],
    only: Annotated[list[str] | None, typer.Option(help="Instrument whose files are wanted; may be repeated.")] = None,
) -> None:
    """Download the raw files and the published test lists, resumable and checked by hash."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from builders.fetch import fetch as fetch_files

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        fetched = fetch_files(raw, only or (), progress=show)
    for file in fetched:
        print(f"{file.path}: {file.outcome}")


fetch.__doc__ = f"{fetch.__doc__}\n\n{EXAMPLES}"
