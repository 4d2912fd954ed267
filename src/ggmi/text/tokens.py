"""Texts cut into the tokens that ROUGE counts, and tokens as numbers, the rarest first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

# Han, Hiragana, Katakana, Thai, Lao, Tibetan, Burmese and Khmer are written without spaces, and so are pictures:
# each character is a token.
UNSPACED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e01-\u0e4e\u0e80-\u0ece\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3\u2600-\u27bf\U0001f000-\U0001faff"
)
_TOKEN = re.compile(f"[{UNSPACED}]|[^\\W_{UNSPACED}]+")
# Small letters of ASCII, and spaces of all that is no letter and no digit.
_ASCII = bytes(ord(chr(i).lower()) if chr(i).isalnum() and i < 128 else ord(" ") for i in range(256))
# Tokens that are given other numbers at once, and characters of texts that are cut at once.
_BLOCK, _BLOCK_CHARACTERS = 2**20, 2**22


class TokenizedTexts(NamedTuple):
    """Texts as numbers of tokens.

    Parameters
    ----------
    numbers
        Of the tokens of all texts, one text after another.
    lengths
        Tokens of each text.
    vocabulary
        The tokens by their numbers, each once.
    """

    numbers: NDArray[np.int32]
    lengths: NDArray[np.int64]
    vocabulary: list[str]

    def counts(self) -> NDArray[np.int64]:
        """How often each token of the vocabulary occurs."""
        return np.bincount(self.numbers, minlength=len(self.vocabulary))


def tokens(text: str) -> list[str]:
    """Cut text into the tokens that ROUGE counts: runs of letters and digits, in small letters.

    For ASCII text these are the tokens of the usual implementation (small letters, everything but
    a–z and 0–9 a space, no stemming); beyond ASCII, letters and digits of every script count, and
    scripts without spaces (Han, Hiragana, Katakana, Thai, Lao, Tibetan, Burmese, Khmer) and pictures
    give one token a character.

    Parameters
    ----------
    text
        Anything.

    Examples
    --------
    >>> tokens("Don't add 3.5 to naïve_x; 東京!")
    ['don', 't', 'add', '3', '5', 'to', 'naïve', 'x', '東', '京']
    """
    return _spaced(text).split()


def _spaced(text: str) -> str:
    """The tokens of a text with spaces between them."""
    if text.isascii():  # what `_TOKEN` finds, in a third of the time
        return text.encode().translate(_ASCII).decode()
    return " ".join(_TOKEN.findall(text.lower()))


def tokenize(texts: Iterable[str]) -> TokenizedTexts:
    """Cut texts into tokens, numbered in the order in which they first occur.

    Parameters
    ----------
    texts
        Read once.

    Examples
    --------
    >>> tokenize(["One and one.", "And two"]).numbers.tolist()
    [0, 1, 0, 1, 2]
    """
    number: defaultdict[str, int] = defaultdict(count().__next__)
    numbers, lengths = [np.empty(0, dtype=np.int32)], [np.empty(0, dtype=np.int64)]
    for block in _blocks(texts):
        cut = compute.ascii_split_whitespace(pa.array(block, pa.utf8()))
        coded = cut.values.dictionary_encode()
        # A token is looked up once a block: the text of each would cost most of the time.
        known = np.fromiter(map(number.__getitem__, coded.dictionary.to_pylist()), dtype=np.int32)
        numbers.append(known[coded.indices.to_numpy()])
        lengths.append(np.diff(cut.offsets.to_numpy()))
    return TokenizedTexts(np.concatenate(numbers), np.concatenate(lengths), list(number))


def _blocks(texts: Iterable[str]) -> Iterator[list[str | None]]:
    """Texts as tokens between spaces, some millions of characters at a time; None where there is no token."""
    block: list[str | None] = []
    size = 0
    for text in texts:
        spaced = _spaced(text).strip()
        block.append(spaced or None)
        size += len(spaced)
        if size > _BLOCK_CHARACTERS:
            yield block
            block, size = [], 0
    yield block


def rarest_first(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Ranks of tokens by how often they occur, 0 for the rarest; of equals the first comes first.

    Parameters
    ----------
    counts
        Of each token.
    """
    ranks = np.empty(len(counts), dtype=np.int32)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(counts), dtype=np.int32)
    return ranks


def renumber(numbers: NDArray[np.int32], new: NDArray[np.int32]) -> None:
    """Give tokens other numbers, in place.

    Parameters
    ----------
    numbers
        Of tokens.
    new
        The number that each number becomes.
    """
    for first in range(0, len(numbers), _BLOCK):
        numbers[first : first + _BLOCK] = new[numbers[first : first + _BLOCK]]
