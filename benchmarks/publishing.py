"""Publishing and loading a release of full size: push to a loopback Hub, load_dataset of it and of a folder.

    python benchmarks/publishing.py [--release FOLDER]

Simulates 307,313 / 619,150 / 18,192 people and builds a release of them, or takes one. Every figure is of a process of
its own, with empty caches, its children included; the Hub of the tests runs in this process and is not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measure import Cost, cost_of_command, report

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from hub_server import Hub, running  # noqa: E402

PAPI = [sys.executable, "-m", "papi"]
REPO = "palign/papi"
TAG = "v1.0.0"
LOAD = "import sys, datasets; print(datasets.load_dataset(*sys.argv[1:]).num_rows)"
ALL = (
    "import sys, datasets\n"
    "for name in ('ipip-neo-300', 'ipip-neo-120', 'dark-triad', 'items'):\n"
    "    print(datasets.load_dataset(sys.argv[1], name, revision=sys.argv[2]).num_rows)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", type=Path, help="a release of version 1.0.0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Hub()) as hub:
        work = Path(folder)
        release = options.release or _build(work)
        push = [*PAPI, "push", str(release), REPO, "--tag", TAG, "--allow-simulated"]
        figures = _figures("push", cost_of_command(push, **hub.environment, HF_HOME=str(work / "push")))
        figures |= {"push_requests": len(hub.heard), "release_megabytes": _megabytes(release)}
        again = cost_of_command(push, **hub.environment, HF_HOME=str(work / "again"))
        figures |= _figures("push_of_what_is_there", again)
        verify = cost_of_command([*PAPI, "verify", REPO, "--revision", TAG], **hub.environment)
        figures |= _figures("verify_from_hub", verify)
        figures |= _loads(release, hub, work)
    report("publishing at full size", [(name, str(value)) for name, value in figures.items()], figures)


def _build(work: Path) -> Path:
    cost_of_command([*PAPI, "simulate", str(work / "raw"), "--full"])
    cost_of_command([*PAPI, "build", str(work / "raw"), str(work / "release"), "--version", "1.0.0"])
    return work / "release"


def _loads(release: Path, hub: Hub, work: Path) -> dict[str, float]:
    """`load_dataset` in fresh processes with empty caches; what importing `datasets` alone costs stands beside it."""
    python = [sys.executable, "-c"]
    every = cost_of_command([*python, ALL, REPO, TAG], **hub.environment, HF_HOME=str(work / "every"))
    local = cost_of_command([*python, LOAD, str(release), "ipip-neo-300"], HF_HOME=str(work / "local"))
    warm = cost_of_command([*python, LOAD, str(release), "ipip-neo-300"], HF_HOME=str(work / "local"))
    nothing = cost_of_command([*python, "import datasets"], HF_HOME=str(work / "nothing"))
    return (
        _figures("load_dataset_all_configs_from_hub", every)
        | _figures("load_dataset_ipip_neo_300_from_folder_cold", local)
        | _figures("load_dataset_ipip_neo_300_from_folder_again", warm)
        | _figures("import_datasets", nothing)
    )


def _figures(what: str, cost: Cost) -> dict[str, float]:
    return {f"{what}_seconds": round(cost.seconds, 1), f"{what}_peak_megabytes": round(cost.megabytes)}


def _megabytes(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)


if __name__ == "__main__":
    main()
