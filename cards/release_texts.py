"""The texts of a release, rendered from its manifest: README.md with front matter, LICENSE.md, croissant.json."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from cards.croissant import CROISSANT, croissant
from cards.croissant_checks import croissant_problems
from cards.front_matter import LICENSE_LINK, front_matter, title
from papi.errors import SHOWN_PLACES, ReleaseRejected
from papi.files import write_json, write_text

TEXTS = {"README.md": "release_readme.md.j2", LICENSE_LINK: "license_by_part.md.j2"}


def write_release_texts(release: Path, manifest: dict[str, Any]) -> None:
    """Render every text into the release. A fact that the manifest lacks is an error, never a placeholder.

    Raises `ReleaseRejected` where the Croissant description is not what it must be.
    """
    for name, template in TEXTS.items():
        start = front_matter(manifest) if name == "README.md" else ""
        write_text(release / name, start + render(template, manifest))
    write_json(release / CROISSANT, _checked_croissant(manifest))


def render(template: str, manifest: dict[str, Any]) -> str:
    """One template of `cards/templates` with the manifest as `m`."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {"number": _number, "largest": _largest}
    source = (files("cards.templates") / template).read_text(encoding="utf-8")
    return environment.from_string(source).render(m=manifest, title=title(manifest)).rstrip() + "\n"


def _checked_croissant(manifest: dict[str, Any]) -> dict[str, Any]:
    document = croissant(manifest)
    problems = croissant_problems(document, manifest)
    if problems:
        got = "; ".join(problems[:SHOWN_PLACES])
        advice = "it is a mistake of the builder: report it"
        raise ReleaseRejected(f"{CROISSANT} does not describe the release", got=got, next_step=advice)
    return document


def _number(value: float | None, decimals: int) -> str:
    """A number to so many decimals; a dash where it is undefined."""
    return "–" if value is None else f"{value:.{decimals}f}"


def _largest(values: list[float | None]) -> float | None:
    """The largest of some numbers, undefined where one is."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None
