"""`papi export`: a release in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import complain, examples, path_argument, path_option, progress_lines
from papi.errors import UsageError

EXAMPLES = examples(
    "papi export release papi-csv --raw raw csv", "papi export release papi-csv --raw raw csv --with-subject-id"
)
FORMATS = ("papi-csv",)
WARNING = "these files hold case numbers and times, which a release leaves out: do not publish them"


def export(
    release: Annotated[Path, path_argument("Folder of a release.")],
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="papi-csv: the predecessor's CSVs of the IPIP forms.")],
    out: Annotated[Path, path_argument("New folder for the files.")],
    raw: Annotated[Path | None, path_option("Folder with the raw files that the release was made of.")] = None,
    with_subject_id: Annotated[
        bool, typer.Option("--with-subject-id", help="Add the id: the crosswalk from case numbers.")
    ] = False,
) -> None:
    """Write a release in another form; `papi-csv` rebuilds the 310 columns that the predecessor trades, locally."""
    if form not in FORMATS:
        raise UsageError(f"nothing can be exported as {form!r}", expected=", ".join(FORMATS), got=form)
    if raw is None:
        advice = "name the folder with the raw files: --raw RAW"
        raise UsageError("papi-csv needs what a release leaves out", expected="--raw RAW", next_step=advice)
    from builders.export_csv import export_papi_csv

    rows = export_papi_csv(release, raw, out, with_subject_id=with_subject_id, progress=progress_lines())
    for name, count in rows.items():
        print(f"{out / name}: {count:,} people")
    complain(WARNING)


export.__doc__ = f"{export.__doc__}\n\n{EXAMPLES}"
