"""Untrusted text made to show what it is."""

from __future__ import annotations

import re

# Control characters, and those that turn, hide or break text; tabs and line ends stay.
_TREACHEROUS = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)

_VISIBLE = re.compile(r"[^\s\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def is_visible(text: str) -> bool:
    """Whether a text has a sign that can be seen.

    Examples
    --------
    >>> is_visible(" a"), is_visible("\u200b \ufeff")
    (True, False)
    """
    return _VISIBLE.search(text) is not None


def plain(text: str) -> str:
    """Make control, direction and invisible characters visible, so that text shows what it is.

    Parameters
    ----------
    text
        Anything, trusted or not.

    Examples
    --------
    >>> plain("abc\u202edef")
    'abc⟨U+202E⟩def'
    """
    return _TREACHEROUS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def one_line(text: str) -> str:
    """Untrusted text as one visible line.

    Examples
    --------
    >>> one_line(" two  words ")
    'two words'
    """
    return plain(" ".join(text.split()))


def shortened(text: str, most: int = 60) -> str:
    """A text's beginning.

    Examples
    --------
    >>> shortened("abc", 3), shortened("abcd", 3)
    ('abc', 'ab…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
