"""A text that belongs to a condition, written into the chat template of the tokenizer that is saved with the model."""

from __future__ import annotations

import json
from typing import Any

from alignment.respondent.chat import Chat
from papi.errors import UsageError

# `own`, what a message says, with the text before it: a text, a list of parts, or nothing.
OPENED = """\
{{% if own is string %}}{{% set own = {text} + '\\n\\n' + own %}}\
{{% elif own %}}{{% set own = [{{'type': 'text', 'text': {text} + '\\n\\n'}}] + own %}}\
{{% else %}}{{% set own = {text} %}}{{% endif %}}"""
# What opens a template: the text as the system's, or before the system's own.
SYSTEM = (
    """\
{{% if not messages or messages[0]['role'] != 'system' %}}\
{{% set messages = [{{'role': 'system', 'content': {text}}}] + messages %}}\
{{% else %}}\
{{% set own = messages[0]['content'] %}}"""
    + OPENED
    + """\
{{% set messages = [dict(messages[0], content=own)] + messages[1:] %}}\
{{% endif %}}"""
)
# Where there is no system role: before the first text of the user's.
FIRST = (
    """\
{{% set told = namespace(messages=[], user=false) %}}\
{{% for message in messages %}}\
{{% if message['role'] == 'user' and not told.user %}}\
{{% set told.user = true %}}\
{{% set own = message['content'] %}}"""
    + OPENED
    + """\
{{% set message = dict(message, content=own) %}}\
{{% endif %}}\
{{% set told.messages = told.messages + [message] %}}\
{{% endfor %}}\
{{% set messages = told.messages if told.user else [{{'role': 'user', 'content': {text}}}] + messages %}}"""
)


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
