"""What commands share: errors and progress on stderr, results and JSON on stdout, examples below a help text."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import typer


def path_argument(text: str) -> Any:
    """A path that a command takes. Whether it can be read is for the command to find out: that is exit 5, not 2."""
    return typer.Argument(readable=False, help=text)


def path_option(text: str) -> Any:
    """As `path_argument`, for an option."""
    return typer.Option(readable=False, help=text)


def complain(text: str) -> None:
    """Print an error."""
    print(f"papi: {text}", file=sys.stderr)


def progress_lines() -> Callable[[str], None]:
    """A callback that prints each step on stderr with the seconds since the start."""
    start = time.perf_counter()

    def show(step: str) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {step}", file=sys.stderr, flush=True)

    return show


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], title: str) -> None:
    """Print a table: the first column left, the others right."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for position, name in enumerate(header):
        table.add_column(name, justify="right" if position else "left", overflow="fold")  # a name cut off names nothing
    for row in rows:
        table.add_row(*map(escape, row))  # a text in brackets is no style
    Console().print(table)


def examples(*lines: str) -> str:
    """The Examples block below a command's help; blank lines keep one command a line."""
    return "**Examples**\n\n" + "\n\n".join(f"`{line}`" for line in lines)
