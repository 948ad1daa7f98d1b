"""A text that belongs to a condition, written into the chat template of the tokenizer that is saved with the model."""

from __future__ import annotations

import json
from typing import Any

from alignment.respondent.chat import Chat
from papi.errors import UsageError

# What opens a template: the text as the system's, or before the system's own, a text or a list of parts.
SYSTEM = """\
{{% if not messages or messages[0]['role'] != 'system' %}}\
{{% set messages = [{{'role': 'system', 'content': {text}}}] + messages %}}\
{{% elif messages[0]['content'] is string %}}\
{{% set own = messages[0]['content'] %}}\
{{% set messages = [{{'role': 'system', 'content': {text} + '\\n\\n' + own}}] + messages[1:] %}}\
{{% else %}}\
{{% set own = [{{'type': 'text', 'text': {text} + '\\n\\n'}}] + messages[0]['content'] %}}\
{{% set messages = [{{'role': 'system', 'content': own}}] + messages[1:] %}}\
{{% endif %}}"""
# Where there is no system role: before the first user's text.
FIRST = """\
{{% if messages and messages[0]['content'] is string %}}\
{{% set own = messages[0] %}}\
{{% set messages = [{{'role': own['role'], 'content': {text} + '\\n\\n' + own['content']}}] + messages[1:] %}}\
{{% elif messages %}}\
{{% set own = [{{'type': 'text', 'text': {text} + '\\n\\n'}}] + messages[0]['content'] %}}\
{{% set messages = [{{'role': messages[0]['role'], 'content': own}}] + messages[1:] %}}\
{{% endif %}}"""


def tell(tokenizer: Any, text: str) -> None:
    """Let the chat template begin with a text: as the system's or before it, or before the first user's.

    Raises `UsageError` for a tokenizer without a template.
    """
    chat = Chat(tokenizer)
    if not tokenizer.chat_template:
        advice = "export a method with the neutral text, or serve the small file and send the text yourself"
        raise UsageError("the model has no chat template that could hold the condition's text", next_step=advice)
    opening = (SYSTEM if chat.has_system_role else FIRST).format(text=json.dumps(text, ensure_ascii=False))
    own = tokenizer.chat_template
    tokenizer.chat_template = opening + own if isinstance(own, str) else {name: opening + own[name] for name in own}
