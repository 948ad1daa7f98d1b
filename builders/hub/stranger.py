"""Load a published version as somebody would who knows nothing of this project; print the rows it has.

Run as a script, in a process of its own: `stranger.py REPOSITORY REVISION CONFIG…`. It imports `datasets` alone.
"""

from __future__ import annotations

import json
import sys


def main(repository: str, revision: str, configs: list[str]) -> None:
    """Print one JSON object: the rows by config and split."""
    import datasets

    datasets.disable_progress_bars()
    loaded = {name: datasets.load_dataset(repository, name, revision=revision) for name in configs}
    print(json.dumps({name: dict(splits.num_rows) for name, splits in loaded.items()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
