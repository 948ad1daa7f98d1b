"""What a user decides about a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builders.privacy import DEFAULT_MIN_COUNTRY
from builders.release_manifest import Decisions
from papi.errors import UsageError
from papi.instruments import instrument
from validation.disclosure import SMALLEST_CELL
from validation.gates import gate_names


@dataclass(frozen=True)
class BuildOptions:
    """What a user decides about a build. `previous` is the last version, `notes` a text for the changelog."""

    published: Path | None = None
    only: tuple[str, ...] = ()
    version: str = "0.0.0"
    date: str | None = None
    min_country: int = DEFAULT_MIN_COUNTRY
    require_pinned: bool = False
    allow_gates: tuple[str, ...] = ()
    previous: Path | None = None
    notes: Path | None = None
    figures: bool = True

    @property
    def allowed(self) -> tuple[str, ...]:
        """The gates that may fail; whoever publishes rare countries has decided to publish small cells."""
        implied = {"smallest-cell"} if self.min_country < SMALLEST_CELL else set()
        return tuple(sorted({*self.allow_gates} | implied))

    def check(self) -> None:
        """Raise `UsageError` for an option that means nothing."""
        for name in self.only:
            instrument(name)
        for gate in self.allow_gates:
            if gate not in gate_names():
                raise UsageError(f"no gate is called {gate!r}", expected=", ".join(gate_names()), got=gate)
        if self.min_country < 1:
            raise UsageError("a country needs at least one respondent", expected="--min-country 1 or more")

    def decisions(self) -> Decisions:
        """What of it belongs into the manifest."""
        smallest = min(SMALLEST_CELL, self.min_country)
        return Decisions(self.version, self.date, self.min_country, smallest, self.allowed)
