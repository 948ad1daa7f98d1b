"""Fixtures of the tests of alignment."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.options import BuildOptions
from builders.release import build_release
from papi.instruments import IPIP_300


@pytest.fixture(scope="session")
def published_release(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the 200 published people: all of them are in the split `test`."""
    folder = tmp_path_factory.mktemp("published") / "release"
    options = BuildOptions(only=(IPIP_300,), published=real_data / "published", figures=False)
    build_release(real_data / "raw" / "ipip", folder, options)
    return folder
