"""Raw files of simulated people in the layout of the originals, to try everything without anybody's data.

The people follow the model of `papi.people`; their statements are the project's own, so no file can be taken
for a real one. The same people and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from builders.simulate_demographics import (
    case_numbers_of,
    draw_dark_triad_demographics,
    draw_ipip_demographics,
    facts_of,
)
from builders.simulate_files import write_ipip_records, write_sd3_archive
from builders.staging import refuse_occupied, staged
from papi.errors import UsageError
from papi.files import write_bytes
from papi.instruments import INSTRUMENTS, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import stored_from_responses

ITEM_KEY_FILE, ITEM_KEY_TABLE = "IPIP-NEO-ItemKey.xls", "simulated_item_key.xls"
DEMOGRAPHICS_STREAM = 2  # beside the streams of papi.people
Progress = Callable[[str], None]


@dataclass(frozen=True)
class SimulatedRaw:
    """What was written: `people` by instrument, `files` with their bytes."""

    folder: Path
    seed: int
    people: Mapping[str, int]
    files: Mapping[str, int]


def simulate(
    out: Path, people: Mapping[str, int], seed: int, progress: Progress = lambda message: None
) -> SimulatedRaw:
    """Write raw files of so many simulated people by instrument into the folder `out`, whole or not at all.

    An instrument without people is left out. `progress` is told of each file. Raises `UsageError` where `out`
    is not an empty or new folder, for an unknown instrument, nobody at all, a negative number, or more people
    than a form has case numbers; `EnvironmentProblem` where the folder cannot be written.
    """
    wanted = checked_people(people, seed)
    refuse_occupied(out)
    with staged(out.absolute()) as folder:
        for of, n in wanted.items():
            _write_instrument(folder, of, n, seed)
            progress(f"{facts_of(of.name)['file']}: {n:,} simulated people")
        if any(of.is_ipip for of in wanted):
            write_bytes(folder / ITEM_KEY_FILE, simulated_item_key())
            progress(f"{ITEM_KEY_FILE}: the simulator's own statements")
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    return SimulatedRaw(out, seed, {of.name: n for of, n in wanted.items()}, sizes)


def simulated_item_key() -> bytes:
    """The item key with the simulator's statements, an .xls (made by scripts/make_simulated_key.py)."""
    return (files("builders.tables") / ITEM_KEY_TABLE).read_bytes()


def checked_people(people: Mapping[str, int], seed: int) -> dict[Instrument, int]:
    """The instruments with people, in their customary order; `UsageError` for what cannot be simulated."""
    if seed < 0:
        raise UsageError("the seed cannot be negative", expected="0 or more", got=str(seed))
    counts = {instrument(name): n for name, n in people.items()}
    for of, n in counts.items():
        most = len(case_numbers_of(of)) if of.is_ipip else n
        if not 0 <= n <= most:
            expected = f"0 to {most:,}, the case numbers there are" if of.is_ipip else "0 or more"
            raise UsageError(f"so many people cannot be simulated for {of.name}", expected=expected, got=f"{n:,}")
    wanted = {of: counts[of] for of in map(instrument, INSTRUMENTS) if counts.get(of)}
    if not wanted:
        raise UsageError("nobody is to be simulated", expected="people for at least one instrument")
    return wanted


def _write_instrument(folder: Path, of: Instrument, n: int, seed: int) -> None:
    own = (seed, INSTRUMENTS.index(of.name))  # or the same people would take both forms
    responses = draw_responses(draw_people(of, n, own), of, own)
    random = np.random.default_rng(np.random.SeedSequence(own, spawn_key=(DEMOGRAPHICS_STREAM,)))
    path = folder / facts_of(of.name)["file"]
    if of.is_ipip:
        demographics = draw_ipip_demographics(of, n, random)
        write_ipip_records(path, of, stored_from_responses(responses, of), demographics)
    else:
        write_sd3_archive(path, responses, *draw_dark_triad_demographics(of, n, random))
