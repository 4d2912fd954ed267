"""The search for near-duplicates by ROUGE-L, without comparing every pair in full.

ROUGE-L is the F-measure of two texts' longest common subsequence of tokens: with m and n tokens and L common
ones, recall is L/m, precision L/n, and their harmonic mean 2 L / (m + n). Lin (2004), "ROUGE: a package for
automatic evaluation of summaries", equations 2 to 4, with β = 1 and each text taken as one sentence. A text
without tokens is like none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

# Han, Hiragana, Katakana, Thai, Lao, Tibetan, Burmese and Khmer are written without spaces, and so are pictures:
# each character is a token.
UNSPACED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e01-\u0e4e\u0e80-\u0ece\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3\u2600-\u27bf\U0001f000-\U0001faff"
)
_TOKEN = re.compile(f"[{UNSPACED}]|[^\\W_{UNSPACED}]+")
# Bits of a signature for each token of the longest text of a class. Unrelated English texts then
# differ in about 1.2 bits a token, and near-duplicates at 0.7 in 0.6 at the most.
BITS_PER_TOKEN = 4
LEAST_BITS, MOST_BITS = 128, 2**15
# Texts compared at once, and words (8 bytes each) of one comparison: small enough for a cache.
BLOCK_TEXTS = 1024
TILE_ROWS, TILE_COLUMNS = 64, 4096

Words = NDArray[np.uint64]


class Pair(NamedTuple):
    """Two similar texts, by position, and their ROUGE-L."""

    left: int
    right: int
    similarity: float


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
    return _TOKEN.findall(text.lower())


class NearIndex:
    """Texts that others can be compared with, found by ROUGE-L above a threshold.

    The search gives what comparing all pairs would give. A text is first a set of its tokens, the
    k-th occurrence of a token an element of its own, so that two sets share as many elements as
    the texts share tokens, at least as many as their common subsequence has. Each element flips
    one bit of a signature. An element in both sets flips a bit in both, so the number of bits h
    in which two signatures differ is at most the number of elements that are in one set alone:
    h ≤ m + n − 2 · overlap ≤ m + n − 2 L, and ROUGE-L ≤ (m + n − h) / (m + n). Only pairs whose
    bound exceeds the threshold are compared in full. (Bitmap filter: Sandes, Teodoro and Melo
    2020, "Bitmap filter: speeding up exact set similarity joins with bitwise operations".)

    Parameters
    ----------
    threshold
        Similarity above which texts count as near-duplicates, in [0, 1).

    Raises
    ------
    ValueError
        If the threshold is outside [0, 1).
    """

    def __init__(self, threshold: float) -> None:
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold must be in [0, 1), got {threshold}")
        self.threshold = threshold
        # Pairs compared in full since the index was made.
        self.compared = 0
        self._vocabulary: dict[str, int] = {}
        self._texts: list[list[int]] = []
        self._classes: dict[int, _Class] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def encode(self, texts: Iterable[str]) -> list[list[int]]:
        """Texts as numbers of their tokens, ready for `add` and `find`.

        Parameters
        ----------
        texts
            The texts.
        """
        number = self._vocabulary
        return [[number.setdefault(token, len(number)) for token in tokens(text)] for text in texts]

    def add(self, encoded: Sequence[list[int]]) -> None:
        """Append texts; they are numbered on from those already there.

        Parameters
        ----------
        encoded
            From `encode`.
        """
        first = len(self._texts)
        self._texts.extend(encoded)
        for bits, members, signatures in _signatures(encoded):
            lengths = np.array([len(encoded[i]) for i in members.tolist()])
            self._classes.setdefault(bits, _Class(bits)).append(members + first, lengths, signatures)

    def find(self, encoded: Sequence[list[int]], *, earlier: bool = False) -> list[Pair]:
        """All pairs of a text given and a text in the index whose ROUGE-L exceeds the threshold.

        Parameters
        ----------
        encoded
            From `encode`; `Pair.left` counts these, `Pair.right` the texts of the index.
        earlier
            The texts are those of the index, and each is compared with those before it only.

        Returns
        -------
        list of Pair
            In order of left, then right.
        """
        pairs = []
        for bits, members, signatures in _signatures(encoded):
            lengths = np.array([len(encoded[i]) for i in members.tolist()])
            for group in self._classes.values():
                for row, right in group.candidates(bits, lengths, signatures, self.threshold):
                    left = int(members[row])
                    if earlier and right >= left:
                        continue
                    similarity = self._compare(encoded[left], self._texts[right])
                    if similarity > self.threshold:
                        pairs.append(Pair(left, right, similarity))
        return sorted(pairs)

    def _compare(self, left: list[int], right: list[int]) -> float:
        """ROUGE-L of two encoded texts, neither of them empty."""
        self.compared += 1
        return 2 * LCSseq.similarity(left, right) / (len(left) + len(right))


def near_pairs(left: Sequence[str], right: Sequence[str], threshold: float = 0.7) -> list[Pair]:
    """All pairs of texts of two sets whose ROUGE-L exceeds a threshold.

    Parameters
    ----------
    left, right
        The texts.
    threshold
        In [0, 1).

    Returns
    -------
    list of Pair
        In order of left, then right.

    Examples
    --------
    >>> near_pairs(["add one and two now"], ["name a city", "add one and three now"])
    [Pair(left=0, right=1, similarity=0.8)]
    """
    index = NearIndex(threshold)
    index.add(index.encode(right))
    pairs: list[Pair] = []
    for first in range(0, len(left), BLOCK_TEXTS):
        found = index.find(index.encode(left[first : first + BLOCK_TEXTS]))
        pairs.extend(Pair(pair.left + first, pair.right, pair.similarity) for pair in found)
    return pairs


def first_of_kind(texts: Sequence[str], threshold: float = 0.7) -> dict[int, Pair]:
    """Find the texts that are near-duplicates of an earlier one that is not itself left out.

    Parameters
    ----------
    texts
        In the order that decides which of two stays.
    threshold
        In [0, 1).

    Returns
    -------
    dict of int to Pair
        For each text to leave out: itself, the kept earlier text most similar to it (the earliest
        of equals), and their ROUGE-L.

    Examples
    --------
    >>> first_of_kind(["add one and two now", "name a city", "add one and three now"])
    {2: Pair(left=2, right=0, similarity=0.8)}
    """
    index = NearIndex(threshold)
    kept: list[int] = []
    twins: dict[int, Pair] = {}
    for first in range(0, len(texts), BLOCK_TEXTS):
        block = index.encode(texts[first : first + BLOCK_TEXTS])
        best = closest(index.find(block))
        rest = [i for i in range(len(block)) if i not in best]
        for i, pair in best.items():
            twins[first + i] = Pair(first + i, kept[pair.right], pair.similarity)
        index.add(_settle(index, block, rest, first, kept, twins))
    return twins


def _settle(
    index: NearIndex, block: list[list[int]], rest: list[int], first: int, kept: list[int], twins: dict[int, Pair]
) -> list[list[int]]:
    """Compare the texts of one block among themselves; return those that stay, in order."""
    among = NearIndex(index.threshold)
    among.add([block[i] for i in rest])
    earlier: dict[int, list[Pair]] = {}
    for pair in among.find([block[i] for i in rest], earlier=True):
        earlier.setdefault(pair.left, []).append(pair)
    index.compared += among.compared
    staying = []
    left_out: set[int] = set()
    for position, i in enumerate(rest):
        best = closest(pair for pair in earlier.get(position, ()) if pair.right not in left_out)
        if best:
            pair = best[position]
            twins[first + i] = Pair(first + i, first + rest[pair.right], pair.similarity)
            left_out.add(position)
        else:
            kept.append(first + i)
            staying.append(block[i])
    return staying


def closest(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """The most similar partner of each text on the left, the earliest of equals."""
    best: dict[int, Pair] = {}
    for pair in pairs:
        if pair.left not in best or pair.similarity > best[pair.left].similarity:
            best[pair.left] = pair
    return best


class _Class:
    """Signatures of texts of about one length, in arrays that grow."""

    def __init__(self, bits: int) -> None:
        self._size = 0
        self._positions = np.empty(0, dtype=np.int64)
        self._lengths = np.empty(0, dtype=np.int64)
        # Shape (words, texts): one word of many texts lies together.
        self._words: Words = np.empty((bits // 64, 0), dtype=np.uint64)

    def append(self, positions: NDArray, lengths: NDArray, words: Words) -> None:
        """Add texts at the end."""
        size = self._size + len(positions)
        if size > len(self._positions):
            spare = max(size, 2 * len(self._positions)) - self._size
            self._positions = np.concatenate([self._positions[: self._size], np.zeros(spare, dtype=np.int64)])
            self._lengths = np.concatenate([self._lengths[: self._size], np.zeros(spare, dtype=np.int64)])
            blank = np.zeros((len(self._words), spare), dtype=np.uint64)
            self._words = np.concatenate([self._words[:, : self._size], blank], axis=1)
        part = slice(self._size, size)
        self._positions[part], self._lengths[part], self._words[:, part] = positions, lengths, words
        self._size = size

    def candidates(self, bits: int, lengths: NDArray, words: Words, threshold: float) -> Iterator[tuple[int, int]]:
        """Pairs of a row given and a text here that the signatures do not rule out."""
        mine = self._lengths[: self._size]
        # 2 L ≤ 2 min(m, n): texts of very different lengths cannot be similar.
        ratio = threshold / (2 - threshold)
        if not len(mine) or mine.max() < lengths.min() * ratio or lengths.max() < mine.min() * ratio:
            return
        count = min(bits // 64, len(self._words))
        here, there = _folded(self._words[:, : self._size], count), _folded(words, count)
        # m + n - h > t (m + n) needs h < (1 - t) (m + n); whole numbers, rounded so that none is
        # lost, and cut off where they exceed any h (together at least MOST_BITS + 1).
        slack = 1 - threshold
        allowed_here, allowed_there = (
            np.minimum(np.ceil(slack * n + 1), MOST_BITS - 1).astype(np.uint16) for n in (mine, lengths)
        )
        differing = np.empty((TILE_ROWS, TILE_COLUMNS), dtype=np.uint64)
        counts = np.empty((TILE_ROWS, TILE_COLUMNS), dtype=np.uint8)
        for top in range(0, len(lengths), TILE_ROWS):
            for start in range(0, len(mine), TILE_COLUMNS):
                rows, columns = slice(top, top + TILE_ROWS), slice(start, start + TILE_COLUMNS)
                shape = (len(lengths[rows]), len(mine[columns]))
                apart = np.zeros(shape, dtype=np.uint16)
                cut = (slice(shape[0]), slice(shape[1]))
                for word in range(count):
                    np.bitwise_xor(there[word, rows, None], here[word, None, columns], out=differing[cut])
                    apart += np.bitwise_count(differing[cut], out=counts[cut])
                near = apart < allowed_there[rows, None] + allowed_here[None, columns]
                for row, column in zip(*near.nonzero(), strict=True):
                    m, n, h = int(lengths[top + row]), int(mine[start + column]), int(apart[row, column])
                    if min(2 * min(m, n), m + n - h) / (m + n) > threshold:
                        yield top + int(row), int(self._positions[start + column])


def _signatures(encoded: Sequence[list[int]]) -> Iterator[tuple[int, NDArray, Words]]:
    """Signatures of texts by class: bits, positions of the class's texts, words (bits / 64, texts)."""
    lengths = np.array([len(text) for text in encoded], dtype=np.int64)
    bits_of = np.full(len(encoded), LEAST_BITS)
    while (short := (bits_of < BITS_PER_TOKEN * lengths) & (bits_of < MOST_BITS)).any():
        bits_of[short] *= 2
    bits_of[lengths == 0] = 0
    for bits in np.unique(bits_of[lengths > 0]):
        members = np.flatnonzero(bits_of == bits)
        owner = np.repeat(np.arange(len(members)), lengths[members])
        token = np.concatenate([np.array(encoded[i], dtype=np.int64) for i in members.tolist()])
        order = np.lexsort((token, owner))
        owner, token = owner[order], token[order]
        # Sorted by text and token, the k-th of equals stands k places behind the first of them.
        fresh = np.flatnonzero(np.diff(owner, prepend=-1) | np.diff(token, prepend=-1))
        occurrence = np.arange(len(token)) - np.repeat(fresh, np.diff(fresh, append=len(token)))
        bit = _mixed(token, occurrence) % np.uint64(bits)
        flips = np.bincount(owner * int(bits) + bit.astype(np.int64), minlength=len(members) * int(bits)) % 2
        packed = np.packbits(flips.astype(np.uint8).reshape(len(members), int(bits)), axis=1)
        yield int(bits), members, np.ascontiguousarray(packed.view(np.uint64).T)


def _mixed(token: NDArray, occurrence: NDArray) -> Words:
    """A well-spread number for each element (SplitMix64's finaliser)."""
    value = token.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + occurrence.astype(np.uint64) * np.uint64(
        0xD1B54A32D192ED03
    )
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _folded(words: Words, count: int) -> Words:
    """Signatures of half, a quarter … as many bits: parts laid over one another."""
    while len(words) > count:
        half = len(words) // 2
        words = words[:half] ^ words[half:]
    return words
