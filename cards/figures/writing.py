"""Write the figures of a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cards.figures import correlations, domain_scores, likeness, missing, people, reliability
from cards.figures.facts import Manifest
from papi.files import write_bytes
from papi.sheet import Heading, Picture, house_style
from papi.tables import read_toml

Draw = Callable[[Path, Manifest, Heading], Picture | None]
DRAW: dict[str, Draw] = {
    "domain-scores": domain_scores.draw,
    "reliability": reliability.draw,
    "facet-correlations": correlations.draw,
    "people": people.draw,
    "likeness": likeness.draw,
    "missing-answers": missing.draw,
}


@dataclass(frozen=True)
class Figure:
    """A figure of the card: its path in the release, title, what is to be seen (`alt`) and what to know (`caption`)."""

    path: str
    title: str
    alt: str
    caption: str


def write_figures(release: Path, manifest: Manifest) -> list[Figure]:
    """Measure and draw every figure that the configs of a release allow, and write it into the release.

    The parquet files must be there and named in the manifest. Raises what reading them raises, and
    `EnvironmentProblem` where a file cannot be written or matplotlib cannot be used.
    """
    figures = []
    with house_style():
        for name, facts in read_toml("cards", "figures.toml")["figure"].items():
            title = titled(facts["title"], manifest)
            picture = DRAW[name](release, manifest, Heading(title, facts["reading"]))
            if picture:
                path = f"figures/{name}.png"
                write_bytes(release / path, picture.sheet.png())
                figures.append(Figure(path, title, f"{title}: {picture.alt}", facts["caption"]))
    return figures


def titled(title: str, manifest: Manifest) -> str:
    """A title that says so where the people are simulated."""
    return f"{title} – simulated people" if manifest["simulated"] else title
