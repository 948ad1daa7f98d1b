"""The texts that a model is given: a data file of the project's own, or a user's in the same format.

A file is TOML or JSON with any of the keys of `alignment/tables/prompts.toml`, at the top or under the name of an
instrument. What a user's file leaves out keeps the project's text, and so do the texts that the project has for one
instrument alone (`[dark-triad]`), unless the file has them under that name. What a run was made with is stored in its
folder.
"""

from __future__ import annotations

import json
import string
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alignment.questions import Question
from papi.errors import InputRejected, Place
from papi.files import read_bytes
from papi.instruments import INSTRUMENTS, MAXIMUM, MINIMUM
from papi.tables import read_toml

LETTERS = "ABCDE"  # of the options, in the order in which they stand in the question
OPTIONS = range(MINIMUM, MAXIMUM + 1)
LOWER_CASE = "lower case"
Order = Literal["forward", "reversed"]
ORDERS: tuple[Order, ...] = ("forward", "reversed")
BOTH = "both"  # orders, averaged
LEVEL_CUTS = (-1.5, -0.5, 0.5, 1.5)  # standard deviations between the five levels of a trait

# What may stand in braces in each text; the first is required.
FIELDS = {
    "system": (),
    "question": (("statement", "item"), "options"),
    "option": (("letter",), "label"),
    "item_when_asked": (),
    "assistant_when_asked": (),
    "letter_only": (),
    "few_shot": (("pairs",),),
    "pair": (("statement", "item"), "label"),
    "pair_separator": (),
    "average_person": (),
    "trait_levels": (("levels",),),
    "trait": (("level",), "trait"),
    "trait_separator": (),
    "describe": (("pairs",),),
    "described": (("description",),),
    "open_item": (("statement", "item"),),
    "open_situation": (("question",),),
    "told_open": (),
}
LISTS = {
    "labels": MAXIMUM,
    "levels": 5,
    "assistant_when_probed": 2,
    "told_letter": 2,
}  # keys that are lists, with their lengths
NOTES = {"source", "format"}  # keys that say something of the file itself


@dataclass(frozen=True)
class Prompts:
    """The texts for one instrument and one order of the options.

    `forward` lists "Very Accurate" first (option A is response 5, as in Zhu et al. 2025), `reversed` last.
    """

    texts: dict[str, Any]
    order: Order = "forward"

    @property
    def labels(self) -> list[str]:
        """The words of the responses 1 to 5."""
        return list(self.texts["labels"])

    @property
    def responses(self) -> tuple[int, ...]:
        """The response that each letter stands for, A first."""
        return tuple(reversed(OPTIONS)) if self.order == "forward" else tuple(OPTIONS)

    def question(self, question: Question) -> str:
        """What the user asks about a statement."""
        item = question.text.lower() if self.texts["item_when_asked"] == LOWER_CASE else question.text
        fields = {"statement": question.statement, "item": item, "options": self._options()}
        return str(self.texts["question"]).format(**fields)

    @property
    def asked(self) -> str:
        """How the assistant's answer begins, up to the letter."""
        return str(self.texts["assistant_when_asked"])

    @property
    def letter_only(self) -> str:
        """What is added to a question where the answer cannot be begun for the model (behind an address)."""
        return str(self.texts["letter_only"])

    @property
    def probed(self) -> tuple[str, str]:
        """The whole answers "wholly accurate" and "not at all", in this order of the options."""
        accurate, inaccurate = self.texts["assistant_when_probed"]
        return (accurate, inaccurate) if self.order == "forward" else (inaccurate, accurate)

    def system(self, key: str = "system", **fields: str) -> str:
        """One of the texts with its fields filled in: `system`, `average_person`, `described` …"""
        return str(self.texts[key]).format(**fields)

    def pairs(self, questions: Sequence[Question], responses: Sequence[int]) -> str:
        """Statements with the words of the responses to them."""
        pair = str(self.texts["pair"])
        lines = [
            pair.format(statement=question.statement, item=question.text, label=self.labels[response - MINIMUM])
            for question, response in zip(questions, responses, strict=True)
        ]
        return str(self.texts["pair_separator"]).join(lines)

    def trait_levels(self, levels: Sequence[tuple[str, int]]) -> str:
        """The system text for traits by title, each with its level 0 (very low) to 4 (very high)."""
        words, trait = self.texts["levels"], str(self.texts["trait"])
        told = [trait.format(trait=title, level=words[level]) for title, level in levels]
        return self.system("trait_levels", levels=str(self.texts["trait_separator"]).join(told))

    def open_item(self, question: Question) -> str:
        """An open question about a statement, in place of the options."""
        return str(self.texts["open_item"]).format(statement=question.statement, item=question.text)

    def open_situation(self, question: str) -> str:
        """A situation of the project's own, as it is asked."""
        return str(self.texts["open_situation"]).format(question=question)

    def opened(self, system: str) -> str:
        """A system text for open questions: the sentences that ask for a letter are replaced."""
        for sentence in self.texts["told_letter"]:
            system = system.replace(sentence, str(self.texts["told_open"]))
        return system

    def _options(self) -> str:
        option = str(self.texts["option"])
        lines = [
            option.format(letter=letter, label=self.labels[response - MINIMUM])
            for letter, response in zip(LETTERS, self.responses, strict=True)
        ]
        return "\n".join(lines)


def read_prompts(config: str, path: Path | None = None) -> dict[str, Any]:
    """The texts for an instrument: the project's own, replaced by those of a user's file where there is one.

    Raises `InputRejected` with every fault of the file: an unknown key, a wrong type, a field that is missing or that
    nothing fills in.
    """
    own = read_toml("alignment", "prompts.toml")
    theirs = {} if path is None else _read(path)
    if path is not None:
        _check(theirs, path)
    levels = (own, theirs, own.get(config, {}), theirs.get(config, {}))  # a user's options of one form fit it only
    merged = {key: value for level in levels for key, value in level.items()}
    return {key: merged[key] for key in (*FIELDS, *LISTS)}


def prompts_for(texts: dict[str, Any], order: Order) -> Prompts:
    """The texts with an order of the options; `InputRejected` where the question itself holds them in one order."""
    if order == "reversed" and "{options}" not in texts["question"]:
        raise InputRejected(
            "the question of the prompts file lists its options itself, so they cannot be turned round",
            expected="{options} in the text `question`",
            next_step="put {options} in their place, or use --option-order forward",
        )
    return Prompts(texts, order)


def _read(path: Path) -> dict[str, Any]:
    text = read_bytes(path)
    try:
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        expected = "JSON" if path.suffix == ".json" else "TOML (or JSON in a file called .json)"
        raise InputRejected(
            "the prompts file cannot be read", where=str(path), expected=expected, got=str(error)
        ) from None
    if not isinstance(found, dict):
        raise InputRejected("the prompts file cannot be read", where=str(path), expected="keys and texts")
    return found


def _check(theirs: dict[str, Any], path: Path) -> None:
    places = []
    for name, table in {"": theirs, **{c: theirs[c] for c in INSTRUMENTS if c in theirs}}.items():
        if not isinstance(table, dict):
            places.append(Place(str(path), "texts by key", repr(table), column=name))
            continue
        for key, value in table.items():
            if (name or key not in INSTRUMENTS) and (fault := _fault(key, value)):
                places.append(Place(str(path), *fault, column=f"{name}.{key}" if name else key))
    if places:
        advice = "alignment/tables/prompts.toml shows every key with the fields of its text"
        raise InputRejected("the prompts file is not as it must be", places=places, next_step=advice)


def _fault(key: str, value: Any) -> tuple[str, str] | None:
    """What was expected and what was found, where a key or its value is wrong."""
    if key in NOTES:
        return None
    if key in LISTS:
        right = isinstance(value, list) and len(value) == LISTS[key] and all(isinstance(text, str) for text in value)
        return None if right else (f"a list of {LISTS[key]} texts", repr(value))
    if key not in FIELDS:
        return "one of " + ", ".join((*FIELDS, *LISTS)), key
    if not isinstance(value, str):
        return "a text", repr(value)
    return _fault_of_fields(key, value)


def _fault_of_fields(key: str, text: str) -> tuple[str, str] | None:
    try:
        parsed = [part for part in string.Formatter().parse(text) if part[1] is not None]
        found = {str(name) for _, name, _, _ in parsed}
        if any(spec or conversion for _, _, spec, conversion in parsed):
            return "a field without : or !", repr(text)
    except ValueError as error:
        return "a text whose braces are closed (a brace itself is written twice)", str(error)
    required = [each for each in FIELDS[key] if isinstance(each, tuple)]
    allowed = {name for each in FIELDS[key] for name in (each if isinstance(each, tuple) else (each,))}
    if found - allowed:
        expected = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "plain text"
        return f"only {expected}", str(sorted(found - allowed))
    missing = [" or ".join(f"{{{name}}}" for name in names) for names in required if not found & set(names)]
    return (" and ".join(missing) + " in the text", repr(text)) if missing else None
