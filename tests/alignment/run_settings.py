"""Settings of small runs on the Dark Triad, and the lines that they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alignment.model_settings import ModelSettings
from alignment.runs.folder import ANSWERS
from alignment.runs.settings import RunSettings
from papi.instruments import DARK_TRIAD

METHODS = ("item-median", "no-change", "few-shot-120")


def settings(release: Path, model: Path | None, **changes: Any) -> RunSettings:
    named = ModelSettings(str(model)) if model else None
    given: dict[str, Any] = {"config": DARK_TRIAD, "subjects": 6, "min_mass": 0.0, "methods": METHODS} | changes
    return RunSettings(str(release), model=named, **given)


def lines(out: Path, kind: str = ANSWERS) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / f"{kind}.jsonl").read_text().splitlines()]
