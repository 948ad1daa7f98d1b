"""The texts of a release, rendered from its manifest: README.md, LICENSE.md, CHANGELOG.md, croissant.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cards.card import card
from cards.changelog import CHANGELOG, History, changelog
from cards.croissant import CROISSANT, croissant
from cards.croissant_checks import croissant_problems
from cards.figures import Figure
from cards.front_matter import LICENSE_LINK
from cards.rendering import render
from papi.errors import SHOWN_PLACES, ReleaseRejected
from papi.files import write_json, write_text

README = "README.md"


def write_release_texts(
    release: Path, manifest: dict[str, Any], history: History, figures: Sequence[Figure] = ()
) -> None:
    """Render every text into the release. A fact that the manifest lacks is an error, never a placeholder.

    `figures` are those that lie in the release, in the order in which the README shows them.

    Raises `ReleaseRejected` where the Croissant description is not what it must be.
    """
    changes = changelog(manifest, history)
    write_text(release / CHANGELOG, changes)
    write_text(release / README, card(manifest, changes, figures))
    write_text(release / LICENSE_LINK, render("license_by_part.md.j2", m=manifest))
    write_json(release / CROISSANT, _checked_croissant(manifest))


def _checked_croissant(manifest: dict[str, Any]) -> dict[str, Any]:
    document = croissant(manifest)
    problems = croissant_problems(document, manifest)
    if problems:
        got = "; ".join(problems[:SHOWN_PLACES])
        advice = "it is a mistake of the builder: report it"
        raise ReleaseRejected(f"{CROISSANT} does not describe the release", got=got, next_step=advice)
    return document
