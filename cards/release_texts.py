"""The texts of a release, rendered from its manifest: README.md, LICENSE.md, CHANGELOG.md, croissant.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cards.changelog import CHANGELOG, History, changelog
from cards.croissant import CROISSANT, croissant
from cards.croissant_checks import croissant_problems
from cards.front_matter import LICENSE_LINK, front_matter, title
from cards.rendering import render
from papi.errors import SHOWN_PLACES, ReleaseRejected
from papi.files import write_json, write_text

TEXTS = {"README.md": "release_readme.md.j2", LICENSE_LINK: "license_by_part.md.j2"}


def write_release_texts(release: Path, manifest: dict[str, Any], history: History) -> None:
    """Render every text into the release. A fact that the manifest lacks is an error, never a placeholder.

    Raises `ReleaseRejected` where the Croissant description is not what it must be.
    """
    for name, template in TEXTS.items():
        start = front_matter(manifest) if name == "README.md" else ""
        write_text(release / name, start + render(template, m=manifest, title=title(manifest)))
    write_text(release / CHANGELOG, changelog(manifest, history))
    write_json(release / CROISSANT, _checked_croissant(manifest))


def _checked_croissant(manifest: dict[str, Any]) -> dict[str, Any]:
    document = croissant(manifest)
    problems = croissant_problems(document, manifest)
    if problems:
        got = "; ".join(problems[:SHOWN_PLACES])
        advice = "it is a mistake of the builder: report it"
        raise ReleaseRejected(f"{CROISSANT} does not describe the release", got=got, next_step=advice)
    return document
