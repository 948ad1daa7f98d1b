"""Where a run keeps the adapters that it trained: `adapters/METHOD/WHOSE/SEED`, each as peft writes them."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignment.benchmark import Subject
from alignment.methods.contract import Context
from alignment.runs.folder import ADAPTERS
from papi.files import move, remove_folder

if TYPE_CHECKING:
    from alignment.adapter import Adapter

ONE_FOR_ALL = ("prompt-morl",)  # methods with one adapter for all subjects that learn from the same people


@dataclass(frozen=True)
class AdapterShelf:
    """The adapters in a run's folder, of a model of that name."""

    run: Path
    context: Context
    model_name: str

    def folder(self, method: str, subject: Subject, seed: int) -> Path:
        """The folder of the adapter that a subject is answered with; WHOSE is the subject, or whom all learn from."""
        whose = self.context.reference(subject).name if method in ONE_FOR_ALL else subject.subject_id
        return self.run / ADAPTERS / method / whose.replace(" ", "-") / str(seed)

    def keep(self, method: str, subject: Subject, seed: int, adapter: Adapter) -> None:
        """Write an adapter, once where all subjects have the same."""
        from alignment.respondent.adapters import is_adapter, save_adapter

        folder = self.folder(method, subject, seed)
        if method in ONE_FOR_ALL and is_adapter(folder):
            return
        beside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
        save_adapter(adapter, beside, self.model_name)
        remove_folder(folder)
        move(beside, folder)

    def lacking(self, method: str, subjects: Collection[Subject], seeds: Collection[int]) -> list[Subject]:
        """The subjects of whom no adapter is kept."""
        from alignment.respondent.adapters import is_adapter

        return [s for s in subjects if not any(is_adapter(self.folder(method, s, seed)) for seed in seeds)]
