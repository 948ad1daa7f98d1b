"""Raw files for the faults: simulated ones, and the real ones where they are to be had; each test has its own copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from outcomes import flat_copy


@pytest.fixture(params=["simulated", "real"])
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with IPIP300.dat, IPIP120.dat, IPIP-NEO-ItemKey.xls and SD3.zip that a test may damage."""
    simulated = request.param == "simulated"
    source = request.getfixturevalue("simulated_raw" if simulated else "real_data")
    return flat_copy(source if simulated else source / "raw", tmp_path / "raw")
