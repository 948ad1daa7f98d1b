"""Turns the wording of a questionnaire item into a statement about the reader.

A model is told who it is in the second person, whereas questionnaires are written in the first. The rules
below know grammar only, never an item, so that no wording has to be kept in this project.
"""

from __future__ import annotations

import re

# The words that differ between "I" and "you". Verbs are the same but for "am" and (see I_WAS) "was",
# which only "I" turns: "somebody like me was" has another subject.
SECOND_PERSON = {
    "I": "you",
    "I'm": "you're",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "am": "are",
}

# Adjectives that open an item with both subject and verb left out. A word that is also a verb ("open",
# "calm") has no place here: such an item would lose its verb.
NEEDS_ARE = frozenset({"able", "afraid", "eager", "interested", "keen", "unable", "unwilling", "willing"})

FIRST_PERSON_WORD = re.compile(r"\b(?:I'm|I|(?i:me|my|mine|myself|am))\b")
I_WAS = re.compile(r"\bI((?: (?:also|always|never|often|seldom|\w+ly))?) was(?=\b|n't)")
OPENS_WITH_I = re.compile(r"I\b")
PLAIN_APOSTROPHE = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'"})

STOPS = ".!?…"
CLOSERS = "\"')]\N{RIGHT DOUBLE QUOTATION MARK}"
STOP = re.compile(f"[{STOPS}]")


def second_person(text: str, *, implied_subject: bool) -> str:
    """Says of the reader what an item says of its speaker.

    Whether the subject is left out cannot be seen from the wording: "Help strangers." describes somebody in
    one questionnaire and gives advice in another. The caller knows the questionnaire and has to say.

    Args:
        text: One item, a single sentence; blanks, apostrophes and the final stop may be untidy.
        implied_subject: True where the items leave out their "I", false where they are whole sentences.

    Returns:
        The statement, opening with a capital and closing with exactly one stop. A sentence without a first
        person is only tidied.

    Raises:
        ValueError: If there is no wording, or if an item that should leave out its "I" has one.
    """
    sentence = _tidied(text)
    if implied_subject:
        sentence = _with_subject(sentence)
    turned = FIRST_PERSON_WORD.sub(_turned_word, I_WAS.sub(r"I\1 were", sentence))
    return turned[0].upper() + turned[1:]


def _tidied(text: str) -> str:
    """The wording with plain apostrophes, single blanks and one stop at its end."""
    line = " ".join(text.translate(PLAIN_APOSTROPHE).split())
    body = line.rstrip(f"{STOPS}{CLOSERS} ")
    if not body:
        raise ValueError(f"no wording to turn into a statement: {text!r}")
    return body + _with_one_stop(line[len(body) :].replace(" ", ""))


def _with_one_stop(ending: str) -> str:
    """The first stop among the closing quotes stays where it is; quoted words may own the sentence's stop."""
    first = STOP.search(ending)
    if first is None:
        return ending + "."
    return ending[: first.end()] + STOP.sub("", ending[first.end() :])


def _with_subject(item: str) -> str:
    """Gives the item the "I" it left out, so that one set of rules turns both styles."""
    if OPENS_WITH_I.match(item):
        raise ValueError(f"the item has a subject of its own: {item!r}")
    predicate = item[0].lower() + item[1:]
    opening = re.split(r"\W", predicate, maxsplit=1)[0]
    return f"I am {predicate}" if opening in NEEDS_ARE else f"I {predicate}"


def _turned_word(match: re.Match[str]) -> str:
    """Capitals other than those of "I" carry no meaning, since the sentence is capitalised afterwards."""
    word = match[0]
    return SECOND_PERSON.get(word) or SECOND_PERSON[word.lower()]
