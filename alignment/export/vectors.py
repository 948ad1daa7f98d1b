"""Steering as a small file: the vectors of all layers, to be put on any model of the same shape, quantised or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alignment.respondent.hooks import architecture_of, steered
from alignment.steering import Steering
from papi.errors import InputRejected, MissingFile
from papi.files import write_bytes

FORMAT = "papi-vectors-1"
VECTORS = "vectors.safetensors"
PARTS = ("heads", "residual")


def save_vectors(steering: Steering, path: Path, about: dict[str, Any]) -> None:
    """Write a steering: `heads` (layers, heads, head width) and `residual` (layers, hidden width), float32.

    `about` (what it is of) stands in the file's metadata under `about`, as JSON.
    """
    parts = {name: np.ascontiguousarray(value) for name in PARTS if (value := getattr(steering, name)) is not None}
    metadata = {"format": FORMAT, "scope": steering.scope, "about": json.dumps(about, ensure_ascii=False)}
    write_bytes(path, save(parts, metadata))


def load_vectors(path: str | Path) -> Steering:
    """The steering in a file. Raises `MissingFile`, or `InputRejected` for a file of something else."""
    if not Path(path).is_file():
        raise MissingFile("there is no such file with vectors", where=str(path))
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dictionary
    except SafetensorError as error:
        raise InputRejected("the file cannot be read", where=str(path), got=str(error)) from error
    if metadata.get("format") != FORMAT or not parts.keys() <= set(PARTS):
        raise InputRejected("the file holds no vectors", where=str(path), expected=FORMAT, got=metadata.get("format"))
    return Steering(scope="suffix" if metadata["scope"] == "suffix" else "prompt", **parts)


@contextmanager
def steered_by(model: Any, path: str | Path) -> Iterator[Any]:
    """Within the block every token that goes through a transformers model is steered, `generate` included.

    Raises `UsageError` where the vectors are of a model of another shape.
    """
    steering = load_vectors(path)
    with steered(architecture_of(model), [steering]):
        yield model
