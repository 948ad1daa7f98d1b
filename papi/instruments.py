"""The three instruments and the structure of their items, read once from `papi/tables` and cross-checked.

Texts are not here: they come from the item key of the raw files (or of the simulator) and live in a release's
`items` table. What is fixed is which item belongs to which facet and domain, and in which direction it is keyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from papi.errors import UsageError
from papi.tables import read_csv, read_toml

IPIP_300, IPIP_120, DARK_TRIAD = "ipip-neo-300", "ipip-neo-120", "dark-triad"
INSTRUMENTS = (IPIP_300, IPIP_120, DARK_TRIAD)
DEFAULT_CONFIG = IPIP_300
ITEMS_CONFIG = "items"
CONFIGS = (*INSTRUMENTS, ITEMS_CONFIG)
DEV, TEST, TEST_POPULATION = SPLITS = ("dev", "test", "test_population")
MINIMUM, MAXIMUM = 1, 5  # of a response
MISSING = 0  # in raw files and in memory; a null in everything that is published


@dataclass(frozen=True)
class Item:
    """One item's place in its instrument.

    `number` is the column of the raw file (Full# in ipip-neo-300, Short# in ipip-neo-120); `full_number` is the Full#
    of the item of ipip-neo-300 with the same words (None for the Dark Triad); `role` is given, held_out or None.
    """

    name: str
    number: int
    domain: str
    facet: str | None
    keyed: int
    role: str | None
    full_number: int | None


@dataclass(frozen=True)
class Scale:
    """A named set of items, by position: a domain or a facet."""

    name: str
    title: str
    positions: NDArray[np.intp]


@dataclass(frozen=True)
class Instrument:
    """An instrument with its items in the order of the raw file."""

    name: str
    family: str
    id_prefix: str
    stored: str
    missing_limit: int
    published_people: int
    items: tuple[Item, ...]

    @property
    def item_names(self) -> tuple[str, ...]:
        """Column names of the items, in order."""
        return tuple(item.name for item in self.items)

    @cached_property
    def keyed(self) -> NDArray[np.int8]:
        """+1 or −1 per item, shape (items,)."""
        return np.array([item.keyed for item in self.items], dtype=np.int8)

    @cached_property
    def domains(self) -> tuple[Scale, ...]:
        """The domains in their customary order."""
        titles = {
            row["domain"]: row["name"] for row in read_csv("papi", "domains.csv") if row["instrument"] == self.family
        }
        return tuple(self._scale(name, title, "domain") for name, title in titles.items())

    @cached_property
    def facets(self) -> tuple[Scale, ...]:
        """The 30 facets, N1 … C6; none for the Dark Triad."""
        if self.family == "sd3":
            return ()
        return tuple(self._scale(row["facet"], row["name"], "facet") for row in read_csv("papi", "facets.csv"))

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The smallest scales there are: facets, or the three scales of the Dark Triad."""
        return self.facets or self.domains

    @property
    def is_ipip(self) -> bool:
        """Whether this is a form of the IPIP-NEO."""
        return self.family == "ipip"

    @property
    def stored_reversed(self) -> NDArray[np.bool_]:
        """Which items the raw files hold as 6 − response, shape (items,)."""
        return (self.keyed < 0) & (self.stored == "scored")

    def _scale(self, name: str, title: str, level: str) -> Scale:
        positions = [i for i, item in enumerate(self.items) if getattr(item, level) == name]
        return Scale(name, title, np.array(positions, dtype=np.intp))


def instrument(name: str) -> Instrument:
    """The instrument called `name`; `UsageError` for any other word."""
    if name not in INSTRUMENTS:
        raise UsageError(f"no instrument is called {name!r}", expected=", ".join(INSTRUMENTS), got=name)
    return _instruments()[name]


@cache
def _instruments() -> MappingProxyType[str, Instrument]:
    items = {IPIP_300: _ipip_300_items(), IPIP_120: _ipip_120_items(), DARK_TRIAD: _dark_triad_items()}
    facts = read_toml("papi", "instruments.toml")
    return MappingProxyType({name: Instrument(name=name, items=items[name], **facts[name]) for name in INSTRUMENTS})


def _ipip_300_items() -> tuple[Item, ...]:
    return tuple(
        Item(f"i{number}", number, row["facet"][0], row["facet"], int(row["keyed"]), _role(row), number)
        for number, row in enumerate(read_csv("papi", "ipip_items.csv"), start=1)
    )


def _role(row: dict[str, str]) -> str:
    """The items of the short form are given, the others are asked (the published protocol)."""
    return "given" if row["short"] else "held_out"


def _ipip_120_items() -> tuple[Item, ...]:
    short = [row for row in read_csv("papi", "ipip_items.csv") if row["short"]]
    return tuple(
        Item(f"i{number}", number, row["facet"][0], row["facet"], int(row["keyed"]), None, int(row["number"]))
        for number, row in enumerate(sorted(short, key=lambda row: int(row["short"])), start=1)
    )


def _dark_triad_items() -> tuple[Item, ...]:
    return tuple(
        Item(row["item"], number, row["domain"], None, int(row["keyed"]), row["role"], None)
        for number, row in enumerate(read_csv("papi", "sd3_items.csv"), start=1)
    )
