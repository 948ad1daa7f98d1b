"""The README: its commands are ones that there are, its links lead somewhere, its methods are those of the table."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from alignment.methods.registry import methods
from papi.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|-m )papi (.+)$")
TARGETS = re.compile(r"^([a-z][a-z -]*):", re.MULTILINE)


def commands() -> list[str]:
    """What follows `papi` on every line of a block."""
    lines = [line.split("  #")[0].strip() for block in BLOCK.findall(README) for line in block.splitlines()]
    return [found[1] for line in lines if (found := COMMAND.search(line))]


def named() -> list[str]:
    """What follows `papi` within a sentence, where a command may be told in part."""
    return re.findall(r"`papi ([a-z][^`]*)`", BLOCK.sub("", README))


def found_in(words: list[str]) -> tuple[Any, list[str]]:
    """The command that some words begin with, and what is given to it."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def parse(text: str) -> None:
    """As the command line does, without running anything."""
    command, words = found_in(shlex.split(text))
    command.make_context(command.name, words)


@pytest.mark.parametrize("text", commands())
def test_a_command_of_the_readme_is_one_that_there_is(text: str) -> None:
    parse(text)


@pytest.mark.parametrize("text", named())
def test_a_command_in_a_sentence_is_one_that_there_is(text: str) -> None:
    command, words = found_in(text.split())
    options = {option for each in command.params for option in each.opts}
    assert {word.strip("[]") for word in words if "--" in word} <= options


def test_a_wrong_command_would_be_seen() -> None:
    assert len(commands()) > 30
    assert len(named()) > 10
    for text in ("align run release --method ridge", "align runn release", "build raw release --versio 1.0.0"):
        with pytest.raises(Exception, match=r"parameter: out|runn|--versio"):
            parse(text)


def test_targets_of_make_are_there() -> None:
    known = set(" ".join(TARGETS.findall((ROOT / "Makefile").read_text())).split())
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)`", README)) | set(
        re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)
    )
    assert len(named) > 5
    assert named <= known


def test_links_and_pictures_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_method_is_named() -> None:
    assert [name for name in methods() if f"`{name}`" not in README] == []
