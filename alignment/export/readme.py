"""What goes along with an exported model: whose it is, and how it is asked as the run asked it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignment.export.condition import Found
from alignment.prompts import LETTERS

README = "README.md"
TEXT = """\
# {method}, {subject}

The model {model}{seed} under the method `{method}`, for the subject `{subject}` of the configuration
`{config}`, release {version} (manifest {manifest}){simulated}. It imitates the answers of one of the people in
the data, and nobody else. Do not put it before others as that person, and do not use what it says to decide about
anybody.

{parts}

## To ask it as the run did

{told}

The user's message and the beginning of the assistant's, for one of the questions:

{question}

The next token is a letter; the letters {letters} stand for {responses}. All texts are in the run's `run.json`
(`prompts`).
"""


def readme(found: Found, frozen: Mapping[str, Any], parts: list[str], place: str | None) -> str:
    """The text of README.md. `parts` says what is in the folder, `place` where the condition's text is, if anywhere."""
    wording, release = found.respondent.wording, frozen["release"]
    said = f"{wording.question(found.example)}\n\nAssistant: {wording.asked}"
    told = f"The system's text:\n\n{_quoted(found.condition.system)}" if place is None else place
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
        told=told,
        question=_quoted(said),
        letters=", ".join(LETTERS),
        responses=", ".join(map(str, wording.responses)),
    )


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
