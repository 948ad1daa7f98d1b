"""The same raw files and options give the same bytes, whatever the machine is set to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"}
OTHER = {
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "99",
}


def build(raw: Path, out: Path, settings: dict[str, str]) -> bytes:
    command = [sys.executable, "-m", "papi", "build", str(raw), str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | settings
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=out.parent, timeout=120)
    return (out / "manifest.json").read_bytes()


def test_threads_locale_time_zone_and_hash_seed_leave_no_trace(simulated_raw: Path, tmp_path: Path) -> None:
    manifest = build(simulated_raw, tmp_path / "one", ONE)
    assert build(simulated_raw, tmp_path / "other", OTHER) == manifest
    written = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*.*")}
    assert json.loads(manifest)["files"].keys() == written - {"manifest.json"}
