"""What a user decides about a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from alignment.hyperparameters import hyperparameters
from alignment.labels import LABELS, RESPONSES
from alignment.methods.contract import Method
from alignment.methods.registry import chosen_methods
from alignment.model_settings import POCKET, ModelSettings, one_of
from alignment.prompts import BOTH, ORDERS
from papi.errors import UsageError
from papi.instruments import DEFAULT_CONFIG, TEST

UNTRAINED = ("floor", "prompting", "steering")  # families
NEEDS_WRITING = ("p2",)
NEEDS_WEIGHTS = ("steering", "training")  # families


@dataclass(frozen=True)
class OpenSettings:
    """Open questions in place of the options: so many held-out items, the project's own situations, tokens a text."""

    items: int = 10
    own: bool = True
    most_tokens: int = 120

    def __post_init__(self) -> None:
        if self.items < 0 or self.most_tokens < 1 or not (self.items or self.own):
            got = f"{self.items} items, {self.most_tokens} tokens"
            expected = "--open 1 or more, or 0 with the own situations; --most-tokens 1 or more"
            raise UsageError("there is nothing to tell", expected=expected, got=got)

    def described(self) -> dict[str, int | bool]:
        """For the run's configuration."""
        return asdict(self)


@dataclass(frozen=True)
class RunSettings:
    """What is run on what. `release` is a folder or a repository on the Hub, at `revision`.

    Trained methods are trained with so many `seeds`, from `seed` on; `replaced` are hyperparameters METHOD.KEY=VALUE.
    """

    release: str
    methods: tuple[str, ...]
    model: ModelSettings | None = None
    config: str = DEFAULT_CONFIG
    split: str = TEST
    subjects: int | None = None
    labels: str = RESPONSES
    prompts: Path | None = None
    option_order: str = "forward"
    descriptions: Path | None = None
    seed: int = 0
    min_mass: float = 0.5
    revision: str | None = None
    retry_failed: bool = False
    seeds: int = 3
    replaced: tuple[str, ...] = ()
    save_adapters: bool = False
    open_ended: OpenSettings | None = None

    def chosen(self) -> list[Method]:
        """The methods. Raises `UsageError` for options that mean nothing, alone or together."""
        one_of("--labels", self.labels, LABELS)
        one_of("--option-order", self.option_order, (*ORDERS, BOTH))
        if self.model:
            self.model.refuse_what_means_nothing()
        if not 0 <= self.min_mass <= 1:
            raise UsageError("the least option mass is a probability", expected="0 to 1", got=str(self.min_mass))
        if self.seeds < 1:
            raise UsageError("a training needs a seed", expected="--seeds 1 or more", got=str(self.seeds))
        self._refuse_unused()
        if self.subjects is not None and self.subjects < 1:
            raise UsageError("there is nobody to ask", expected="--subjects 1 or more", got=str(self.subjects))
        chosen = [method for method in self._named() if method.name not in self.unavailable]
        if not chosen:
            advice = "papi align methods lists them; --method all takes all that the model can do"
            got = ", ".join(f"{name}: {why}" for name, why in self.unavailable.items()) or None
            raise UsageError("there is no method to run", expected="--method NAME", got=got, next_step=advice)
        self._refuse_open()
        needing = [method.name for method in chosen if not method.is_floor]
        if needing and self.model is None:
            advice = "name a folder or a model of the Hub, or pocket with a simulated release"
            raise UsageError(f"{needing[0]} needs a model", expected="--model NAME_OR_PATH", next_step=advice)
        return chosen

    def _refuse_unused(self) -> None:
        """Raise `UsageError` for hyperparameters that there are not, or of methods that are not run."""
        named = self._named()
        hyperparameters(self.replaced)
        for text in self.replaced:
            method = text.partition(".")[0].strip()
            if method not in [each.name for each in named]:
                what, advice = f"--set is for {method}, which is not run", f"add --method {method}, or leave it out"
                expected = f"a method of {', '.join(each.name for each in named)}"
                raise UsageError(what, expected=expected, got=text, next_step=advice)
        if self.save_adapters and not any(each.is_trained for each in named):
            raise UsageError("--save-adapters is for methods that are trained", next_step="add one, or leave it out")

    def _refuse_open(self) -> None:
        """Raise `UsageError` for what open questions do not go with."""
        if self.open_ended and self.save_adapters:
            raise UsageError("--save-adapters is for runs of the options, not for --open", next_step="leave one out")
        if self.open_ended and self.model and self.model.name == POCKET:
            raise UsageError("the pocket respondent writes no text", next_step="name another --model for --open")

    @property
    def training_seeds(self) -> list[int]:
        """The seeds that every trained method is trained with; texts are written with the first only."""
        if self.open_ended:
            return [self.seed]
        return list(range(self.seed, self.seed + self.seeds))

    @property
    def unavailable(self) -> dict[str, str]:
        """Methods asked for that the model cannot do, with why."""
        named = self._named()
        if self.open_ended:
            floors = {method.name: "n/a: a floor has nothing to tell" for method in named if method.is_floor}
            return floors | replace(self, open_ended=None).unavailable
        if self.model and self.model.api:
            why = "n/a behind --api-url, since it needs the model's weights"
            return {method.name: why for method in named if method.family in NEEDS_WEIGHTS}
        if self.model and self.model.name == POCKET:
            why = "n/a with the pocket respondent, which writes no text"
            return {method.name: why for method in named if method.name in NEEDS_WRITING}
        return {}

    def _named(self) -> list[Method]:
        return chosen_methods(self.methods)
