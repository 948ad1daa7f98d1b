"""Every error a user can cause, in one tree. Each class carries the exit code that the command line returns.

A message says what is wrong, where, what was expected, what was found and what to do next. `Place` holds one
position in a file; `InputRejected` shows at most the first `SHOWN_PLACES` of them and their total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_PLACES = 20


@dataclass(frozen=True)
class Place:
    """One position in an input: `line`, `byte` and `column` count from 1, 0 and 1; None where it has no meaning."""

    file: str
    expected: str
    got: str
    line: int | None = None
    byte: int | None = None
    column: str | int | None = None

    def __str__(self) -> str:
        where = [self.file]
        for name in ("line", "byte", "column"):
            value = getattr(self, name)
            if value is not None:
                where.append(f"{name} {value}")
        return f"{', '.join(where)}: expected {self.expected}, got {self.got}"


class PapiError(Exception):
    """The root: something a user can mend. Never raised itself."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        parts = (("where", self.where), ("expected", self.expected), ("got", self.got), ("next", self.next_step))
        return "\n".join([self.what, *(f"  {name:9}{text}" for name, text in parts if text)])


class UsageError(PapiError):
    """The call itself is wrong: an option, a name, a value that no data can mend."""

    exit_code = 2


class InputRejected(PapiError):
    """An input file or folder is not what it must be; `places` lists where, `total` counts them all."""

    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        places: Sequence[Place] = (),
        total: int | None = None,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(what, where=where, expected=expected, got=got, next_step=next_step)
        self.places = tuple(places[:SHOWN_PLACES])
        self.total = len(places) if total is None else total

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  - {place}" for place in self.places)]
        if self.total > len(self.places):
            lines.append(f"  … and {self.total - len(self.places):,} more, {self.total:,} in all")
        return "\n".join(lines)


class MissingFile(InputRejected):
    """A file or folder that the command needs is not there."""


class ItemKeyRejected(InputRejected):
    """An item key or codebook is neither the real one nor the simulator's."""


class ReleaseRejected(InputRejected):
    """A folder is no PAPI release, or differs from what its manifest says."""


class GateFailed(PapiError):
    """The data were read, but a gate of validation says that they cannot be right."""

    exit_code = 4


class SubjectFailed(PapiError):
    """A model's answers for one subject are no result; `papi align run` records it, and goes on."""

    exit_code = 4


class NothingKnown(SubjectFailed):
    """A method has not what it needs of one subject, which says nothing of the others."""


class EnvironmentProblem(PapiError):
    """The machine says no: disk full, no permission, unreadable, no memory."""

    exit_code = 5


class MissingExtra(EnvironmentProblem):
    """A library of an optional extra is not installed; the next step is the pip command."""


class Busy(PapiError):
    """Another process is writing the same target."""

    exit_code = 6


class RemoteFailed(PapiError):
    """A server did not give what was asked: no answer, a refusal, an unexpected reply."""

    exit_code = 7


class Interrupted(PapiError):
    """Stopped by SIGINT or SIGTERM."""

    exit_code = 130
