"""Read runs, measure them and write the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from alignment.report.leaderboard import csv_of, scales_csv
from alignment.report.markdown import markdown_of
from alignment.report.pictures import DRAW, draw_figures, figure_path
from alignment.report.results import Results, measure_rows
from alignment.report.rows import read_rows
from papi.files import remove_file, write_bytes

RESULTS, LEADERBOARD, TABLE, SCALES = "results.json", "leaderboard.md", "leaderboard.csv", "by_scale.csv"


def write_report(folders: Sequence[Path], out: Path | None = None, *, figures: bool = True) -> tuple[Path, Results]:
    """Measure the runs in some folders and write the report into `out`, by default `report` in the first of them.

    Returns where it was written, and what was measured. The same runs give the same bytes. Everything is measured and
    drawn before anything is written; an earlier report in `out` is replaced. Raises `UsageError` where runs cannot be
    compared, `MissingFile` and `InputRejected` where a folder is no run, `EnvironmentProblem` where nothing can be
    drawn or written.
    """
    results = measure_rows(read_rows(folders))
    drawn = draw_figures(results) if figures else []
    content = {
        RESULTS: json.dumps(results.document, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n",
        LEADERBOARD: markdown_of(results, drawn).encode(),
        TABLE: csv_of(results).encode(),
        SCALES: scales_csv(results).encode(),
        **{each.path: each.content for each in drawn if each.path},
    }
    where = folders[0] / "report" if out is None else out
    for path in map(figure_path, DRAW):
        if path not in content:
            remove_file(where / path)
    for path, each in content.items():
        write_bytes(where / path, each)
    return where, results
