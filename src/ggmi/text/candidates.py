"""Candidates: pairs of texts that share an element and that no filter rules out, each found once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ggmi.text.signatures import LEAST_BITS, MOST_BITS, ROUNDING, Ids, Signatures

# Pairs looked at at once.
PAIRS = 2**20
# Texts that share an element from which their signatures are compared in tiles, and texts of a tile, small enough
# for a cache.
LARGE = 128
TILE_ROWS, TILE_COLUMNS = 128, 1024


class Elements(NamedTuple):
    """Elements by which texts are found, in order of element, then of the text's length.

    Parameters
    ----------
    code
        Of each element; that two have one code by chance costs time only.
    text
        Whose it is.
    length
        Tokens of that text.
    reach
        Most tokens that a text near this one can have if this is the first of the common elements.
    """

    code: Ids
    text: NDArray[np.int32]
    length: NDArray[np.int32]
    reach: NDArray[np.int32]

    def at(self, which: NDArray | slice) -> Elements:
        """Some of them."""
        return Elements(self.code[which], self.text[which], self.length[which], self.reach[which])


class Candidates:
    """Pairs that are found again and again, each kept once; threads may look for them side by side.

    Parameters
    ----------
    signatures
        Of all texts.
    threshold
        ROUGE-L above which texts are near.
    most
        Most pairs that are wanted; None for any number.
    """

    def __init__(self, signatures: Signatures, threshold: float, most: int | None) -> None:
        self._signatures, self._threshold, self._most = signatures, threshold, most
        self._texts = len(signatures.bits)
        self._parts: list[tuple[NDArray, NDArray]] = []
        self._waiting = 0
        self._keys = np.empty(0, dtype=np.int64)
        #: Whether there are more than are wanted.
        self.too_many = False
        self._lock = Lock()

    def scan(self, longer: Elements, short: Elements, most: NDArray[np.int32], own: Ids | None = None) -> None:
        """Find pairs of a longer and a shorter text that share an element and that no filter rules out.

        The first of the common elements stands in the shorter text where it reaches texts of its own length and
        longer ones: `short` holds only such elements. `most` is the length of the longest text to be found by each
        element of `longer`, and `own` how many of `short` stand before it.
        """
        t = self._threshold
        key = short.code << 31 | short.length
        least = np.ceil(longer.length * t / (2 - t) - ROUNDING).astype(np.int64)
        low = np.searchsorted(key, longer.code << 31 | least)
        high = np.searchsorted(key, longer.code << 31 | np.minimum(longer.reach, most), side="right")
        high = high if own is None else np.minimum(high, own)
        some = np.flatnonzero(high > low)
        longer, low, high = longer.at(some), low[some], high[some]
        first = np.flatnonzero(np.diff(longer.code, prepend=-1))
        last = np.append(first[1:], len(longer.code))
        if not len(first):
            return
        spread = np.maximum.reduceat(high, first) - np.minimum.reduceat(low, first)
        tiled = (spread > LARGE) & (last - first > LARGE // 8)
        rest = np.flatnonzero(~np.repeat(tiled, last - first))
        self._expand(longer.at(rest), short, low[rest], high[rest])
        for a, b in zip(first[tiled].tolist(), last[tiled].tolist(), strict=True):
            if self.too_many:
                return
            order = a + np.argsort(high[a:b], kind="stable")
            self._tile(longer.at(order), short, low[order], high[order])

    def _expand(self, longer: Elements, short: Elements, low: Ids, high: Ids) -> None:
        """Look at each element's range of shorter texts, pair by pair."""
        ends = np.cumsum(high - low)
        first = 0
        while first < len(ends) and not self.too_many:
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + PAIRS, side="right")))
            many = (high - low)[first:last]
            right = np.repeat(low[first:last] - np.cumsum(many) + many, many)
            right += np.arange(len(right))
            fits = np.flatnonzero(short.reach[right] >= np.repeat(longer.length[first:last], many))
            left, right = np.repeat(longer.text[first:last], many)[fits], short.text[right[fits]]
            self._add(*self._signatures.may_be_near(left, right, self._threshold))
            first = last

    def _tile(self, longer: Elements, short: Elements, low: Ids, high: Ids) -> None:
        """Compare signatures of the texts that share one element, tile by tile."""
        start, stop = int(low.min()), int(high.max())
        columns = short.at(slice(start, stop))
        low, high = low - start, high - start
        # Half of the bits rule out nearly all.
        width = np.maximum(self._signatures.bits[columns.text] // 2, LEAST_BITS)
        cuts = [0, *(np.flatnonzero(np.diff(width)) + 1).tolist(), len(width)]
        for begin, end in pairwise(cuts):
            rows = np.flatnonzero((low < end) & (high > begin))
            if not len(rows):
                continue
            bits = int(width[begin])
            there = np.ascontiguousarray(self._signatures.folded(columns.text[begin:end], bits).T)
            here = np.ascontiguousarray(self._signatures.folded(longer.text[rows], bits).T)
            allowed_here, allowed_there = (
                # h < (1 - t) (m + n) in whole numbers, rounded so that none is lost, and cut off beyond any h.
                np.minimum(np.ceil((1 - self._threshold) * n + 1), MOST_BITS - 1).astype(np.uint16)
                for n in (longer.length[rows], columns.length[begin:end])
            )
            # Few columns leave room for more rows, of which each tile has a cost of its own.
            height = max(TILE_ROWS, TILE_ROWS * TILE_COLUMNS // (end - begin))
            for top in range(0, len(rows), height):
                tile = slice(top, top + height)
                left_end = max(int(low[rows[tile]].min()), begin) - begin
                right_end = min(int(high[rows[tile]].max()), end) - begin
                for left in range(left_end, right_end, TILE_COLUMNS):
                    if self.too_many:
                        return
                    part = slice(left, min(left + TILE_COLUMNS, right_end))
                    apart = np.bitwise_count(here[0, tile, None] ^ there[0, None, part])
                    apart = apart if bits < 2**8 else apart.astype(np.uint16)
                    for word in range(1, len(here)):
                        apart += np.bitwise_count(here[word, tile, None] ^ there[word, None, part])
                    near = np.flatnonzero(apart < allowed_here[tile, None] + allowed_there[None, part])
                    row, column = rows[near // apart.shape[1] + top], near % apart.shape[1] + left + begin
                    fits = (column >= low[row]) & (column < high[row]) & (columns.reach[column] >= longer.length[row])
                    self._add(longer.text[row[fits]], columns.text[column[fits]])

    def _add(self, left: NDArray, right: NDArray) -> None:
        if not len(left):
            return
        with self._lock:
            self._parts.append((left, right))
            self._waiting += len(left)
            if self._waiting > PAIRS:
                self._settle()

    def _settle(self) -> None:
        if not self._parts:
            return
        left, right = (np.concatenate(side).astype(np.int64) for side in zip(*self._parts, strict=True))
        keys = _each_once(np.maximum(left, right) * self._texts + np.minimum(left, right))
        left, right = self._signatures.may_be_near(*divmod(keys, self._texts), self._threshold)
        self._keys = _each_once(np.concatenate([self._keys, left * self._texts + right]))
        self._parts, self._waiting = [], 0
        self.too_many = self._most is not None and len(self._keys) > self._most

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The larger number first."""
        self._settle()
        for first in range(0, len(self._keys), PAIRS):
            for key in self._keys[first : first + PAIRS].tolist():
                yield divmod(key, self._texts)


def _each_once(keys: Ids) -> Ids:
    """The different ones of some keys, ascending: NumPy's own looks each up in a table, 17 times as long."""
    keys.sort()
    return keys[np.diff(keys, prepend=-1) != 0]
