"""Templates rendered strictly: a fact that is missing is an error, never a placeholder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

import jinja2


def render(template: str, **facts: Any) -> str:
    """One template of `cards/templates`. Raises `jinja2.UndefinedError` for a fact that it needs and is not given."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (files("cards.templates") / name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters |= {"number": _number, "share": _share, "largest": _largest, "mean": _mean, "fact": _fact}
    environment.globals["figure"] = lambda name: _figure(name, facts.get("figures", []))
    return environment.get_template(template).render(facts).rstrip() + "\n"


def _number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands apart, to so many decimals; a dash where it is undefined."""
    return "–" if value is None else f"{value:,.{decimals}f}"


def _share(value: float, decimals: int = 1) -> str:
    """A share in per cent."""
    return f"{100 * value:.{decimals}f} %"


def _largest(values: list[float | None]) -> float | None:
    """The largest of some numbers, undefined where one is."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def _mean(values: list[float | None]) -> float | None:
    """The mean of some numbers, undefined where one is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _figure(name: str, figures: list[Any]) -> str:
    """A figure of that file name as Markdown, with its alt text, title and caption; nothing where it was not drawn."""
    found = [f for f in figures if PurePosixPath(f.path).stem == name]
    return "".join(f"\n![{f.alt}]({f.path})\n\n**{f.title}.** {f.caption}\n" for f in found)


def _fact(value: Any) -> str:
    """A fact of a manifest in a sentence."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return "none" if value is None else str(value)
