"""Signatures of texts: bits that tell which pairs cannot be near, a word of a processor at a time.

Each element of a text (see `ggmi.text.near_index`) flips one bit of its signature. An element in both of two texts
flips a bit in both, so the number of bits h in which two signatures differ is at most the number of elements that are
in one text alone: of m and n tokens of which L are common, h ≤ m + n − 2 L, and ROUGE-L ≤ (m + n − h) / (m + n).
(Bitmap filter: Sandes, Teodoro and Melo 2020, "Bitmap filter: speeding up exact set similarity joins with bitwise
operations".)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Bits of a signature for each token of the longest text of a class. Unrelated English texts then
# differ in about 1.2 bits a token, and near-duplicates at 0.7 in 0.6 at the most.
BITS_PER_TOKEN = 4
LEAST_BITS, MOST_BITS = 128, 2**15
# Rounding of bounds: never in favour of leaving a pair out.
ROUNDING = 1e-6

Words = NDArray[np.uint64]
Ids = NDArray[np.int64]


class Signatures:
    """Signatures of texts, numbered from zero: longer ones of longer texts.

    Parameters
    ----------
    length
        Tokens of each text.
    words
        By its bits, the signatures of the texts that have so many, in order of the texts; where not given, they are
        empty, and `write` fills them.
    """

    def __init__(self, length: Ids, words: Mapping[int, Words] | None = None) -> None:
        self._length = length
        bits = np.full(len(length), LEAST_BITS)
        while (short := (bits < BITS_PER_TOKEN * length) & (bits < MOST_BITS)).any():
            bits[short] *= 2
        #: Bits of each text's signature.
        self.bits = bits
        # Which of so many bits it is.
        self._place = np.zeros(len(length), dtype=np.int64)
        sizes = {}
        for width in np.unique(bits).tolist():
            mine = np.flatnonzero(bits == width)
            self._place[mine] = np.arange(len(mine))
            sizes[width] = len(mine)
        if words is None:
            words = {width: np.zeros((size, width // 64), dtype=np.uint64) for width, size in sizes.items()}
        #: Signatures by their bits.
        self.words = words

    def write(self, first: int, last: int, owner: Ids, mixed: Words) -> None:
        """Flip the bits of the elements of some texts.

        Parameters
        ----------
        first, last
            The texts, and the one behind them.
        owner
            Of each element, counted from the first.
        mixed
            A well-spread number for each element.
        """
        bits = self.bits[first:last]
        for width, words in self.words.items():
            mine = np.flatnonzero(bits == width)
            if not len(mine):
                continue
            inside = bits[owner] == width
            row = self._place[first + mine]
            bit = (self._place[first + owner[inside]] - row[0]) * width + (mixed[inside] % np.uint64(width)).astype(int)
            flips = (np.bincount(bit, minlength=len(mine) * width) % 2).astype(np.uint8)
            words[row] = np.packbits(flips.reshape(len(mine), width), axis=1).view(np.uint64)

    def folded(self, texts: NDArray, bits: int) -> Words:
        """Signatures of so many bits: parts of longer ones laid over one another.

        Parameters
        ----------
        texts
            n of them, whose signatures have as many bits or more.
        bits
            How many.

        Returns
        -------
        ndarray of uint64, shape (n, bits / 64)
        """
        width, place = self.bits[texts], self._place[texts]
        least, most = int(width.min()), int(width.max())
        if least == most:
            return _laid_over(self.words[least][place], bits // 64)
        found = np.empty((len(texts), bits // 64), dtype=np.uint64)
        for own in [own for own in self.words if least <= own <= most]:
            mine = np.flatnonzero(width == own)
            found[mine] = _laid_over(self.words[own][place[mine]], bits // 64)
        return found

    @cached_property
    def _short(self) -> list[Words]:
        """Signatures of all texts, of as few bits as there are, a word of each text at a time."""
        return list(np.ascontiguousarray(self.folded(np.arange(len(self._length)), LEAST_BITS).T))

    def may_be_near(self, left: NDArray, right: NDArray, threshold: float) -> tuple[NDArray, NDArray]:
        """The pairs that signatures do not rule out: short ones, which a cache holds, nearly all, then whole ones.

        Parameters
        ----------
        left, right
            Texts of each pair.
        threshold
            ROUGE-L above which texts are near.
        """
        total = self._length[left] + self._length[right]
        apart = sum(np.bitwise_count(word[left] ^ word[right]).astype(np.int64) for word in self._short)
        near = np.flatnonzero(total - apart > threshold * total - ROUNDING)
        left, right, total = left[near], right[near], total[near]
        width = np.minimum(self.bits[left], self.bits[right])
        keep = np.zeros(len(left), dtype=bool)
        for bits in self.words:
            which = np.flatnonzero(width == bits)
            if not len(which):
                continue
            differing = self.folded(left[which], bits) ^ self.folded(right[which], bits)
            apart = np.bitwise_count(differing).sum(axis=1, dtype=np.int64)
            keep[which] = total[which] - apart > threshold * total[which] - ROUNDING
        return left[keep], right[keep]


def _laid_over(signatures: Words, words: int) -> Words:
    """Signatures of so many words each: their halves laid over one another."""
    while signatures.shape[1] > words:
        half = signatures.shape[1] // 2
        signatures = signatures[:, :half] ^ signatures[:, half:]
    return signatures
