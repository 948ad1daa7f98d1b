"""The gates let sound people pass and fire at each corruption that they are there for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.options import BuildOptions
from builders.raw.ipip_dat import read_ipip_dat
from builders.raw.table import RawTable
from builders.release import build_release
from builders.respondents import respondents
from papi.errors import GateFailed, UsageError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, IPIP_120, IPIP_300, Instrument, instrument
from papi.people import draw_people, draw_responses
from papi.scoring import Answers, responses_from_stored, scores_from_responses, stored_from_responses, turned
from validation.answer_evidence import AnswerEvidence
from validation.careless import careless_indices
from validation.gates import (
    ALLOWED,
    FAILED,
    NOT_ASSESSED,
    PASSED,
    Finding,
    assess,
    gate_names,
    refuse_failures,
)
from validation.reference import reference_means

PSYCHOMETRIC = {"keying", "item", "row-keying", "key-alignment", "fingerprint", "reliability"}
IPIP_FORMS = (IPIP_300, IPIP_120)
Damage = Callable[[Answers, Instrument], Answers]


@cache
def stored(name: str, people: int = 300, seed: int = 1) -> Answers:
    of = instrument(name)
    return stored_from_responses(draw_responses(draw_people(of, people, seed), of, seed), of)


def evidence(name: str, answers: Answers, **counted: Any) -> AnswerEvidence:
    of = instrument(name)
    responses = responses_from_stored(np.asfortranarray(answers), of)
    scores = scores_from_responses(responses, of)
    return AnswerEvidence(of, scores, "simulated", careless_indices(responses, scores, of), **counted)


def verdicts(findings: list[Finding]) -> set[str]:
    return {finding.verdict for finding in findings}


def fired(findings: list[Finding]) -> set[str]:
    return {finding.gate for finding in findings if finding.verdict == FAILED}


def reverse_again(answers: Answers, of: Instrument) -> Answers:
    return turned(answers, of.keyed < 0)


def reverse_every_other_row_again(answers: Answers, of: Instrument) -> Answers:
    even = (np.arange(len(answers)) % 2 == 0)[:, None]
    return np.where(even, turned(answers, of.keyed < 0), answers)


def shift(by: int) -> Damage:
    return lambda answers, of: np.roll(answers, by, axis=1)


def order_by_text(answers: Answers, of: Instrument) -> Answers:
    """i1, i10, i100, i101, … as a sort of names would have it."""
    return answers[:, np.argsort(of.item_names)]


def swap_first_domains(answers: Answers, of: Instrument) -> Answers:
    result, (first, second) = answers.copy(), (domain.positions for domain in of.domains[:2])
    result[:, first], result[:, second] = answers[:, second], answers[:, first]
    return result


def reverse_one_item(answers: Answers, of: Instrument) -> Answers:
    return turned(answers, np.arange(len(of.items)) == 10)


CORRUPTIONS: dict[str, tuple[Damage, set[str]]] = {
    "reversed again": (reverse_again, {"keying", "item", "row-keying", "fingerprint", "reliability"}),
    "half the rows": (reverse_every_other_row_again, {"row-keying"}),
    "columns + 1": (shift(1), {"fingerprint"}),
    "columns − 1": (shift(-1), {"fingerprint"}),
    "columns + 30": (shift(30), {"fingerprint"}),
    "columns − 30": (shift(-30), {"fingerprint"}),
    "lexicographic": (order_by_text, {"fingerprint", "reliability"}),
    "domains": (swap_first_domains, {"fingerprint"}),
    "one item": (reverse_one_item, {"item"}),
}


@pytest.mark.parametrize("people", [300, 3_000])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_sound_people_pass_every_gate(name: str, people: int) -> None:
    findings = assess(evidence(name, stored(name, people)))
    assert verdicts(findings) <= {PASSED, NOT_ASSESSED}
    assert people < 1_000 or [f.statistic for f in findings if f.verdict == NOT_ASSESSED] == [
        "largest distance of an item mean from that stored for this pinned file"
    ]


@pytest.mark.parametrize("corruption", CORRUPTIONS)
@pytest.mark.parametrize(("name", "people"), [(IPIP_300, 300), (IPIP_120, 300), (IPIP_120, 3_000)])
def test_each_corruption_fires_the_gate_that_is_there_for_it(name: str, people: int, corruption: str) -> None:
    damage, expected = CORRUPTIONS[corruption]
    findings = fired(assess(evidence(name, damage(stored(name, people), instrument(name)))))
    shifted = {"key-alignment"} if name == IPIP_300 and corruption.startswith("columns") else set()
    assert findings >= expected | shifted


@pytest.mark.parametrize("corruption", ["reversed again", "columns + 1", "columns − 1", "domains", "one item"])
def test_the_dark_triad_is_guarded_too(corruption: str) -> None:
    of = instrument(DARK_TRIAD)
    assert "item" in fired(assess(evidence(DARK_TRIAD, CORRUPTIONS[corruption][0](stored(DARK_TRIAD), of))))


def test_swapped_domains_are_invisible_to_alpha_and_keying() -> None:
    """Why the fingerprint is there at all."""
    swapped = swap_first_domains(stored(IPIP_300), instrument(IPIP_300))
    assert fired(assess(evidence(IPIP_300, swapped))) == {"fingerprint"}


@pytest.fixture
def records(simulated_raw: Path) -> list[bytes]:
    return (simulated_raw / "IPIP300.dat").read_bytes().split(b"\r\n")


def findings_of(records: list[bytes]) -> list[Finding]:
    table: RawTable = read_ipip_dat(b"\r\n".join(records), IPIP_300, "IPIP300.dat")
    return respondents(table, instrument(IPIP_300), "simulated", min_country=500).findings


def test_a_file_appended_to_itself_is_found_and_so_is_a_single_case_number_twice(records: list[bytes]) -> None:
    assert fired(findings_of(records)) == set()
    assert fired(findings_of(records * 2)) == {"duplicates"}
    doubled = [records[0], records[0][:6] + records[1][6:], *records[2:]]
    assert fired(findings_of(doubled)) == {"duplicates"}


def test_a_row_in_a_thousand_may_be_impossible_and_no_more(records: list[bytes]) -> None:
    wrong_sex = [record[:6] + b"7" + record[7:] for record in records]
    assert fired(findings_of([wrong_sex[0], *records[1:]])) == {"impossible-values"}
    many = stored(IPIP_120, 3_000)
    assert fired(assess(evidence(IPIP_120, many, impossible_rows=3))) == set()
    assert fired(assess(evidence(IPIP_120, many, impossible_rows=4))) == {"impossible-values"}


def test_two_copies_are_tolerated_in_the_ipip_and_their_share_in_the_dark_triad() -> None:
    assert fired(assess(evidence(IPIP_120, stored(IPIP_120), copies=2))) == set()
    assert fired(assess(evidence(IPIP_120, stored(IPIP_120), copies=3))) == {"duplicates"}
    many = stored(DARK_TRIAD, 3_000)
    assert fired(assess(evidence(DARK_TRIAD, many, copies=12))) == set()
    assert fired(assess(evidence(DARK_TRIAD, many, copies=13))) == {"duplicates"}


@pytest.mark.parametrize(("name", "share"), [(IPIP_300, 0.01), (IPIP_120, 0.01), (DARK_TRIAD, 0.03)])
def test_too_many_people_with_too_many_gaps_fire(name: str, share: float) -> None:
    answers = np.where(stored(name) == 0, 3, stored(name)).astype(np.int8)
    limit = round(share * len(answers))
    for people, expected in ((limit, set()), (limit + 1, {"missing"})):
        gaps = answers.copy()
        gaps[:people, : instrument(name).missing_limit + 1] = 0
        assert fired(assess(evidence(name, gaps))) == expected


def test_an_item_that_many_leave_out_fires_in_large_files() -> None:
    gaps = stored(IPIP_120, 3_000).copy()
    gaps[::40, 7] = 0
    assert fired(assess(evidence(IPIP_120, gaps))) == {"missing"}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_below_fifty_people_no_psychometric_gate_is_assessed(name: str) -> None:
    damaged = reverse_again(stored(name), instrument(name))
    for people in (49, 50):
        findings = assess(evidence(name, damaged[:people]))
        psychometric = [finding for finding in findings if finding.gate in PSYCHOMETRIC]
        assert (verdicts(psychometric) == {NOT_ASSESSED}) == (people == 49)
        assert all(f.value is None for f in psychometric if f.verdict == NOT_ASSESSED)


def test_means_stored_for_a_pinned_file_must_be_met_to_half_a_hundredth() -> None:
    own = evidence(DARK_TRIAD, stored(DARK_TRIAD)).moments.means
    for distance, expected in ((0.0049, set()), (0.0051, {"fingerprint"})):
        pinned = own + distance * (np.arange(27) == 3)
        assert fired(assess(evidence(DARK_TRIAD, stored(DARK_TRIAD), pinned_means=pinned))) == expected


def test_real_means_are_not_those_of_the_simulators_people() -> None:
    of = instrument(IPIP_300)
    assert np.corrcoef(reference_means("real", of), reference_means("simulated", of))[0, 1] < 0.9


def test_an_allowed_gate_still_says_that_it_failed_and_stops_nobody() -> None:
    damaged = evidence(IPIP_120, reverse_one_item(stored(IPIP_120), instrument(IPIP_120)))
    refused, allowed = assess(damaged), assess(damaged, ["item"])
    assert {finding.gate for finding in allowed if finding.verdict == ALLOWED} == {"item"} == fired(refused)
    assert ALLOWED == "failed, allowed"
    refuse_failures(allowed)
    with pytest.raises(GateFailed, match=r"(?s)item \(ipip-neo-120\).*fires below -0\.05.*--allow-gate item"):
        refuse_failures(refused)


def test_allowing_one_gate_allows_no_other() -> None:
    damaged = evidence(IPIP_300, reverse_again(stored(IPIP_300), instrument(IPIP_300)))
    with pytest.raises(GateFailed) as caught:
        refuse_failures(assess(damaged, ["keying", "item"]))
    assert caught.value.what == "the data fail gates: fingerprint, reliability, row-keying"
    assert caught.value.exit_code == 4
    refuse_failures(assess(damaged, gate_names()))


def test_a_gate_that_does_not_exist_cannot_be_allowed(simulated_raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gate is called 'alpha'"):
        build_release(simulated_raw, tmp_path / "release", BuildOptions(allow_gates=("alpha",)))


def test_what_cannot_be_computed_does_not_pass() -> None:
    """Sixty straight-liners: of nobody can it be said whether + and − items contradict each other."""
    straight = np.repeat(np.arange(60)[:, None] % 5 + 1, 300, axis=1).astype(np.int8)
    findings = assess(evidence(IPIP_300, stored_from_responses(straight, instrument(IPIP_300))))
    assert [finding.verdict for finding in findings if finding.gate == "row-keying"] == [FAILED]


@pytest.mark.parametrize("answer", [0, 3])
def test_a_file_in_which_everybody_answers_the_same_fails_without_a_warning(answer: int) -> None:
    findings = assess(evidence(IPIP_300, np.full((60, 300), answer, dtype=np.int8)))
    assert fired(findings) >= {"keying", "reliability"}
