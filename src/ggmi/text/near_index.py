"""Texts of which those near one another are found without comparing every pair: an exact join by ROUGE-L.

The search gives what comparing all pairs would give. Two filters leave few pairs to compare in full.

A text is first a set of its tokens, the k-th occurrence of a token an element of its own, so that two sets share as
many elements as the texts share tokens, at least as many as their longest common subsequence has, L. All elements
have one order, the rarest first. Take the first of the L common ones: with m and n tokens, and a and b elements from
it to the last in the one text and the other, L ≤ min(a, b), so ROUGE-L = 2 L / (m + n) ≤ 2 min(a, b) / (m + n). Only
pairs that share an element for which this bound exceeds the threshold are looked at. (Prefix and position filters:
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data cleaning"; Xiao et al. 2008,
"Efficient similarity joins for near duplicate detection".)

Each element flips one bit of a signature. An element in both sets flips a bit in both, so the number of bits h in
which two signatures differ is at most the number of elements that are in one set alone: h ≤ m + n − 2 L, and
ROUGE-L ≤ (m + n − h) / (m + n). (Bitmap filter: Sandes, Teodoro and Melo 2020, "Bitmap filter: speeding up exact set
similarity joins with bitwise operations".)
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from ggmi.text.tokens import rarest_first, renumber, tokenize

# Bits of a signature for each token of the longest text of a class. Unrelated English texts then
# differ in about 1.2 bits a token, and near-duplicates at 0.7 in 0.6 at the most.
BITS_PER_TOKEN = 4
LEAST_BITS, MOST_BITS = 128, 2**15
# Texts prepared at once; elements of texts that are sorted at once (some 50 bytes each); pairs looked at at once.
BLOCK_TEXTS, ELEMENTS, PAIRS = 16384, 2**21, 2**20
# Texts that share an element from which their signatures are compared in tiles, and texts of a tile, small enough
# for a cache.
LARGE = 128
TILE_ROWS, TILE_COLUMNS = 64, 1024
# Rounding of bounds: never in favour of leaving a pair out.
ROUNDING = 1e-6

# What files of signatures are called, with their bits behind it.
SIGNATURES = "signatures-"

Words = NDArray[np.uint64]
Ids = NDArray[np.int64]


class Pair(NamedTuple):
    """Two similar texts, by position, and their ROUGE-L."""

    left: int
    right: int
    similarity: float


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


class NearIndex:
    """Texts, numbered from zero, of which those near one another can be found.

    Parameters
    ----------
    texts
        Read once; 58 million tokens of a million texts take 0.8 GB.
    threshold
        Similarity above which texts are near, in [0, 1).

    Raises
    ------
    ValueError
        If the threshold is outside [0, 1).
    """

    def __init__(self, texts: Iterable[str], threshold: float) -> None:
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold must be in [0, 1), got {threshold}")
        self.threshold = threshold
        # Pairs compared in full since the index was made.
        self.compared = 0
        found = tokenize(texts)
        # The rarest first: that is the order of elements.
        renumber(found.numbers, rarest_first(found.counts()))
        self._build(found.numbers, found.lengths)

    @classmethod
    def of_numbers(cls, numbers: NDArray[np.int32], lengths: Ids, threshold: float) -> NearIndex:
        """An index of texts whose tokens are numbered, the rarest first.

        Parameters
        ----------
        numbers
            Of the tokens of all texts, one text after another; not copied.
        lengths
            Tokens of each text.
        threshold
            As for the class.
        """
        index = cls((), threshold)
        index._build(numbers, lengths)
        return index

    def _build(self, numbers: NDArray[np.int32], lengths: Ids) -> None:
        """Make signatures and codes of all texts."""
        self._place_texts(numbers, lengths)
        self._signatures = {
            width: np.zeros(((self._bits == width).sum(), width // 64), dtype=np.uint64)
            for width in np.unique(self._bits).tolist()
        }
        parts = [self._prepared(first) for first in range(0, len(self), BLOCK_TEXTS)]
        self._codes = np.concatenate([codes for codes, _ in parts]) if parts else np.empty(0, dtype=np.uint32)
        self._elements = np.concatenate([many for _, many in parts]) if parts else np.empty(0, dtype=np.int64)
        self._first = np.cumsum(self._elements) - self._elements

    def _place_texts(self, numbers: NDArray[np.int32], lengths: Ids) -> None:
        """Where the tokens of each text stand, how many bits its signature has, and which of so many bits it is."""
        self._flat, self._length = numbers, lengths
        self._start = np.concatenate([[0], np.cumsum(lengths)])
        bits = np.full(len(self), LEAST_BITS)
        while (short := (bits < BITS_PER_TOKEN * lengths) & (bits < MOST_BITS)).any():
            bits[short] *= 2
        self._bits = bits
        self._place = np.zeros(len(self), dtype=np.int64)
        for width in np.unique(bits).tolist():
            mine = np.flatnonzero(bits == width)
            self._place[mine] = np.arange(len(mine))

    def save(self, folder: Path) -> None:
        """Write the index as files of plain numbers: those of parts of a set make that of the set, end to end.

        Parameters
        ----------
        folder
            Is made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, kind, values in (
            ("numbers", np.int32, self._flat),
            ("lengths", np.int32, self._length),
            ("codes", np.uint32, self._codes),
            ("elements", np.int32, self._elements),
            *((f"{SIGNATURES}{width}", np.uint64, signatures) for width, signatures in self._signatures.items()),
        ):
            np.asarray(values, dtype=kind).tofile(folder / name)

    @classmethod
    def load(cls, folder: Path, threshold: float) -> NearIndex:
        """Open an index that was saved; what is large is read where it lies.

        Parameters
        ----------
        folder
            Of `save`, or of several of them joined (`join_indexes`).
        threshold
            The one that it was made with.
        """
        index = cls((), threshold)
        index._place_texts(
            _mapped(folder / "numbers", np.int32), _mapped(folder / "lengths", np.int32).astype(np.int64)
        )
        index._codes = _mapped(folder / "codes", np.uint32)
        index._elements = _mapped(folder / "elements", np.int32).astype(np.int64)
        index._first = np.cumsum(index._elements) - index._elements
        index._signatures = {
            width: _mapped(folder / f"{SIGNATURES}{width}", np.uint64).reshape(-1, width // 64)
            for width in np.unique(index._bits).tolist()
        }
        return index

    def __len__(self) -> int:
        return len(self._length)

    def _prepared(self, first: int) -> tuple[NDArray[np.uint32], Ids]:
        """Write signatures of a block of texts; return codes of the elements by which they are found, and how many."""
        last = min(first + BLOCK_TEXTS, len(self))
        length = self._length[first:last]
        owner = np.repeat(np.arange(last - first), length)
        # The rarest first, equal ones together.
        both = owner << 32 | self._flat[self._start[first] : self._start[last]]
        both.sort()
        fresh = np.flatnonzero(np.diff(both, prepend=-1))
        occurrence = np.arange(len(both)) - np.repeat(fresh, np.diff(fresh, append=len(both)))
        mixed = _mixed(both & 0xFFFFFFFF, occurrence)
        for width, signatures in self._signatures.items():
            mine = np.flatnonzero(self._bits[first:last] == width)
            if not len(mine):
                continue
            inside = self._bits[first:last][owner] == width
            row = self._place[first + mine]
            bit = (self._place[first + owner[inside]] - row[0]) * width + (mixed[inside] % np.uint64(width)).astype(int)
            flips = (np.bincount(bit, minlength=len(mine) * width) % 2).astype(np.uint8)
            signatures[row] = np.packbits(flips.reshape(len(mine), width), axis=1).view(np.uint64)
        # L ≤ a, and a near text has at least t m / (2 − t) tokens: a > t m / (2 − t).
        rest = np.repeat(length + self._start[first:last] - self._start[first], length) - np.arange(len(both))
        used = rest * (2 - self.threshold) > self.threshold * length[owner] - ROUNDING
        codes = (mixed[used] >> np.uint64(32)).astype(np.uint32)
        return codes, np.bincount(owner[used], minlength=last - first)

    def pairs(self, left: Ids, right: Ids) -> list[Pair]:
        """All near pairs of a text of one choice and a text of another that shares none with it.

        Parameters
        ----------
        left, right
            Numbers of texts.

        Returns
        -------
        list of Pair
            In order of left, then right.
        """
        sides = np.zeros(len(self), dtype=bool)
        sides[left] = True
        found = _Found(self, None)
        passes = self.passes(left, right)
        for part in range(passes):
            mine, theirs = self._choice(left, part, passes), self._choice(right, part, passes)
            # The longer text of a pair looks for the shorter; of equally long ones the left does.
            self._scan(mine, _short(theirs), mine.length, found)
            self._scan(theirs, _short(mine), theirs.length - 1, found)
        chosen = ((a, b) if sides[a] else (b, a) for a, b in found.pairs())
        return sorted(self._near(chosen))

    def pairs_among(
        self,
        texts: Ids,
        most: int | None = None,
        *,
        part: int = 0,
        parts: int = 1,
        on_pass: Callable[[], None] = lambda: None,
    ) -> list[Pair] | None:
        """All near pairs of some texts.

        Parameters
        ----------
        texts
            Their numbers.
        most
            Most pairs that are compared in full; None for any number.
        part, parts
            Look at one of so many parts of the elements only: the parts together find all pairs, some more than once.
        on_pass
            Called after each of `passes`.

        Returns
        -------
        list of Pair
            Left after right, in order of left, then right; None where more would have to be compared.
        """
        found = _Found(self, most)
        passes = max(parts, self.passes(texts))
        for one in range(part, passes, parts):
            mine = self._choice(texts, one, passes)
            short = mine.reach >= mine.length
            # Of equally long texts the later in the list looks for the earlier.
            own = np.where(short, np.cumsum(short) - short, len(short))
            self._scan(mine, mine.at(short), mine.length, found, own)
            if found.too_many:
                return None
            on_pass()
        chosen = ((max(pair), min(pair)) for pair in found.pairs())
        return None if found.too_many else sorted(self._near(chosen))

    def passes(self, *texts: Ids) -> int:
        """In how many parts elements are sorted, so that memory holds them.

        Parameters
        ----------
        *texts
            Numbers of the texts that are searched.
        """
        return 1 + sum(int(self._elements[one].sum()) for one in texts) // ELEMENTS

    def _choice(self, texts: Ids, part: int, passes: int) -> Elements:
        """Elements of some texts; those of one of so many parts of all codes."""
        texts = texts[np.argsort(self._length[texts], kind="stable")]
        found = []
        for first in range(0, len(texts), BLOCK_TEXTS):
            block = texts[first : first + BLOCK_TEXTS]
            many = self._elements[block]
            before = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
            code = self._codes[before + np.repeat(self._first[block], many)]
            which = np.flatnonzero(code % passes == part)
            text = np.repeat(block.astype(np.int32), many)[which]
            found.append((code[which], text, before[which].astype(np.int32)))
        code, text, before = (np.concatenate(column) for column in zip(*found, strict=True)) if found else _NOTHING
        # Numbers that hold code and place are sorted in a fifth of the time in which places by their codes are.
        both = code.astype(np.int64) << 31 | np.arange(len(code))
        both.sort()
        order = both & 2**31 - 1
        code, text, before = both >> 31, text[order], before[order]
        length = self._length[text].astype(np.int32)
        # 2 min(a, b) / (m + n) > t: n < 2 a / t - m.
        most = 2 * (length - before) / self.threshold if self.threshold else np.full(len(code), 2.0**31)
        reach = np.minimum(np.floor(most + ROUNDING), 2**31 - 1) - length
        return Elements(code, text, length, reach.astype(np.int32))

    def _scan(
        self, longer: Elements, short: Elements, most: NDArray[np.int32], found: _Found, own: Ids | None = None
    ) -> None:
        """Find pairs of a longer and a shorter text that share an element and that no filter rules out.

        The first of the common elements stands in the shorter text where it reaches texts of its own length and
        longer ones: `short` holds only such elements. `most` is the length of the longest text to be found by each
        element of `longer`, and `own` how many of `short` stand before it.
        """
        t = self.threshold
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
        self._expand(longer.at(rest), short, low[rest], high[rest], found)
        for a, b in zip(first[tiled].tolist(), last[tiled].tolist(), strict=True):
            if found.too_many:
                return
            order = a + np.argsort(high[a:b], kind="stable")
            self._tile(longer.at(order), short, low[order], high[order], found)

    def _expand(self, longer: Elements, short: Elements, low: Ids, high: Ids, found: _Found) -> None:
        """Look at each element's range of shorter texts, pair by pair."""
        ends = np.cumsum(high - low)
        first = 0
        while first < len(ends) and not found.too_many:
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + PAIRS, side="right")))
            many = (high - low)[first:last]
            right = np.repeat(low[first:last] - np.cumsum(many) + many, many)
            right += np.arange(len(right))
            fits = np.flatnonzero(short.reach[right] >= np.repeat(longer.length[first:last], many))
            left, right = np.repeat(longer.text[first:last], many)[fits], short.text[right[fits]]
            found.add(*self._unlike_bits(left, right))
            first = last

    def _tile(self, longer: Elements, short: Elements, low: Ids, high: Ids, found: _Found) -> None:
        """Compare signatures of the texts that share one element, tile by tile."""
        start, stop = int(low.min()), int(high.max())
        columns = short.at(slice(start, stop))
        low, high = low - start, high - start
        # Half of the bits rule out nearly all.
        width = np.maximum(self._bits[columns.text] // 2, LEAST_BITS)
        cuts = [0, *(np.flatnonzero(np.diff(width)) + 1).tolist(), len(width)]
        for begin, end in pairwise(cuts):
            rows = np.flatnonzero((low < end) & (high > begin))
            if not len(rows):
                continue
            bits = int(width[begin])
            there = np.ascontiguousarray(self._folded(columns.text[begin:end], bits).T)
            here = np.ascontiguousarray(self._folded(longer.text[rows], bits).T)
            allowed_here, allowed_there = (
                # h < (1 - t) (m + n) in whole numbers, rounded so that none is lost, and cut off beyond any h.
                np.minimum(np.ceil((1 - self.threshold) * n + 1), MOST_BITS - 1).astype(np.uint16)
                for n in (longer.length[rows], columns.length[begin:end])
            )
            # Few columns leave room for more rows, of which each tile has a cost of its own.
            height = max(TILE_ROWS, TILE_ROWS * TILE_COLUMNS // (end - begin))
            for top in range(0, len(rows), height):
                tile = slice(top, top + height)
                left_end = max(int(low[rows[tile]].min()), begin) - begin
                right_end = min(int(high[rows[tile]].max()), end) - begin
                for left in range(left_end, right_end, TILE_COLUMNS):
                    if found.too_many:
                        return
                    part = slice(left, min(left + TILE_COLUMNS, right_end))
                    apart = np.bitwise_count(here[0, tile, None] ^ there[0, None, part])
                    apart = apart if bits < 2**8 else apart.astype(np.uint16)
                    for word in range(1, len(here)):
                        apart += np.bitwise_count(here[word, tile, None] ^ there[word, None, part])
                    near = np.flatnonzero(apart < allowed_here[tile, None] + allowed_there[None, part])
                    row, column = rows[near // apart.shape[1] + top], near % apart.shape[1] + left + begin
                    fits = (column >= low[row]) & (column < high[row]) & (columns.reach[column] >= longer.length[row])
                    found.add(longer.text[row[fits]], columns.text[column[fits]])

    def _folded(self, texts: NDArray, bits: int) -> Words:
        """Signatures of so many bits, of texts that have as many or more: parts laid over one another."""
        width, place = self._bits[texts], self._place[texts]
        least, most = int(width.min()), int(width.max())
        if least == most:
            return _laid_over(self._signatures[least][place], bits // 64)
        found = np.empty((len(texts), bits // 64), dtype=np.uint64)
        for own in [own for own in self._signatures if least <= own <= most]:
            mine = np.flatnonzero(width == own)
            found[mine] = _laid_over(self._signatures[own][place[mine]], bits // 64)
        return found

    @cached_property
    def _short_signatures(self) -> list[Words]:
        """Signatures of all texts, of as few bits as there are, a word of each text at a time."""
        return list(np.ascontiguousarray(self._folded(np.arange(len(self)), LEAST_BITS).T))

    def _unlike_bits(self, left: NDArray, right: NDArray) -> tuple[NDArray, NDArray]:
        """The pairs that signatures do not rule out: short ones, which a cache holds, nearly all, then whole ones."""
        total = self._length[left] + self._length[right]
        apart = sum(np.bitwise_count(word[left] ^ word[right]).astype(np.int64) for word in self._short_signatures)
        near = np.flatnonzero(total - apart > self.threshold * total - ROUNDING)
        left, right, total = left[near], right[near], total[near]
        width = np.minimum(self._bits[left], self._bits[right])
        keep = np.zeros(len(left), dtype=bool)
        for bits in self._signatures:
            which = np.flatnonzero(width == bits)
            if not len(which):
                continue
            differing = self._folded(left[which], bits) ^ self._folded(right[which], bits)
            apart = np.bitwise_count(differing).sum(axis=1, dtype=np.int64)
            keep[which] = total[which] - apart > self.threshold * total[which] - ROUNDING
        return left[keep], right[keep]

    def _near(self, pairs: Iterable[tuple[int, int]]) -> Iterator[Pair]:
        """Those of some pairs whose ROUGE-L exceeds the threshold."""
        last = -1
        left: list[int] = []
        for one, other in pairs:
            left = left if one == last else self._tokens(one)
            last, right = one, self._tokens(other)
            self.compared += 1
            similarity = 2 * LCSseq.similarity(left, right) / (len(left) + len(right))
            if similarity > self.threshold:
                yield Pair(one, other, similarity)

    def _tokens(self, text: int) -> list[int]:
        return self._flat[self._start[text] : self._start[text + 1]].tolist()


class _Found:
    """Pairs that are found again and again, each once."""

    def __init__(self, index: NearIndex, most: int | None) -> None:
        self._index, self._most = index, most
        self._parts: list[tuple[NDArray, NDArray]] = []
        self._waiting = 0
        self._keys = np.empty(0, dtype=np.int64)
        self.too_many = False

    def add(self, left: NDArray, right: NDArray) -> None:
        if not len(left):
            return
        self._parts.append((left, right))
        self._waiting += len(left)
        if self._waiting > PAIRS:
            self._settle()

    def _settle(self) -> None:
        if not self._parts:
            return
        left, right = (np.concatenate(side).astype(np.int64) for side in zip(*self._parts, strict=True))
        keys = _each_once(np.maximum(left, right) * len(self._index) + np.minimum(left, right))
        left, right = self._index._unlike_bits(keys // len(self._index), keys % len(self._index))
        self._keys = _each_once(np.concatenate([self._keys, left * len(self._index) + right]))
        self._parts, self._waiting = [], 0
        self.too_many = self._most is not None and len(self._keys) > self._most

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The larger number first."""
        self._settle()
        for first in range(0, len(self._keys), PAIRS):
            for key in self._keys[first : first + PAIRS].tolist():
                yield divmod(key, len(self._index))


def join_indexes(folders: Iterable[Path], folder: Path) -> None:
    """Join the indexes of the parts of a set, in the order of the parts.

    Parameters
    ----------
    folders
        Of `NearIndex.save`; tokens are numbered alike in all of them, and one threshold made them.
    folder
        Is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = list(folders)
    for name in sorted({file.name for part in parts for file in part.iterdir()}):
        with (folder / name).open("wb") as whole:
            for file in (part / name for part in parts):
                if file.exists():  # no text of a part may need so many bits
                    with file.open("rb") as source:
                        shutil.copyfileobj(source, whole, 2**22)


def _mapped(path: Path, kind: type[np.generic]) -> NDArray:
    """The numbers of a file, read where they lie; no file can be mapped that is empty."""
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)


_NOTHING = (np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


def _each_once(keys: Ids) -> Ids:
    """The different ones of some keys, ascending: NumPy's own looks each up in a table, 17 times as long."""
    keys.sort()
    return keys[np.diff(keys, prepend=-1) != 0]


def _short(elements: Elements) -> Elements:
    """Those that reach texts as long as their own."""
    return elements.at(elements.reach >= elements.length)


def _laid_over(signatures: Words, words: int) -> Words:
    """Signatures of so many words each: their halves laid over one another."""
    while signatures.shape[1] > words:
        half = signatures.shape[1] // 2
        signatures = signatures[:, :half] ^ signatures[:, half:]
    return signatures


def _mixed(token: NDArray, occurrence: NDArray) -> Words:
    """A well-spread number for each element (SplitMix64's finaliser)."""
    value = token.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + occurrence.astype(np.uint64) * np.uint64(
        0xD1B54A32D192ED03
    )
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
