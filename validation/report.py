"""What a validation found: one line for every check, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from papi.errors import SHOWN_PLACES, GateFailed, InputRejected, PapiError, Place
from validation.gates import FAILED, NOT_ASSESSED, PASSED, Finding

NOTE = "note"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `subject` is a file, config or instrument, `places` the first places of problems.

    `exit_code` is that of the error which a failure is (3 input rejected, 4 gate failed, 5 environment), else 0.
    """

    subject: str
    what: str
    verdict: str
    detail: str = ""
    places: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass
class Report:
    """All checks of a path; `kind` is raw folder, raw file or release."""

    path: str
    kind: str
    checks: list[Check] = field(default_factory=list)

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.verdict == FAILED]

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, else the code of the first kind of failure: environment, input, gate."""
        codes = {check.exit_code for check in self.failed}
        order = (5, InputRejected.exit_code, GateFailed.exit_code)
        return next((code for code in order if code in codes), 0)

    def passed(self, subject: str, what: str, detail: str = "") -> None:
        """Note that a check found nothing wrong."""
        self.checks.append(Check(subject, what, PASSED, detail))

    def note(self, subject: str, what: str, detail: str, places: Iterable[object] = ()) -> None:
        """Note something to know that is no failure."""
        self.checks.append(Check(subject, what, NOTE, detail, _shown(places)))

    def not_assessed(self, subject: str, what: str, detail: str) -> None:
        """Note that a check could not be made."""
        self.checks.append(Check(subject, what, NOT_ASSESSED, detail))

    def problems(self, subject: str, what: str, problems: list[Place], detail: str = "") -> None:
        """A check that passes where there are no problems."""
        if not problems:
            self.passed(subject, what, detail)
            return
        count = f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}"
        self.checks.append(Check(subject, what, FAILED, count, _shown(problems), InputRejected.exit_code))

    def refused(self, subject: str, what: str, error: PapiError) -> None:
        """A check that ended in an error of the project."""
        first, *rest = str(error).splitlines()
        places = tuple(line.strip().removeprefix("- ") for line in rest)
        self.checks.append(Check(subject, what, FAILED, first, places, error.exit_code))

    def gates(self, findings: Iterable[Finding]) -> None:
        """The verdicts of gates."""
        for finding in findings:
            value = "undefined" if finding.value is None else f"{finding.value:g}"
            detail = finding.statistic if finding.verdict == NOT_ASSESSED else f"{finding.statistic}: {value}"
            code = GateFailed.exit_code if finding.verdict == FAILED else 0
            what = f"gate {finding.gate}"
            self.checks.append(
                Check(finding.instrument, what, finding.verdict, f"{detail} ({finding.limit})", (), code)
            )

    def described(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "path": self.path,
            "kind": self.kind,
            "exit_code": self.exit_code,
            "checks": [asdict(check) for check in self.checks],
        }


def _shown(places: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(place) for place in [*places][:SHOWN_PLACES])
