"""`papi export`: a release in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.console import complain, examples, path_argument, path_option, progress_lines
from papi.errors import UsageError

EXAMPLES = examples(
    "papi export release papi-csv --raw raw csv",
    "papi export release papi-csv --raw raw csv --with-subject-id",
    "papi export release irw irw",
)
PAPI_CSV, IRW = "papi-csv", "irw"
RAW, WITH_SUBJECT_ID = "--raw", "--with-subject-id"
FORMATS = {PAPI_CSV: (RAW, WITH_SUBJECT_ID), IRW: ()}  # with the options that each takes
WARNING = "these files hold case numbers and times, which a release leaves out: do not publish them"


def export(
    release: Annotated[Path, path_argument("Folder of a release.")],
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="papi-csv: the predecessor's CSVs of the IPIP forms. irw: the Item Response Warehouse's tables.",
        ),
    ],
    out: Annotated[Path, path_argument("New folder for the files.")],
    raw: Annotated[Path | None, path_option("papi-csv: folder with the raw files of the release.")] = None,
    with_subject_id: Annotated[
        bool, typer.Option(WITH_SUBJECT_ID, help="papi-csv: add the id, the crosswalk from case numbers.")
    ] = False,
) -> None:
    """Write a release in another form.

    `papi-csv` rebuilds the 310 columns that the predecessor trades, locally. `irw` writes one row an answer, a file for
    each facet or scale, with its items beside it.
    """
    _refuse_foreign(form, {RAW: raw is not None, WITH_SUBJECT_ID: with_subject_id})
    if form == IRW:
        _irw(release, out)
    else:
        _papi_csv(release, raw, out, with_subject_id)


def _refuse_foreign(form: str, given: dict[str, bool]) -> None:
    """Raise `UsageError` for a format that does not exist and for options that belong to another."""
    if form not in FORMATS:
        raise UsageError(f"nothing can be exported as {form!r}", expected=", ".join(FORMATS), got=form)
    foreign = [option for option, is_given in given.items() if is_given and option not in FORMATS[form]]
    if foreign:
        raise UsageError(f"{form} takes no {' and no '.join(foreign)}", next_step=f"leave out {' and '.join(foreign)}")


def _papi_csv(release: Path, raw: Path | None, out: Path, with_subject_id: bool) -> None:
    if raw is None:
        advice = f"name the folder with the raw files: {RAW} RAW"
        raise UsageError(f"{PAPI_CSV} needs what a release leaves out", expected=f"{RAW} RAW", next_step=advice)
    from builders.export_csv import export_papi_csv

    rows = export_papi_csv(release, raw, out, with_subject_id=with_subject_id, progress=progress_lines())
    for name, count in rows.items():
        print(f"{out / name}: {count:,} people")
    complain(WARNING)


def _irw(release: Path, out: Path) -> None:
    from builders.export_irw import export_irw

    for name, count in export_irw(release, out, progress=progress_lines()).items():
        print(f"{out / name}: {count:,} rows")


export.__doc__ = f"{export.__doc__}\n\n{EXAMPLES}"
