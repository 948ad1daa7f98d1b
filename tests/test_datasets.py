"""A release folder as a consumer meets it: through `datasets`, without this project."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

import papi
from papi.columns import columns_of
from papi.instruments import CONFIGS, DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    datasets.disable_progress_bars()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_loads_with_the_types_of_its_columns(release: Path, config: str) -> None:
    loaded = datasets.load_dataset(str(release), config)
    for split in loaded.values():
        assert split.column_names == [column.name for column in columns_of(config)]
        for column in columns_of(config):
            feature = split.features[column.name]
            if column.classes:
                assert feature == datasets.ClassLabel(names=list(column.classes))
            else:
                assert feature == datasets.Value(column.kind)


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_every_split_streams(release: Path, config: str) -> None:
    streams = datasets.load_dataset(str(release), config, streaming=True)
    loaded = datasets.load_dataset(str(release), config)
    assert list(streams) == list(loaded) == ["dev", "test", "test_population"]
    for name, stream in streams.items():
        assert next(iter(stream)) == loaded[name][0]
        assert sum(1 for _ in stream) == loaded[name].num_rows


def test_the_first_config_is_the_default(release: Path) -> None:
    assert "i300" in datasets.load_dataset(str(release))["test"].column_names


def test_a_missing_answer_is_null_and_never_zero(release: Path) -> None:
    people = datasets.load_dataset(str(release), IPIP_300, split="dev")
    answers = people.select_columns([f"i{n}" for n in range(1, 301)]).to_pandas().to_numpy(dtype=float)
    missing = answers != answers
    assert 0 < missing.mean() < 0.02
    assert set(answers[~missing]) == {1, 2, 3, 4, 5}
    assert missing.sum() == sum(people["n_missing"])


def test_classes_are_read_by_name(release: Path) -> None:
    source = datasets.load_dataset(str(release), DARK_TRIAD, split="dev").features["source"]
    assert [source.int2str(code) for code in range(3)] == ["front_page", "search", "other"]


def test_the_filter_of_the_card_gives_the_people_without_a_flag(release: Path) -> None:
    people = datasets.load_dataset(str(release), IPIP_120, split="dev")
    assert 'not any(row[f] for f in row if f.startswith("flag_"))' in (release / "README.md").read_text()
    clean = people.filter(lambda row: not any(row[f] for f in row if f.startswith("flag_")))
    assert clean["subject_id"][:] == papi.load(release, IPIP_120, split="dev", unflagged=True)["subject_id"].tolist()
