"""Which model answers, and how it is loaded or reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alignment.api.settings import ApiSettings
from papi.errors import UsageError

POCKET = "pocket"  # the name of the model that comes with the project
QUANTIZATIONS = ("nf4",)
DTYPES = ("float32", "bfloat16", "float16")
ATTENTIONS = ("sdpa", "eager", "flash_attention_2")


@dataclass(frozen=True)
class ModelSettings:
    """How a model is loaded. None leaves a choice to the machine or the model: float32 on a CPU, bfloat16 on a GPU."""

    name: str
    revision: str | None = None
    dtype: str | None = None
    quantize: str | None = None
    attention: str | None = None
    device_map: str | None = None
    api: ApiSettings | None = None

    def refuse_what_means_nothing(self) -> None:
        """Raise `UsageError` for values that there are not, and for options that the model has no use for."""
        one_of("--dtype", self.dtype, DTYPES)
        one_of("--quantize", self.quantize, QUANTIZATIONS)
        one_of("--attn", self.attention, ATTENTIONS)
        self._refuse_what_an_address_has_not()
        self._refuse_a_revision_of_a_folder()

    def _refuse_what_an_address_has_not(self) -> None:
        """Raise `UsageError` for options about weights where the model is behind an address."""
        given = {
            "--model-revision": self.revision,
            "--dtype": self.dtype,
            "--quantize": self.quantize,
            "--attn": self.attention,
            "--device-map": self.device_map,
        }
        for option, value in given.items():
            if self.api and value is not None:
                raise UsageError(f"{option} is for a model at hand, not for one behind an address", got=value)

    @property
    def is_folder(self) -> bool:
        """Whether a folder is meant rather than a model of the Hub."""
        return self.name == POCKET or self.name.startswith((".", "/")) or Path(self.name).is_dir()

    def _refuse_a_revision_of_a_folder(self) -> None:
        """Raise `UsageError` for a revision of what has none."""
        if self.revision is not None and self.is_folder and not self.api:
            raise UsageError("a folder with a model has no revisions", where=self.name, next_step="leave it out")


def one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Raise `UsageError` for a value that an option has not."""
    if value is not None and value not in allowed:
        raise UsageError(f"{option} has no value {value!r}", expected=", ".join(allowed), got=value)
