"""The texts of a release, rendered from its manifest: README.md with front matter, LICENSE.md by part."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from cards.front_matter import PRETTY_NAME, front_matter
from papi.files import write_text

TEXTS = {"README.md": "release_readme.md.j2", "LICENSE.md": "license_by_part.md.j2"}


def write_release_texts(release: Path, manifest: dict[str, Any]) -> None:
    """Render every text into the release. A fact that the manifest lacks is an error, never a placeholder."""
    for name, template in TEXTS.items():
        start = front_matter(manifest) if name == "README.md" else ""
        write_text(release / name, start + render(template, manifest))


def render(template: str, manifest: dict[str, Any]) -> str:
    """One template of `cards/templates` with the manifest as `m`."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    source = (files("cards.templates") / template).read_text(encoding="utf-8")
    return environment.from_string(source).render(m=manifest, pretty_name=PRETTY_NAME).rstrip() + "\n"
