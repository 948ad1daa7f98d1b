"""`papi simulate`: write raw files of simulated people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import examples, path_argument, progress_lines
from papi.errors import UsageError
from papi.instruments import INSTRUMENTS, instrument

EXAMPLES = examples(
    "papi simulate raw --people 3000 --seed 1", "papi simulate raw --people 5000,10000,2000", "papi simulate raw --full"
)


def simulate(
    out: Annotated[Path, path_argument("New folder for the raw files.")],
    people: Annotated[str, typer.Option(help="People for every instrument, or three numbers with commas.")] = "3000",
    seed: Annotated[int, typer.Option(help="Another seed gives other people.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="The true sizes: 307,313, 619,150 and 18,192 people.")] = False,
) -> None:
    """Write raw files of simulated people, byte for byte in the layout of the originals."""
    from builders.simulate import simulate as simulate_files

    written = simulate_files(out, true_sizes() if full else parse_people(people), seed, progress_lines())
    for name, size in written.files.items():
        print(f"{written.folder / name}: {size:,} bytes")
    print("These people are simulated: nobody answered these questionnaires.")


def parse_people(text: str) -> dict[str, int]:
    """`3000` for every instrument, or three numbers in the order ipip-neo-300, ipip-neo-120, dark-triad."""
    numbers = text.split(",")
    if len(numbers) not in (1, len(INSTRUMENTS)) or not all(number.strip().isdecimal() for number in numbers):
        expected = f"one number, or {len(INSTRUMENTS)} for {', '.join(INSTRUMENTS)}"
        raise UsageError("--people is not understood", expected=expected, got=text)
    counts = [int(number) for number in numbers]
    return dict(zip(INSTRUMENTS, counts * (1 if len(counts) > 1 else len(INSTRUMENTS)), strict=True))


def true_sizes() -> dict[str, int]:
    """How many people the published files hold."""
    return {name: instrument(name).published_people for name in INSTRUMENTS}


simulate.__doc__ = f"{simulate.__doc__}\n\n{EXAMPLES}"
