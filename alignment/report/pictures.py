"""All figures of a report, drawn in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alignment.report.figures import answers, domains, leaderboard, strengths, subjects
from alignment.report.figures.methods import ridge_of
from alignment.report.results import Results
from papi.sheet import Heading, Picture, house_style
from papi.tables import read_toml

Draw = Callable[[Results, Heading], Picture | str]  # a text says why there is nothing to draw
DRAW: dict[str, Draw] = {
    "leaderboard": leaderboard.draw,
    "domains": domains.draw,
    "answers": answers.draw,
    "strengths": strengths.draw,
    "subjects": subjects.draw,
}


@dataclass(frozen=True)
class Drawn:
    """A figure: where it goes in the report (None: nothing was drawn, `alt` says why) and what is said of it."""

    name: str
    path: str | None
    title: str
    alt: str
    caption: str
    content: bytes = b""


def draw_figures(results: Results) -> list[Drawn]:
    """Every figure, as PNG. Raises `EnvironmentProblem` where matplotlib cannot be used."""
    drawn = []
    with house_style():
        for name, facts in read_toml("alignment", "report.toml")["figure"].items():
            title = facts["title"] + (" – simulated people" if results.rows.facts["release"]["simulated"] else "")
            reading, caption = (_text(facts, key, results) for key in ("reading", "caption"))
            picture = DRAW[name](results, Heading(title, reading))
            if isinstance(picture, str):
                drawn.append(Drawn(name, None, title, picture, caption))
            else:
                alt = f"{title}: {picture.alt}"
                drawn.append(Drawn(name, figure_path(name), title, alt, caption, picture.sheet.png()))
    return drawn


def _text(facts: Mapping[str, str], key: str, results: Results) -> str:
    """A text of a figure; what it says of the line of ridge only where there is one."""
    return facts[key] + (facts.get(f"{key}_of_ridge", "") if ridge_of(results) else "")


def figure_path(name: str) -> str:
    """Where a figure lies in a report."""
    return f"figures/{name}.png"
