"""`papi demo`: the whole way once, on simulated people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from papi.cli.build import show_release
from papi.cli.console import examples, path_option, print_table, progress_lines
from papi.instruments import INSTRUMENTS, IPIP_300

EXAMPLES = examples("papi demo", "papi demo --out somewhere --people 500")
SHOWN_ITEMS = 3


def demo(
    out: Annotated[Path, path_option("Folder for the raw files and the release.")] = Path("papi-demo"),
    people: Annotated[int, typer.Option(help="Simulated people for every instrument.", min=30)] = 3000,
) -> None:
    """Simulate people, build a release of them, load it back and show a person."""
    from builders.options import BuildOptions
    from builders.release import build_release
    from builders.simulate import simulate
    from papi.files import remove_folder

    progress = progress_lines()
    raw, release = out / "raw", out / "release"
    if raw.is_dir() and (raw / "SD3.zip").is_file():
        remove_folder(raw)  # that of an earlier demo
    simulate(raw, dict.fromkeys(INSTRUMENTS, people), 0, progress)
    manifest, report = build_release(raw, release, BuildOptions(), progress)
    show_release(manifest, str(release))
    for note in report.notes:
        print(note)
    _show_back(release)


def _show_back(release: Path) -> None:
    """Read the release as a user would, with `datasets` and with `papi`, and show one test subject."""
    import datasets

    import papi

    datasets.disable_progress_bars()
    loaded = {name: datasets.load_dataset(str(release), name) for name in INSTRUMENTS}
    for name, splits in loaded.items():
        print(f'load_dataset("{release}", "{name}"): ' + ", ".join(f"{k} {v.num_rows:,}" for k, v in splits.items()))
    subject = papi.subjects(release, "test", IPIP_300)[0]
    rows = [
        [item.statement, str(item.response), f"{item.facet}{'+' if item.keyed > 0 else '−'}", role]
        for role, part in (("given", subject.given), ("held out", subject.held_out))
        for item in part[:SHOWN_ITEMS]
    ]
    print_table(("statement", "response", "facet", "role"), rows, f"test subject {subject.subject_id}")


demo.__doc__ = f"{demo.__doc__}\n\n{EXAMPLES}"
