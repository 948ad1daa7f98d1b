"""`papi errata`: the numbers of the predecessor's errata, from raw files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from papi.cli.console import examples, path_argument, path_option, print_json, print_table

EXAMPLES = examples("papi errata raw", "papi errata raw --published lists --json")


def errata(
    raw: Annotated[Path, path_argument("Folder with raw files, searched with its subfolders.")],
    published: Annotated[Path | None, path_option("Folder with the published test lists.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Recompute the errata of the predecessor: contradicting labels, alphas both ways, errors without any model."""
    from builders.errata import errata as recompute

    numbers = recompute(raw, published)
    if as_json:
        print_json(numbers)
        return
    for name in ("ipip-neo-300", "dark-triad"):
        if name in numbers:
            _show(name, numbers[name])
    print(f"sum in the published table (PAS, Llama-3-8B-Instruct): {numbers['published_sum']}")


def _show(name: str, numbers: dict[str, Any]) -> None:
    who = numbers["subjects"]
    print(f"{name}: {who['people']} subjects ({who['who']})")
    for part in ("labels", "alpha", "impossible_dates"):
        for what, value in numbers.get(part, {}).items():
            print(f"  {part}, {what.replace('_', ' ')}: {value}")
    floors = numbers["floors"]
    rows = [[floor, *(f"{floors[label][floor]:.2f}" for label in floors)] for floor in floors["responses"]]
    print_table(("error without a model", *(label.replace("_", " ") for label in floors)), rows, "summed over domains")


errata.__doc__ = f"{errata.__doc__}\n\n{EXAMPLES}"
