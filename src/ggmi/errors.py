"""The one exception that is meant for the person at the keyboard."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """A mistake in configuration or data, told in one sentence.

    Programs show the message without a traceback and exit with code 2. The message names where
    the mistake is (file, line or key), the bad value and what is allowed.
    """


def told_by(error: Exception, most: int = 300) -> str:
    r"""What another library said, on one line, without advice that does not hold here.

    Parameters
    ----------
    error
        What it raised.
    most
        Characters kept.

    Examples
    --------
    >>> told_by(KeyError()), told_by(KeyError("model")), told_by(OSError("no\n  such file"))
    ('KeyError', "there is no 'model'", 'no such file')
    """
    if "trust_remote_code" in str(error):
        return "it needs code that comes with it, and such code is never run here"
    if "ignore_mismatched_sizes" in str(error):
        return "its weights have other shapes than its configuration names"
    said = f"there is no {error}" if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(said.split())[:most] or type(error).__name__


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Name the allowed spelling nearest to `word`, or list what is allowed.

    Parameters
    ----------
    word
        What was written.
    allowed
        What may be written.

    Returns
    -------
    str
        A phrase to end an error message with.

    Examples
    --------
    >>> did_you_mean("forwrd", ["forward", "reverse"])
    "did you mean 'forward'?"
    >>> did_you_mean("xyz", ["forward", "reverse"])
    'allowed: forward, reverse'
    """
    names = sorted(allowed)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else "allowed: " + ", ".join(names)
