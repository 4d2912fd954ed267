"""What a text itself tells of how it was made: cut off, garbled, with marks of its making left in.

The marks are ours, collected from public sets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ggmi.information.clustering import normalised
from ggmi.text.tokens import tokens

# Words of a last line from which on it is an unfinished sentence if it ends in a word that none ends in.
LONG_LINE = 8
# Words of a prompt from which on an answer that begins with it repeats it.
LONG_PROMPT = 4
# Characters from which on answers of one length are cut there, and the share of a set that has to have it.
LONG_ANSWER, PILED = 50, 0.1

# A line that stops at a letter or a comma, as no finished sentence does; with a sentence that ends within it; or at
# a comma or a word after which English goes on.
_OPEN_END = re.compile(r"[^\W\d_][,，、،]?$")
# No sentence ends at an abbreviation.
_SENTENCE_END = re.compile(
    r"[^\W\d_]{2}(?<!\b(?:dr|mr|ms|st|vs|jr|sr))(?<!\b(?:mrs|etc|inc|ltd|bzw|ggf))(?<!\bprof)"
    r"[)\"'”’»]*[.!?…؟۔]+[)\"'”’»]*\s+\S|[。！？।॥]\S*\s*\S",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"(?:[,，、،]|\b(?:a|an|the|of|to|in|on|at|by|for|from|with|into|and|or|but|nor|if|as|than|that|which|who|whose|when|"
    r"while|because|is|are|was|were|be|been|has|have|had|can|could|will|would|should|may|might|must|my|your|his|her|its|"
    r"our|their|this|these|those|such|very|more|not|also))$",
    re.IGNORECASE,
)
_FINISHED = re.compile(r"[\d.!?…。！？؟۔।॥:;)\]}>\"'”’»`*_|~$]$")
_GARBLED = re.compile(
    r"\ufffd|ï¿½|â€[\u0080-\u00bf\u2018-\u203a™œž˜¢¦]|[ÂÃÅÄ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]|[ÐÑ][\u0080-\u00bf]"
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARKUP = re.compile(
    r"</?(?:p|br|div|span|b|i|u|li|ul|ol|a|h[1-6]|table|tr|td|th|strong|em|html|body|img|font|sup|sub)(?:\s[^<>]*)?/?>"
    r"|&(?:amp|lt|gt|nbsp|quot|apos|#\d+|#x[0-9a-f]+);"
    r"|<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:eos|bos|pad|unk|end_of_turn|start_of_turn)>",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\A[\s#*]*(?:response|answer|output|completion|assistant|ai|bot|reply)[\s*]*:"
    r"|^[\s#*]*(?:human|user|instruction|input|question|prompt|assistant|response)[\s*]*:",
    re.IGNORECASE | re.MULTILINE,
)


def cut_off(text: str) -> bool:
    """Whether a text ends in the middle of a sentence.

    Its last line stops at a letter or a comma, and a sentence ends within that line, or it is long and stops at a word
    after which an English sentence goes on: titles, verses, lists and code are written without full stops on purpose.

    Parameters
    ----------
    text
        An answer.

    Examples
    --------
    >>> cut_off("It is so. And then it"), cut_off("It is so. And then it was."), cut_off("red, green and blue")
    (True, False, False)
    """
    line = text.rstrip().rsplit("\n", 1)[-1]
    # Vowel signs of Hindi, Arabic and others are no letters by themselves.
    last = "".join(sign for sign in line if unicodedata.category(sign)[0] != "M")
    if not _OPEN_END.search(last):
        return False
    goes_on = len(tokens(last)) >= LONG_LINE and _GOES_ON.search(last)
    return _SENTENCE_END.search(last) is not None or bool(goes_on)


def at_one_length(answers: Sequence[str], counts: Sequence[int | None]) -> NDArray[np.bool_]:
    """Which answers stop, unfinished, at a length that many share and none exceeds: that of a cap.

    Parameters
    ----------
    answers
        Of a set, n of them.
    counts
        Tokens of each, None where unknown.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    open_end = np.array([len(one) >= LONG_ANSWER and not _FINISHED.search(one.rstrip()) for one in answers], bool)
    found = np.zeros(len(answers), dtype=bool)
    words = [len(one.split()) for one in answers]
    for lengths in ([len(one) for one in answers], words, counts):
        if None in lengths:
            continue
        if lengths is words and max(words) < LONG_LINE:  # of scripts without spaces all is one word
            continue
        most = np.array(lengths, dtype=int) == max(one for one in lengths if one is not None)
        if most.sum() > 1 and (most & open_end).mean() >= PILED:
            found |= most & open_end
    return found


def garbled(text: str) -> bool:
    """Whether UTF-8 was read as another encoding, or characters were lost.

    Examples
    --------
    >>> garbled("ItÃ¢â‚¬â„¢s a cafÃ©."), garbled("It’s a café.")
    (True, False)
    """
    return _GARBLED.search(text) is not None


def marked_up(text: str) -> bool:
    """Whether HTML or marks of a chat template stand in a text, outside of code.

    Examples
    --------
    >>> marked_up("One<br>two"), marked_up("Write `<br>`, if a < b and b > c."), marked_up("Yes.<|im_end|>")
    (True, False, True)
    """
    return _MARKUP.search(_CODE.sub("", text)) is not None


def labelled(text: str) -> bool:
    r"""Whether a text begins with a label, or goes on with a further turn.

    Examples
    --------
    >>> labelled("### Response: It is."), labelled("It is.\nUser: And this?"), labelled("The answer: 3")
    (True, True, False)
    """
    return _LABEL.search(text) is not None


def echoes(prompt: str, answer: str) -> bool:
    """Whether an answer begins with its prompt.

    Examples
    --------
    >>> echoes("Name the  largest planet.", "name the largest planet. Jupiter"), echoes("Jupiter?", "Jupiter?")
    (True, False)
    """
    return len(tokens(prompt)) >= LONG_PROMPT and normalised(answer).startswith(normalised(prompt))
