"""From messages to tokens: the model's own chat template, the shared beginning of many prompts encoded once.

The tokens of a prompt are always those of its whole text. They are put together from a beginning and an end only where
that was seen to give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alignment.prompts import LETTERS
from papi.errors import UsageError

Tokens = tuple[int, ...]
MARK = "d2f1a7"  # a text that no template has of its own
CONTEXT = 64  # characters before an end that might have a say in its tokens


@dataclass(frozen=True)
class Turn:
    """A question as the model gets it: the user's text and how the assistant's answer begins."""

    user: str
    assistant: str


@dataclass(frozen=True)
class Encoded:
    """Prompts with the same beginning: its tokens once, and what follows in each (one token at least)."""

    prefix: Tokens
    suffixes: tuple[Tokens, ...]

    @property
    def whole(self) -> Encoded:
        """The same prompts, each with all its tokens."""
        return Encoded((), tuple(self.prefix + suffix for suffix in self.suffixes))

    @property
    def count(self) -> int:
        """All tokens, the shared ones once."""
        return len(self.prefix) + sum(map(len, self.suffixes))


@dataclass
class Chat:
    """A tokenizer with its chat template; without one (a base model) the texts stand below one another."""

    tokenizer: Any
    has_system_role: bool = field(init=False, default=True)
    _known: dict[str, Tokens] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.has_system_role = self._takes_a_system_role()

    def text(self, system: str, turn: Turn) -> str:
        """The whole prompt up to where the model goes on."""
        if not self.tokenizer.chat_template:
            return f"{system}\n\n{turn.user}\n{turn.assistant}"
        return self._rendered([*self._opening(system, turn.user), _said("assistant", turn.assistant)], going_on=True)

    def request(self, user: str) -> Tokens:
        """A prompt to which the model writes the whole answer."""
        if not self.tokenizer.chat_template:
            return self.tokens(f"{user}\n")
        return self.tokens(self._rendered([_said("user", user)], going_on=False))

    def opening(self, system: str, user: str) -> Tokens:
        """A prompt with a system's and a user's text, to which the model writes the whole answer."""
        if not self.tokenizer.chat_template:
            return self.tokens(f"{system}\n\n{user}\n")
        return self.tokens(self._rendered(self._opening(system, user), going_on=False))

    def tokens(self, text: str) -> Tokens:
        """The tokens of a whole prompt. A template writes the special tokens itself; a plain text gets them here."""
        plain = not self.tokenizer.chat_template
        return tuple(self.tokenizer(text, add_special_tokens=plain)["input_ids"])

    def encode(self, system: str, turns: Sequence[Turn]) -> Encoded:
        """The prompts of one system text."""
        texts = [self.text(system, turn) for turn in turns]
        start = _boundary(texts)
        prefix = self.tokens(texts[0][:start])
        self.refuse_unknown(prefix, texts[0][:start])
        suffixes = [self._suffix(text, prefix, start) for text in texts]
        if prefix and all(suffixes):
            return Encoded(prefix, tuple(suffix for suffix in suffixes if suffix))
        prompts = [self.tokens(text) for text in texts]
        for text, prompt in zip(texts, prompts, strict=True):
            self.refuse_unknown(prompt, text)
        return _split(prompts)

    def letters(self, system: str, turn: Turn) -> Tokens:
        """The tokens of the five letters. Raises `UsageError` unless prompt + letter is exactly one token more."""
        before = self.tokens(self.text(system, turn))
        found = []
        for letter in LETTERS:
            after = self.tokens(self.text(system, Turn(turn.user, turn.assistant + letter)))
            if after[:-1] != before:
                raise UsageError(
                    f"with this tokenizer the letter {letter} is not one more token after the assistant's text",
                    expected=f"a text after which {letter} stands alone, such as 'Option ('",
                    got=repr(turn.assistant),
                    next_step="change assistant_when_asked in the prompts file (--prompts)",
                )
            found.append(after[-1])
        return tuple(found)

    def refuse_unknown(self, tokens: Tokens, text: str) -> None:
        """Raise `UsageError` where the model has no token for a part of a text."""
        unknown = self.tokenizer.unk_token_id
        others = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, self.tokenizer.pad_token_id)
        if unknown is not None and unknown in tokens and unknown not in others:
            raise UsageError(
                "the model's vocabulary has no words for this text",
                got=repr(text[-200:]),
                next_step="the pocket respondent knows the simulated statements and the project's prompts only: use"
                " a simulated release, or another --model",
            )

    def _suffix(self, text: str, prefix: Tokens, start: int) -> Tokens | None:
        """The tokens of the end of a text; None where they are others in the whole text."""
        end = text[max(0, start - CONTEXT) :]
        if end not in self._known:
            whole = self.tokens(text)
            self.refuse_unknown(whole, text)
            if whole[: len(prefix)] != prefix or len(whole) == len(prefix):
                return None
            self._known[end] = whole[len(prefix) :]
        return self._known[end]

    def _opening(self, system: str, user: str) -> list[dict[str, str]]:
        """Some templates refuse a system role; there its text opens the user's."""
        if self.has_system_role:
            return [_said("system", system), _said("user", user)]
        return [_said("user", f"{system}\n\n{user}")]

    def _rendered(self, messages: list[dict[str, str]], *, going_on: bool) -> str:
        """A thinking template leaves its thoughts empty; other templates know no such switch and pass over it."""
        from jinja2.exceptions import TemplateError

        try:
            return str(
                self.tokenizer.apply_chat_template(
                    messages,
                    tokenize=False,
                    continue_final_message=going_on,
                    add_generation_prompt=not going_on,
                    enable_thinking=False,
                )
            )
        except (TemplateError, ValueError) as error:
            what, advice = "the model's chat template cannot hold these messages", "take another --model"
            raise UsageError(what, got=str(error), next_step=advice) from error

    def _takes_a_system_role(self) -> bool:
        if not self.tokenizer.chat_template:
            return True
        try:
            return MARK in self._rendered([_said("system", MARK), _said("user", "?")], going_on=False)
        except UsageError:
            return False


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _boundary(texts: Sequence[str]) -> int:
    """Where the shared beginning of some texts ends: after its last line break, a place where tokens rarely cross."""
    return texts[0].rfind("\n", 0, shared_length(texts)) + 1


def _split(prompts: Sequence[Tokens]) -> Encoded:
    """The tokens that all prompts begin with, at most all but one of the shortest, and the rest of each."""
    shared = min(shared_length(prompts), min(map(len, prompts)) - 1)
    return Encoded(prompts[0][:shared], tuple(prompt[shared:] for prompt in prompts))


def shared_length(sequences: Sequence[Sequence[object]]) -> int:
    """How far all sequences are the same: those first and last in order differ earliest."""
    first, last = min(sequences), max(sequences)  # type: ignore[type-var]
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(last)))
