"""What a model at hand needs beside the project's own dependencies."""

from __future__ import annotations

from importlib.util import find_spec

from papi.errors import MissingExtra

NEEDED = ("torch", "transformers", "accelerate", "peft", "bitsandbytes")  # of the extra `alignment`


def require_extra() -> None:
    """Raise `MissingExtra` where a package is not installed."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        advice = "pip install 'palign-papi[alignment]'"
        raise MissingExtra(f"a model needs {', '.join(missing)}, which is not installed", next_step=advice)
