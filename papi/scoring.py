"""Between stored answers, responses and scores.

A *response* is what the person answered to the statement (1-5); a *score* is the response in the direction of the
trait (6 − response for items keyed −1); *stored* is what Johnson's files hold, which is the score. Turning is its own
inverse, and a missing answer (0) stays missing. Matrices have the shape (people, items), int8, Fortran order: a
column is one item.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from papi.instruments import MAXIMUM, MINIMUM, MISSING, Instrument, Scale

Answers = NDArray[np.int8]
TURN = MINIMUM + MAXIMUM


def turned(answers: Answers, columns: NDArray[np.bool_]) -> Answers:
    """A copy with 6 − x in the chosen columns; missing stays missing."""
    result = answers.copy(order="F")
    for j in np.flatnonzero(columns):
        turn_column(result[:, j])
    return result


def rows_of(answers: Answers, rows: NDArray[np.intp]) -> Answers:
    """Some rows in some order, still in Fortran order; column by column, which is many times faster than at once."""
    result = np.empty((len(rows), answers.shape[1]), dtype=np.int8, order="F")
    for j in range(answers.shape[1]):
        np.take(answers[:, j], rows, out=result[:, j])
    return result


def turn_column(column: Answers) -> None:
    """6 − x in place; missing stays missing."""
    np.subtract(TURN, column, out=column, where=column != MISSING)


def responses_from_stored(stored: Answers, instrument: Instrument) -> Answers:
    """What each person answered to the statements shown."""
    return turned(stored, instrument.stored_reversed)


def stored_from_responses(responses: Answers, instrument: Instrument) -> Answers:
    """What the raw file of the instrument would hold."""
    return turned(responses, instrument.stored_reversed)


def scores_from_responses(responses: Answers, instrument: Instrument) -> Answers:
    """Each response in the direction of its trait."""
    return turned(responses, instrument.keyed < 0)


def scale_score(item_scores: Answers, scale: Scale) -> NDArray[np.float32]:
    """Mean score of the answered items of a scale, NaN where fewer than half are answered.

    Sums are exact integers and the division is correctly rounded, so the value does not depend on the machine.
    """
    total = np.zeros(len(item_scores), dtype=np.int16)
    answered = np.zeros(len(item_scores), dtype=np.int16)
    for j in scale.positions:
        total += item_scores[:, j]
        answered += item_scores[:, j] != MISSING
    enough = 2 * answered >= len(scale.positions)
    mean = np.full(len(item_scores), np.nan, dtype=np.float32)
    np.divide(total, answered, out=mean, where=enough, dtype=np.float32)
    return mean
