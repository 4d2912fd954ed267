"""Texts of values, and chats: who asked, what was said besides, and what was answered."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ggmi.text.json_documents import Broken
from ggmi.text.jsonl import kind

USERS = frozenset(["user", "human", "prompter"])
_ASSISTANTS = frozenset(["assistant", "gpt", "chatgpt", "model", "bot", "ai", "bing", "bard"])
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def is_empty(value: Any) -> bool:
    """Whether a value is null, NaN or text without a sign."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str | Broken:
    """The text of a value, or what it is instead.

    Parameters
    ----------
    value
        Text; numbers and booleans as JSON writes them; dates; bytes that are UTF-8; parts of a message.

    Examples
    --------
    >>> text_of(3), text_of(True), text_of([{"type": "text", "text": "a"}]), text_of({}).reason
    ('3', 'true', 'a', 'an object')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    if isinstance(value, decimal.Decimal | datetime.date | datetime.time):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return Broken("bytes that are not UTF-8")
    if isinstance(value, list) and value and all(isinstance(part, Mapping) and "text" in part for part in value):
        return "".join(str(part["text"]) for part in value)
    return Broken("an infinity" if isinstance(value, float) else kind(value))


def as_chat(value: Any) -> list[Any] | None:
    """The turns of a chat, from a list of them or its JSON; None if a value is none.

    Parameters
    ----------
    value
        Turns with ``role`` and ``content``, or ``from`` and ``value``.
    """
    if isinstance(value, str) and value.lstrip()[:2] in ("[{", "[ ", "[\n"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, list) or not value:
        return None
    for turn in value:
        if not isinstance(turn, Mapping) or not isinstance(role_of(turn), str):
            return None
    return value


def read_chat(turns: Sequence[Mapping[str, Any]]) -> list[str | Broken]:
    """The user's last turn that was answered, as context what was said besides before, and the answer.

    Parameters
    ----------
    turns
        Of `as_chat`.

    Returns
    -------
    list of str or Broken
        Instruction, context and response, or why there are none.
    """
    answers = [i for i, turn in enumerate(turns) if role_of(turn) in _ASSISTANTS]
    if not answers:
        return [Broken("with a chat without an answer", field="response")]
    last = answers[-1]
    response = _words(turns[last])
    asked = next((i for i in range(last - 1, -1, -1) if role_of(turns[i]) in USERS), None)
    if asked is None:
        return [Broken("with a chat without a question", field="instruction")]
    if not response.strip() or not _words(turns[asked]).strip():
        field = "instruction" if response.strip() else "response"
        return [Broken(f"with an empty {field} in its chat", field=field)]
    before = [
        words if role_of(turn) == "system" else f"{role_of(turn)}: {words}"
        for i, turn in enumerate(turns[:last])
        if i != asked and (words := _words(turn)).strip()
    ]
    return [_words(turns[asked]), "\n".join(before), response]


def read_transcript(text: str) -> list[dict[str, str]]:
    """Turns of a transcript whose paragraphs begin with ``Human:`` and ``Assistant:``; none of another text.

    Parameters
    ----------
    text
        The transcript.
    """
    marks = list(_TURN.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [
        {"role": mark[1].lower(), "content": text[mark.end() : end].strip()}
        for mark, end in zip(marks, ends, strict=True)
    ]


def role_of(turn: Mapping[str, Any]) -> Any:
    """Who speaks in a turn, in small letters.

    Parameters
    ----------
    turn
        One turn.
    """
    role = turn.get("role", turn.get("from"))
    return role.lower() if isinstance(role, str) else role


def _words(turn: Mapping[str, Any]) -> str:
    """What a turn says; nothing where it holds no text, such as the call of a tool."""
    value = next((turn[name] for name in ("content", "value", "text") if name in turn), None)
    text = "" if is_empty(value) else text_of(value)
    return "" if isinstance(text, Broken) else text
