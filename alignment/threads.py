"""One thread for small matrices: more only get in one another's way, twenty times over on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block linear algebra (numpy, scipy, scikit-learn) uses a single thread."""
    with _libraries().limit(limits=1):
        yield


@cache
def _libraries() -> Any:
    """The loaded libraries that have threads; to look for them takes longer than many a task does."""
    import sklearn.linear_model  # noqa: F401  # what it loads is to be found too

    return ThreadpoolController()
