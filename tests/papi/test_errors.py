"""Messages say what, where, expected, got and what next; exit codes are those of the design."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papi import errors
from papi.errors import SHOWN_PLACES, InputRejected, PapiError, Place, UsageError

EXIT_CODES = {
    "UsageError": 2,
    "InputRejected": 3,
    "MissingFile": 3,
    "ItemKeyRejected": 3,
    "ReleaseRejected": 3,
    "GateFailed": 4,
    "SubjectFailed": 4,
    "NothingKnown": 4,
    "EnvironmentProblem": 5,
    "MissingExtra": 5,
    "Busy": 6,
    "RemoteFailed": 7,
    "Interrupted": 130,
}
CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, PapiError) and found is not PapiError
}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_each_class_has_the_exit_code_of_the_design_and_says_when(name: str) -> None:
    assert CLASSES[name].exit_code == EXIT_CODES[name]
    assert CLASSES[name].__doc__


def test_no_class_is_without_a_place_in_the_design() -> None:
    assert CLASSES.keys() == EXIT_CODES.keys()


def test_no_failure_leaves_with_the_code_of_success_or_of_a_difference() -> None:
    assert not {0, 1} & {each.exit_code for each in CLASSES.values()}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_a_message_says_what_where_expected_got_and_next_in_this_order(name: str) -> None:
    error = CLASSES[name]("the sky fell", where="above", expected="blue", got="green", next_step="hide")
    assert str(error).splitlines() == [
        "the sky fell",
        "  where    above",
        "  expected blue",
        "  got      green",
        "  next     hide",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert str(UsageError("the sky fell", got="green")) == "the sky fell\n  got      green"


def test_a_place_names_only_what_has_a_meaning() -> None:
    assert str(Place("a.dat", "a digit", "'x'")) == "a.dat: expected a digit, got 'x'"
    full = Place("a.dat", "a digit", "'x'", line=3, byte=0, column="i7")
    assert str(full) == "a.dat, line 3, byte 0, column i7: expected a digit, got 'x'"


def places(count: int) -> list[Place]:
    return [Place("a.dat", "1", "2", line=line) for line in range(1, count + 1)]


@given(count=st.integers(0, 200))
@settings(deadline=None, max_examples=50)
def test_at_most_twenty_places_are_shown_and_the_total_always(count: int) -> None:
    error = InputRejected("it is damaged", places=places(count))
    lines = str(error).splitlines()[1:]
    shown = min(count, SHOWN_PLACES)
    assert lines[:shown] == [f"  - {place}" for place in places(shown)]
    rest = [f"  … and {count - SHOWN_PLACES:,} more, {count:,} in all"] if count > SHOWN_PLACES else []
    assert lines[shown:] == rest
    assert error.total == count


def test_twenty_is_the_number_of_the_design() -> None:
    assert SHOWN_PLACES == 20


def test_a_total_that_was_counted_elsewhere_is_believed() -> None:
    error = InputRejected("it is damaged", places=places(20), total=1_234_567)
    assert str(error).endswith("  … and 1,234,547 more, 1,234,567 in all")


def test_one_handler_catches_them_all() -> None:
    for each in CLASSES.values():
        with pytest.raises(PapiError, match=r"^the sky fell$"):
            raise each("the sky fell")
