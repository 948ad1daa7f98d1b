"""A loopback Hub, two versions of a small release, and the real clients pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, Repository, content_of, running

from builders.options import BuildOptions
from builders.release import build_release
from builders.simulate import simulate
from papi.instruments import DARK_TRIAD

REPO = "palign/papi"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A Hub that the clients of this process and of its children talk to, with a cache of the test's own."""
    from huggingface_hub import close_session, constants

    with running(Hub()) as served:
        for name, value in (served.environment | {"HF_HOME": str(tmp_path / "cache")}).items():
            monkeypatch.setenv(name, value)
        for name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE"):
            monkeypatch.delenv(name)
        # what the client has read from the environment when it was imported
        files = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        read = {"ENDPOINT": served.url, "HUGGINGFACE_CO_URL_TEMPLATE": files, "HF_HUB_DISABLE_XET": True}
        for name, known in (read | {"HF_HUB_CACHE": str(tmp_path / "cache" / "hub")}).items():
            monkeypatch.setattr(constants, name, known)
        yield served
        close_session()


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Releases 1.0.0 and 2.0.0 of the Dark Triad: 40 people, which leaves test_population small, and 60 others."""
    folder = tmp_path_factory.mktemp("versions")
    for number, people in ((1, 60), (2, 40)):
        simulate(folder / f"raw-{number}", {DARK_TRIAD: people}, number)
        options = BuildOptions(only=(DARK_TRIAD,), version=f"{number}.0.0", figures=False)
        build_release(folder / f"raw-{number}", folder / f"v{number}", options)
    return folder / "v1", folder / "v2"


@pytest.fixture
def published(hub: Hub, versions: tuple[Path, Path]) -> Repository:
    """The repository with version 1.0.0, tagged, and a shard that version 2.0.0 has not."""
    repository = Repository()
    repository.commit("initial commit", {".gitattributes": b""})
    first = repository.commit("PAPI 1.0.0", content_of(versions[0]) | {".gitattributes": b""})
    repository.tags["v1.0.0"] = first.oid
    hub.repositories[REPO] = repository
    return repository
