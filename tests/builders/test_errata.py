"""The errata of the predecessor come out of the raw files: on the real ones the known figures, digit for digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders.errata import errata
from papi.errors import MissingFile
from papi.instruments import DARK_TRIAD, IPIP_300

FLOORS_OF_THE_200 = {
    "constant-5": (8.28, 9.54),
    "uniform": (6.95, 6.95),
    "constant-4": (4.01, 5.00),
    "constant-3": (3.84, 3.84),
    "item-median": (2.87, 2.87),
    "facet-mean": (2.88, 2.88),
    "facet-mean, rounded": (2.71, 2.71),
    "ridge": (2.33, 2.33),
    "ridge, rounded": (1.99, 1.99),
}


@pytest.fixture(scope="module")
def real(real_data: Path) -> dict[str, Any]:
    return errata(real_data / "raw", real_data / "published")


@pytest.mark.parametrize("floor", FLOORS_OF_THE_200)
def test_the_floors_of_the_real_people_are_the_known_ones(real: dict[str, Any], floor: str) -> None:
    found = real[IPIP_300]["floors"]
    both = found["published_labels"][floor], found["responses"][floor]
    assert both == pytest.approx(FLOORS_OF_THE_200[floor], abs=0.006)


def test_a_constant_answer_beats_the_published_table(real: dict[str, Any]) -> None:
    assert real[IPIP_300]["floors"]["published_labels"]["constant-3"] < real["published_sum"]


def test_the_labels_of_148_items_contradict_the_statements(real: dict[str, Any]) -> None:
    labels = real[IPIP_300]["labels"]
    assert (labels["items"], labels["contradicting_items"], labels["cells"]) == (300, 148, 60_000)
    assert labels["wrong_share"] == pytest.approx(0.331, abs=0.0005)
    assert real[IPIP_300]["alpha"] == {
        "as_stored": pytest.approx(0.885, abs=5e-4),
        "reversed_again": pytest.approx(-0.045, abs=5e-4),
    }
    assert real[IPIP_300]["impossible_dates"] == {"months_as_1_12": 19, "months_as_0_11": 0}


def test_the_dark_triad_has_right_labels(real: dict[str, Any]) -> None:
    found = real[DARK_TRIAD]
    assert found["subjects"] == {"people": 300, "who": "published list, 300 of 300 found"}
    assert found["floors"]["responses"]["constant-3"] == pytest.approx(3.21, abs=0.006)
    assert found["floors"]["responses"]["item-median"] == pytest.approx(2.59, abs=0.01)
    assert found["floors"]["responses"]["ridge"] == pytest.approx(1.81, abs=0.05)
    alpha = found["alpha"]
    assert alpha["as_answered"]["N"] < 0.5 < alpha["in_the_direction_of_the_trait"]["N"]


def test_without_a_list_people_from_all_over_the_file_are_taken(simulated_raw: Path) -> None:
    found = errata(simulated_raw)
    assert found[IPIP_300]["subjects"] == {"people": 300, "who": "no published list: every k-th person"}
    assert found[IPIP_300]["labels"]["contradicting_items"] == 148
    assert found[IPIP_300]["alpha"]["reversed_again"] < 0.1 < 0.7 < found[IPIP_300]["alpha"]["as_stored"]


def test_without_the_long_form_there_is_nothing_to_say(simulated_raw: Path, tmp_path: Path) -> None:
    (tmp_path / "SD3.zip").write_bytes((simulated_raw / "SD3.zip").read_bytes())
    with pytest.raises(MissingFile, match="ipip-neo-300"):
        errata(tmp_path)
