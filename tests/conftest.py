"""Fixtures shared by all tests: real data where it is to be had, simulated raw files and a release built from them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import fault_table
import hub_fixtures
import pytest

from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import INSTRUMENTS

ROOT = Path(__file__).parents[1]
PEOPLE, SEED = 400, 7


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(fault_table)
    config.pluginmanager.register(hub_fixtures)


@pytest.fixture(autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the caches of whoever runs it."""
    cache = tmp_path_factory.getbasetemp() / "caches"
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(name, str(cache / name.lower()))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with raw/ and published/: PAPI_REAL_DATA, else ../shared; the test is skipped where it is absent."""
    folder = Path(os.environ.get("PAPI_REAL_DATA", ROOT.parent / "shared"))
    if not (folder / "raw").is_dir():
        pytest.skip(f"no real data: {folder}/raw is not there (set PAPI_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def simulated_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw files of 400 simulated people for every instrument; not to be changed (see `raw_copy`)."""
    folder = tmp_path_factory.mktemp("simulated") / "raw"
    simulate(folder, dict.fromkeys(INSTRUMENTS, PEOPLE), SEED)
    return folder


@pytest.fixture
def raw_copy(simulated_raw: Path, tmp_path: Path) -> Path:
    """A copy of the simulated raw files that a test may damage."""
    return Path(shutil.copytree(simulated_raw, tmp_path / "raw"))


@pytest.fixture(scope="session")
def release(simulated_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the simulated people; not to be changed."""
    folder = tmp_path_factory.mktemp("built") / "release"
    build_release(simulated_raw, folder, BuildOptions())
    return folder
