"""`papi align report`: measures, leaderboard and figures of runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from papi.cli.console import complain, examples, path_argument, path_option, print_json, print_table

if TYPE_CHECKING:
    from alignment.report.results import Results

EXAMPLES = examples(
    "papi align report run",
    "papi align report run-8b run-70b --out comparison",
    "papi align report run --json --no-figures",
)


def report(
    folders: Annotated[list[Path], path_argument("Folders of runs, of the same release, config, split and labels.")],
    out: Annotated[Path | None, path_option("Folder for the report; else report in the first folder.")] = None,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Leave out the figures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print results.json.")] = False,
) -> None:
    """Measure runs and write results.json, a leaderboard (Markdown, CSV) and figures; a run may still be going on."""
    from alignment.report import write_report

    where, results = write_report(folders, out, figures=not no_figures)
    for note in results.rows.notes:
        complain(note)
    if as_json:
        print_json(results.document)
        return
    _show(results)
    print(f"written to {where}")


def _show(results: Results) -> None:
    """The leaderboard as far as a terminal has room; what it leaves out is in leaderboard.md."""
    from alignment.report.leaderboard import BRIEF, brief_cells, ranked, without_result

    facts = results.document
    simulated = ", simulated people" if facts["release"]["simulated"] else ""
    title = f"{facts['config']}, {facts['split']}, labels {facts['labels']}, {facts['subjects']} people{simulated}"
    print_table(BRIEF, map(brief_cells, ranked(results)), title)
    for each in without_result(results):
        print(f"{each.row.name}: {each.facts['refused'] or 'no answers'}")
    lost = Counter((len(each.facts["excluded"]), each.facts["pending"]) for each in results.methods.values())
    for (excluded, pending), methods in lost.items():
        if excluded or pending:
            print(f"of {methods} methods: {excluded} subjects excluded, {pending} not asked yet (see leaderboard.md)")


report.__doc__ = f"{report.__doc__}\n\n{EXAMPLES}"
