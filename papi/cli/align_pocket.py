"""`papi align demo` and `papi align pocket-train`: the small model that comes with the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from papi.cli.align_report import report
from papi.cli.console import examples, path_argument, path_option, progress_lines
from papi.instruments import IPIP_300, TEST_POPULATION

DEMO_PEOPLE, DEMO_SEED = 1500, 1  # simulated people; the pocket respondent was trained on others
DEMO_EXAMPLES = examples("papi align demo", "papi align demo --out somewhere --subjects 5")
TRAIN_EXAMPLES = examples("papi align pocket-train my-pocket", "papi align pocket-train quick --steps 100")


def demo(
    out: Annotated[Path, path_option("Folder for the release, the run and its report.")] = Path("papi-align-demo"),
    subjects: Annotated[int, typer.Option(help="Subjects of test_population.", min=1)] = 20,
) -> None:
    """Run every method that trains nothing on the pocket respondent, offline, and report: a check of code and order."""
    from alignment.model_settings import POCKET, ModelSettings
    from alignment.runs.settings import UNTRAINED, RunSettings
    from alignment.runs.start import run
    from alignment.sharing import Share

    progress = progress_lines()
    release = _simulated_release(out, progress)
    model = ModelSettings(POCKET)
    settings = RunSettings(str(release), UNTRAINED, model, IPIP_300, TEST_POPULATION, subjects)
    run(settings, out / "run", Share(), progress)
    report([out / "run"], out / "report")
    for name, why in settings.unavailable.items():
        print(f"{name}: {why}")
    print("simulated people and a model trained on such: this checks code and the order of methods, not psychology")


def pocket_train(
    out: Annotated[Path, path_argument("Folder for the model.")],
    steps: Annotated[int | None, typer.Option(help="Optimiser steps; fewer make a worse model.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Of people, prompts and first weights.", min=0)] = None,
) -> None:
    """Train the pocket respondent anew from the model of simulated people; about seven minutes on one core."""
    from alignment.pocket.train import SEED, STEPS, train_pocket

    steps, progress = steps or STEPS, progress_lines()

    def tell(step: int, loss: float) -> None:
        if step % 100 == 0 or step == steps - 1:
            progress(f"step {step + 1} of {steps}: loss {loss:.4f}")

    train_pocket(out, steps=steps, seed=SEED if seed is None else seed, progress=tell)
    print(f"{out}: use it with papi align run --model {out}")


def _simulated_release(out: Path, progress: Callable[[str], None]) -> Path:
    """A small release of simulated people, made at the first demo."""
    from builders.options import BuildOptions
    from builders.release import build_release
    from builders.simulate import simulate

    release = out / "release"
    if not release.is_dir():
        if not (out / "raw").is_dir():
            simulate(out / "raw", {IPIP_300: DEMO_PEOPLE}, DEMO_SEED, progress)
        build_release(out / "raw", release, BuildOptions(only=(IPIP_300,), figures=False), progress)
    return release


demo.__doc__ = f"{demo.__doc__}\n\n{DEMO_EXAMPLES}"
pocket_train.__doc__ = f"{pocket_train.__doc__}\n\n{TRAIN_EXAMPLES}"
