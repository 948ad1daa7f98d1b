"""The fault table: every fault is counted when it is tried and again when its promised outcome came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

TRIED, KEPT = "tried", "kept"


class FaultTable:
    """Cases tried and promises kept, by kind of fault."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def case(self, kind: str) -> Iterator[None]:
        """One fault of a kind: the block asserts the promised outcome."""
        self.counts[kind, TRIED] += 1
        yield
        self.counts[kind, KEPT] += 1

    def lines(self) -> list[str]:
        kinds = sorted({kind for kind, _ in self.counts})
        rows = [(kind, self.counts[kind, TRIED], self.counts[kind, KEPT]) for kind in kinds]
        rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
        return [f"{kind:64} {tried:7,} tried {kept:7,} as promised" for kind, tried, kept in rows]


FAULT_TABLE = pytest.StashKey[FaultTable]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FAULT_TABLE] = FaultTable()


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> FaultTable:
    """Where a test counts its faults: `with faults.case("kind of fault"): assert …`."""
    return pytestconfig.stash[FAULT_TABLE]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its counts over to the one that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = [[*key, count] for key, count in session.config.stash[FAULT_TABLE].counts.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    for kind, what, count in getattr(node, "workeroutput", {}).get("faults", []):
        node.config.stash[FAULT_TABLE].counts[kind, what] += count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash[FAULT_TABLE]
    if table.counts:
        terminalreporter.section("fault table")
        for line in table.lines():
            terminalreporter.write_line(line)
