"""Descriptions of subjects for P² that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alignment.benchmark import Benchmark
from alignment.labels import PUBLISHED
from alignment.prompts import read_prompts
from papi.errors import InputRejected, Place, UsageError
from papi.files import read_bytes
from papi.instruments import IPIP_300

MISSING_LABEL = "Unknown"  # how the predecessor's texts say that there is no answer


def read_descriptions(path: Path, benchmark: Benchmark) -> dict[str, str]:
    """Texts by subject id.

    The file is JSON: an object from subject ids to texts, or the predecessor's list of objects with `input` (which
    holds the given answers as "item:label;item:label …") and `output`; there people are matched by those answers, so it
    needs the published labels. Raises `InputRejected` for any other file, `UsageError` for the predecessor's list with
    other labels.
    """
    try:
        found = json.loads(read_bytes(path))
    except ValueError as error:
        raise InputRejected("the file of descriptions cannot be read", where=str(path), got=str(error)) from None
    if isinstance(found, dict) and all(isinstance(text, str) for text in found.values()):
        return found
    if not isinstance(found, list):
        expected = "a JSON object from subject ids to texts"
        raise InputRejected("the file of descriptions is of another form", where=str(path), expected=expected)
    return _matched(found, path, benchmark)


def _matched(entries: list[Any], path: Path, benchmark: Benchmark) -> dict[str, str]:
    if benchmark.labels != PUBLISHED or benchmark.config != IPIP_300:
        what = "these descriptions were written from the published labels"
        raise UsageError(
            what, where=str(path), expected="--labels published --config ipip-neo-300", got=benchmark.labels
        )
    texts = {}
    for number, entry in enumerate(entries, start=1):
        try:
            (text,) = [entry["output"]] if isinstance(entry["output"], str) else entry["output"]
            texts[_answers_told(entry["input"])] = str(text)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            place = Place(
                str(path), "an object with input and output, a text or a list of one", repr(error), line=number
            )
            raise InputRejected("an entry of the descriptions cannot be read", places=[place]) from None
    labels = [MISSING_LABEL, *read_prompts(benchmark.config)["labels"]]
    found = {}
    for subject in benchmark.subjects:
        answers = zip(benchmark.given, subject.given, strict=True)
        key = frozenset((_plain(question.text), labels[answer]) for question, answer in answers)
        if key in texts:
            found[subject.subject_id] = texts[key]
    return found


def _answers_told(text: str) -> frozenset[tuple[str, str]]:
    """Items with their labels: "item:label" between semicolons in the last line."""
    parts = (part.rpartition(":") for part in text.rpartition("\n")[2].split(";"))
    return frozenset((_plain(item), label.strip()) for item, _, label in parts)


def _plain(item: str) -> str:
    return item.strip(" .").lower()
