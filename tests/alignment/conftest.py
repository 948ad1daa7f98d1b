"""Fixtures of the tests of alignment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from run_settings import settings
from tiny_models import tiny_model, tiny_tokenizer

from alignment.benchmark import Benchmark, read_benchmark
from alignment.prompts import read_prompts
from alignment.respondent.respondent import Respondent
from alignment.runs.loop import RunReport
from alignment.runs.start import run
from alignment.sharing import Share
from builders.options import BuildOptions
from builders.release import build_release
from papi.instruments import DARK_TRIAD, IPIP_300


@pytest.fixture(scope="session")
def published_release(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the 200 published people: all of them are in the split `test`."""
    folder = tmp_path_factory.mktemp("published") / "release"
    options = BuildOptions(only=(IPIP_300,), published=real_data / "published", figures=False)
    build_release(real_data / "raw" / "ipip", folder, options)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random model."""
    folder = tmp_path_factory.mktemp("model")
    tiny_model("llama", attention="sdpa").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def whole(release: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert run(settings(release, tiny), out, Share()) == RunReport(done=18, before=0, failures=[], complete=True)
    return out


@pytest.fixture(scope="module")
def benchmark_(release: Path) -> Benchmark:
    """Twenty subjects of the Dark Triad, so that what is fitted on other subjects has some."""
    found = read_benchmark(release, DARK_TRIAD, "test_population")
    return replace(found, subjects=found.subjects[:20], held_out_answers=found.held_out_answers[:20])


@pytest.fixture(scope="module")
def someone() -> Respondent:
    """A tiny random model that is asked the Dark Triad."""
    return Respondent(tiny_model("llama", attention="sdpa"), tiny_tokenizer(), read_prompts(DARK_TRIAD))
