"""One thread for small matrices: more only get in one another's way, twenty times over on a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block linear algebra uses a single thread, that of scikit-learn too where it has been imported."""
    with _libraries("sklearn" in sys.modules).limit(limits=1):
        yield


@cache
def _libraries(with_sklearn: bool) -> Any:
    """The loaded libraries that have threads, which takes longer to look up than many a task; scikit-learn, which not
    all methods need, brings some of its own."""
    return ThreadpoolController()
