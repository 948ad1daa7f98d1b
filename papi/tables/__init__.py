"""Tables of facts as data files, and the one function that opens them."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_csv(package: str, name: str) -> tuple[dict[str, str], ...]:
    """The rows of `name`, a CSV table of `package.tables`, as dictionaries of strings."""
    text = (files(f"{package}.tables") / name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def read_toml(package: str, name: str) -> dict[str, Any]:
    """The content of `name`, a TOML table of `package.tables`."""
    return tomllib.loads((files(f"{package}.tables") / name).read_text(encoding="utf-8"))
