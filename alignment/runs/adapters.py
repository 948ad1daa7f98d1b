"""Where a run keeps the adapters that it trained: `adapters/METHOD/SUBJECT/SEED`, each as peft writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alignment.benchmark import Subject
from alignment.methods.contract import Method
from alignment.runs.folder import RunFolder
from alignment.runs.settings import RunSettings

if TYPE_CHECKING:
    from alignment.adapter import Adapter

FOLDER = "adapters"


def adapter_folder(run: Path, method: str, subject_id: str, seed: int) -> Path:
    """The folder of one adapter."""
    return run / FOLDER / method / subject_id / str(seed)


def keep_adapter(
    folder: RunFolder, settings: RunSettings, method: Method, subject: Subject, seed: int, adapter: Adapter
) -> None:
    """Write an adapter into the run's folder."""
    from alignment.respondent.adapters import save_adapter

    assert settings.model is not None
    save_adapter(adapter, adapter_folder(folder.path, method.name, subject.subject_id, seed), settings.model.name)
