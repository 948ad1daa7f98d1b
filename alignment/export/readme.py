"""What goes along with an exported model: whose it is, and how it is asked as the run asked it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignment.export.condition import Found
from alignment.prompts import LETTERS, Prompts
from alignment.respondent.chat import Turn

README = "README.md"
IN_TEMPLATE = "What stands before the question is in the chat template."  # where the condition's text is
TEXT = """\
# {method}, {subject}

The model {model}{seed} under the method `{method}`, for the subject `{subject}` of the configuration
`{config}`, release {version} (manifest {manifest}){simulated}. It imitates the answers of one of the people in
the data, and nobody else. Do not put it before others as that person, and do not use what it says to decide about
anybody.

{parts}

## To ask it as the run did

This is all that the model gets for one of the questions; its next token is a letter.

{asked}

{told}

`probabilities` in the run's `answers.jsonl` are by response, 1 first, each question's divided by their sum over the
five letters (`mass` is the mean of that sum); of a trained method there is a list for each seed. All texts are in the
run's `run.json` (`prompts`).
"""
BOTH = "\n\nAnd in the other order of the options; the run took the mean of both, by meaning.\n\n"


def readme(found: Found, frozen: Mapping[str, Any], parts: list[str], place: str | None) -> str:
    """The text of README.md. `parts` says what is in the folder, `place` where the condition's text is, if anywhere."""
    release = frozen["release"]
    return TEXT.format(
        method=found.method,
        subject=found.subject.subject_id,
        model=frozen["model"]["name"],
        seed="" if found.seed is None else f", seed {found.seed},",
        config=frozen["config"],
        version=release["version"],
        manifest=release["manifest_sha256"][:12],
        simulated=", SIMULATED people" if release["simulated"] else "",
        parts="\n".join(f"- {part}" for part in parts),
        asked=BOTH.join(_asked(found, wording) for wording in found.respondent.prompts),
        told=_told(found, place),
    )


def _asked(found: Found, wording: Prompts) -> str:
    """The whole text up to the letter, and what the letters stand for."""
    turn = Turn(wording.question(found.example), wording.asked)
    text = found.respondent.chat.text(found.condition.system, turn)
    quoted = "\n".join(f"    {line}" for line in text.split("\n"))
    responses = ", ".join(map(str, wording.responses))
    return f"{quoted}\n\nThe letters {', '.join(LETTERS)} stand for the responses {responses}."


def _told(found: Found, place: str | None) -> str:
    """Whose text the first part is, for somebody who asks by messages."""
    chat = found.respondent.chat
    if not chat.tokenizer.chat_template:
        return "The model has no chat template: give it the whole text."
    begins = f"the assistant's begins with `{found.respondent.wording.asked}`"
    if place != IN_TEMPLATE:
        whose = "the system's text" if chat.has_system_role else "the beginning of the user's, a blank line after it"
        return f"As messages: what stands before the question is {whose}; {begins}. {place or ''}".rstrip()
    return f"As messages: the user's is the question; {begins}. {place}"
