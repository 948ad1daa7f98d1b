"""PAPI: Personality Alignment with Personality Inventories.

    import papi
    people = papi.load("palign/papi", split="test")

`load`, `items`, `scores` and `subjects` read a release; everything else is in its own module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from papi.version import __version__

if TYPE_CHECKING:
    from papi.reading import items, load, scores, subjects

__all__ = ["__version__", "items", "load", "scores", "subjects"]


def __getattr__(name: str) -> Any:
    """Import pandas and pyarrow only when a release is read, so that `papi --help` answers at once."""
    if name not in __all__:
        raise AttributeError(f"module 'papi' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("papi.reading"), name)
