"""The command line: `papi`, also `python -m papi`. Data on stdout, progress and errors on stderr."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from papi.cli.align import align
from papi.cli.build import build
from papi.cli.console import complain
from papi.cli.demo import demo
from papi.cli.errata import errata
from papi.cli.export import export
from papi.cli.fetch import fetch
from papi.cli.info import info
from papi.cli.push import push
from papi.cli.releases import releases
from papi.cli.simulate import simulate
from papi.cli.validate import diff, validate, verify
from papi.errors import EnvironmentProblem, Interrupted, PapiError
from papi.version import __version__

COMMANDS = (fetch, simulate, build, demo, info, validate, verify, diff, errata, export, push, releases)

app = typer.Typer(
    name="papi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Build and read PAPI, the personality alignment dataset.",
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(align, name="align")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"papi {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


class Stopped(BaseException):
    """A signal came. It is no `Exception`, so that no library's `except Exception` keeps it to itself."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and leave with its exit code (see `papi.errors`); never a traceback for what a user can cause."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app(arguments)
    except Stopped as stopped:
        what = f"interrupted by {stopped}: nothing is left half-written"
        complain(str(Interrupted(what, next_step="run the command again")))
        sys.exit(Interrupted.exit_code)
    except PapiError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except MemoryError:
        complain("not enough memory\n  next     close other programs, or build one instrument at a time with --only")
        sys.exit(EnvironmentProblem.exit_code)
    sys.exit(0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Unwind once; a second signal must not cut the cleaning up short, a third one ends it at once."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _heard_again)
    raise Stopped(signal.Signals(number).name)


def _heard_again(number: int, frame: FrameType | None) -> None:
    """Unwinding may wait for a library's threads, which may wait for a server."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda heard, where: os._exit(Interrupted.exit_code))
    complain("cleaning up; once more ends it at once")
