"""Texts of values, and chats: who asked, what was said besides, and what was answered."""

from __future__ import annotations

import ast
import datetime
import decimal
import json
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ggmi.text.format import normal_name
from ggmi.text.json_documents import Broken
from ggmi.text.jsonl import kind
from ggmi.text.visible import is_visible

USERS = frozenset(["user", "human", "prompter"])
_ASSISTANTS = frozenset(
    ["assistant", "gpt", "chatgpt", "gpt4", "gpt-4", "model", "bot", "chatbot", "ai", "llm", "bing", "bard", "claude"]
)
# Who speaks besides: what they say is context.
_OTHERS = frozenset(["system", "developer", "tool", "function", "ipython", "observation", "function_call", "tool_call"])
# What turns call who speaks, what is said, and a call of a tool; and what models think before they answer.
_WHO = ("role", "from", "speaker", "author", "sender")
_SAID = ("content", "value", "text", "message", "utterance", "parts")
_CALLS = ("tool_calls", "function_call")
_THOUGHT = ("reasoning_content", "reasoning", "thinking")
# What one object calls the sides of an exchange.
_ASKED = USERS | {"input", "question", "instruction", "prompt", "query"}
_ANSWERED = _ASSISTANTS | {"output", "response", "answer"}
# Parts of a message inside one another.
_LEVELS = 6
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")
# Elements of an array as NumPy prints them: a line each, without commas.
_PRINTED = re.compile(r"\}\s*\n\s*\{")


class Said(NamedTuple):
    """What a chat holds of a record, and what of it is no text and was passed over.

    Parameters
    ----------
    values
        Instruction, context and response, or why there are none.
    passed
        Kinds of what was passed over, such as an image, each once.
    """

    values: list[str | Broken]
    passed: tuple[str, ...] = ()


def is_empty(value: Any) -> bool:
    """Whether a value is null, NaN or text without a sign."""
    if isinstance(value, str):
        return not (value[:1].isalnum() or is_visible(value))
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
        # A table of parts of several kinds has a null where a part is no text.
        return "".join(str(part["text"]) for part in value if part["text"] is not None)
    return Broken("an infinity" if isinstance(value, float) else kind(value))


def as_chat(value: Any, *, bare: bool = False) -> list[Any] | None:
    """The turns of a chat, from a list of them or its JSON; None if a value is none.

    Parameters
    ----------
    value
        Turns that name who speaks (``role``, ``from``, …) and what is said (``content``, ``value``, …); one such turn;
        an object of equally long lists; any of these as JSON or as Python prints it; a transcript that begins with two
        line ends, as in published sets.
    bare
        Whether turns may name nobody: objects that hold both a question and its answer, or texts of which every second
        answers.
    """
    if isinstance(value, str):
        if value[:1].isalnum():
            return None
        if value.startswith("\n\nHuman:"):
            return read_transcript(value)
        start = value[:200].lstrip()
        found = _printed(value) if start[:1] == "[" and start[1:].lstrip()[:1] == "{" else None
        turns = as_chat(found, bare=bare) if isinstance(found, list) else None
        # What else is JSON may be an answer.
        known = USERS | _ASSISTANTS | _OTHERS
        return turns if turns and all(role_of(turn) in known for turn in turns) else None
    if isinstance(value, Mapping):
        value = _rows_of(value) if any(isinstance(value.get(name), list) for name in _WHO) else [value]
    if not isinstance(value, list) or not value:
        return None
    if bare and all(isinstance(turn, str) for turn in value):
        return [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(value)]
    found = []
    for turn in value:
        if not isinstance(turn, Mapping):
            return None
        if isinstance(role_of(turn), str):
            found.append(turn)
        elif bare and (both := _exchange(turn)):
            found += both
        else:
            return None
    return found


def read_chat(turns: Sequence[Mapping[str, Any]]) -> Said:
    """The user's last turn that was answered, as context what was said besides before, and the answer.

    Parameters
    ----------
    turns
        Of `as_chat`.
    """
    roles = [role_of(turn) for turn in turns]
    answers = [i for i, role in enumerate(roles) if role in _ASSISTANTS]
    if not answers:
        strange = dict.fromkeys(str(role) for role in roles if role not in USERS | _OTHERS)
        told = f"its roles are {', '.join(strange)}"[:80] if strange else ""
        return Said([Broken("with a chat without an answer", told, "response")])
    last = first = answers[-1]
    # An answer may be told in several turns.
    while first and roles[first - 1] in _ASSISTANTS:
        first -= 1
    asked = next((i for i in range(first - 1, -1, -1) if roles[i] in USERS), None)
    if asked is None:
        return Said([Broken("with a chat without a question", field="instruction")])
    passed: dict[str, None] = {}
    words = [_words(turn, passed) for turn in turns[: last + 1]]
    instruction, response = words[asked], "\n".join(said for said in words[first:] if not is_empty(said))
    for field, text in (("response", response), ("instruction", instruction)):
        if is_empty(text):
            return Said([Broken(f"with an empty {field} in its chat", ", ".join(passed), field)])
    before = [
        said if role == "system" else f"{role}: {said}"
        for i, (role, said) in enumerate(zip(roles[:first], words, strict=False))
        if i != asked and not is_empty(said)
    ]
    return Said([instruction, "\n".join(before), response], tuple(passed))


def read_transcript(text: str) -> list[dict[str, str]] | None:
    """Turns of a transcript whose paragraphs begin with ``Human:`` and ``Assistant:``; None of another text.

    Parameters
    ----------
    text
        The transcript; its last turn is none if it has no words and waits for its answer.
    """
    marks = list(_TURN.finditer(text))
    if not marks or text[: marks[0].start()].strip() or "Assistant" not in {mark[1] for mark in marks}:
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    turns = [
        {"role": mark[1].lower(), "content": text[mark.end() : end].strip()}
        for mark, end in zip(marks, ends, strict=True)
    ]
    return turns if turns[-1]["content"] else turns[:-1]


def joined(asked: list[Any], answered: list[Any]) -> list[Any]:
    """The turns of a question and its answer, where the answer may tell the question again.

    Parameters
    ----------
    asked, answered
        Turns of each.
    """

    def said(turns: list[Any]) -> list[tuple[Any, str]]:
        return [(role_of(turn), _words(turn, {})) for turn in turns]

    before, after = said(asked), said(answered)
    again = next((n for n in range(len(asked), 0, -1) if before[-n:] == after[:n]), 0)
    return asked[: len(asked) - again] + answered


def tells(turns: Sequence[Mapping[str, Any]], question: str) -> bool:
    """Whether a user asks a question in a chat, perhaps with more words or fewer."""
    asked = [_words(turn, {}).strip() for turn in turns if role_of(turn) in USERS]
    return any(words and (question.strip() in words or words in question) for words in asked)


def ends_with_answer(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last turn of a chat is an answer."""
    return role_of(turns[-1]) in _ASSISTANTS


def role_of(turn: Mapping[str, Any]) -> Any:
    """Who speaks in a turn, in small letters.

    Parameters
    ----------
    turn
        One turn.
    """
    for name in _WHO:
        if (role := turn.get(name)) is not None:
            break
    if not isinstance(role, str) and isinstance(role, Mapping):
        role = role.get("role")
    return role.lower() if isinstance(role, str) else role


def words_of(value: Any) -> str:
    """What a message says: text, or parts of which some are text."""
    return _text(value, {})


def _printed(text: str) -> Any:
    """The list that a text shows, as JSON or as Python prints it, without that anything is run; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a backslash in a text that is no Python
        for form in (text, _PRINTED.sub("}, {", text)):
            try:
                return ast.literal_eval(form.strip())
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    return None


def _rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Turns of an object of lists."""
    lists = {name: column for name, column in columns.items() if isinstance(column, list)}
    if len(set(map(len, lists.values()))) != 1:
        return None
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _exchange(turn: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The turns of an object that holds a question and its answer; None of another."""
    sides: dict[str, dict[str, Any]] = {}
    for name, value in turn.items():
        side = normal_name(str(name))
        role = "user" if side in _ASKED else "assistant" if side in _ANSWERED else side if side == "system" else ""
        if role and not is_empty(value):
            sides.setdefault(role, {"role": role, "content": value})
    if not {"user", "assistant"} <= sides.keys():
        return None
    return [sides[role] for role in ("system", "user", "assistant") if role in sides]


def _words(turn: Mapping[str, Any], passed: dict[str, None]) -> str:
    """What a turn says, the calls of tools as JSON; what it holds besides is noted."""
    for name in _SAID:
        if not is_empty(value := turn.get(name)):
            break
    said = value if isinstance(value, str) else _text(value, passed)
    if said and len(turn) == 2:  # who speaks, and what is said
        return said
    passed.update(dict.fromkeys(name for name in _THOUGHT if turn.get(name)))
    calls = [json.dumps(turn[name], ensure_ascii=False, default=str) for name in _CALLS if turn.get(name)]
    return "\n".join([said, *calls] if said else calls)


def _text(value: Any, passed: dict[str, None], levels: int = _LEVELS) -> str:
    """The text of a message's content, of its parts those that are text."""
    if isinstance(value, Mapping | list) and not levels:
        passed[kind(value)] = None
        return ""
    if isinstance(value, Mapping):
        what = str(value.get("type") or kind(dict(value)))
        inner = next((value[name] for name in ("text", "parts", "content") if not is_empty(value.get(name))), None)
        if inner is not None and what not in _THOUGHT:
            return _text(inner, passed, levels - 1)
        if what.startswith("tool"):
            return json.dumps(value, ensure_ascii=False, default=str)
        if what != "text":
            passed[what] = None
        return ""
    if isinstance(value, list):
        return "".join(_text(part, passed, levels - 1) for part in value)
    text = "" if is_empty(value) else text_of(value)
    return "" if isinstance(text, Broken) else text
