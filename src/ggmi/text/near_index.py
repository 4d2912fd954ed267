"""Texts of which those near one another are found without comparing every pair: an exact join by ROUGE-L.

The search gives what comparing all pairs would give. Two filters leave few pairs to compare in full.

A text is first a set of its tokens, the k-th occurrence of a token an element of its own, so that two sets share as
many elements as the texts share tokens, at least as many as their longest common subsequence has, L. All elements
have one order, the rarest first. Take the first of the L common ones: with m and n tokens, and a and b elements from
it to the last in the one text and the other, L ≤ min(a, b), so ROUGE-L = 2 L / (m + n) ≤ 2 min(a, b) / (m + n). Only
pairs that share an element for which this bound exceeds the threshold are looked at. (Prefix and position filters:
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data cleaning"; Xiao et al. 2008,
"Efficient similarity joins for near duplicate detection".) Of these pairs signatures rule out nearly all that are not
near (`ggmi.text.signatures`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from ggmi.text.candidates import Candidates, Elements
from ggmi.text.signatures import ROUNDING, Ids, Signatures, Words
from ggmi.text.tokens import rarest_first, renumber, tokenize

# Texts prepared at once; elements of texts that are sorted at once (some 50 bytes each).
BLOCK_TEXTS, ELEMENTS = 16384, 2**21
# What files of signatures are called, with their bits behind it.
SIGNATURES = "signatures-"


class Pair(NamedTuple):
    """Two similar texts, by position, and their ROUGE-L."""

    left: int
    right: int
    similarity: float


class NearIndex:
    """Texts, numbered from zero, of which those near one another can be found.

    Parameters
    ----------
    texts
        Read once; 58 million tokens of a million texts take 0.8 GB.
    threshold
        Similarity above which texts are near, in [0, 1).
    threads
        That search at the same time; what is found does not depend on them.

    Raises
    ------
    ValueError
        If the threshold is outside [0, 1).
    """

    def __init__(self, texts: Iterable[str], threshold: float, *, threads: int = 1) -> None:
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold must be in [0, 1), got {threshold}")
        self.threshold, self._threads = threshold, threads
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
        self._signatures = Signatures(lengths)
        parts = [self._prepared(first) for first in range(0, len(self), BLOCK_TEXTS)]
        self._codes = np.concatenate([codes for codes, _ in parts]) if parts else np.empty(0, dtype=np.uint32)
        self._elements = np.concatenate([many for _, many in parts]) if parts else np.empty(0, dtype=np.int64)
        self._first = np.cumsum(self._elements) - self._elements

    def _place_texts(self, numbers: NDArray[np.int32], lengths: Ids) -> None:
        """Where the tokens of each text stand."""
        self._flat, self._length = numbers, lengths
        self._start = np.concatenate([[0], np.cumsum(lengths)])

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
            *((f"{SIGNATURES}{width}", np.uint64, signatures) for width, signatures in self._signatures.words.items()),
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
        widths = [int(file.name.removeprefix(SIGNATURES)) for file in folder.glob(f"{SIGNATURES}*")]
        words = {
            width: _mapped(folder / f"{SIGNATURES}{width}", np.uint64).reshape(-1, width // 64)
            for width in sorted(widths)
        }
        index._signatures = Signatures(index._length, words)
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
        self._signatures.write(first, last, owner, mixed)
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
        found = Candidates(self._signatures, self.threshold, None)
        passes = self.passes(left, right)

        def search(part: int) -> None:
            mine, theirs = self._choice(left, part, passes), self._choice(right, part, passes)
            # The longer text of a pair looks for the shorter; of equally long ones the left does.
            found.scan(mine, _short(theirs), mine.length)
            found.scan(theirs, _short(mine), theirs.length - 1)

        in_threads(self._threads, search, range(passes))
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
        found = Candidates(self._signatures, self.threshold, most)
        passes = max(parts, self.passes(texts))

        def search(one: int) -> None:
            if found.too_many:
                return
            mine = self._choice(texts, one, passes)
            short = mine.reach >= mine.length
            # Of equally long texts the later in the list looks for the earlier.
            own = np.where(short, np.cumsum(short) - short, len(short))
            found.scan(mine, mine.at(short), mine.length, own)
            if not found.too_many:
                on_pass()

        in_threads(self._threads, search, range(part, passes, parts))
        if found.too_many:
            return None
        chosen = ((max(pair), min(pair)) for pair in found.pairs())
        return None if found.too_many else sorted(self._near(chosen))

    def passes(self, *texts: Ids) -> int:
        """In how many parts elements are sorted, so that memory holds them.

        Parameters
        ----------
        *texts
            Numbers of the texts that are searched.
        """
        # Two threads hold a part each; more have the smaller parts, so that memory holds theirs, too.
        shares = -(-self._threads // 2)
        return 1 + shares * sum(int(self._elements[one].sum()) for one in texts) // ELEMENTS

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


def in_threads(number: int, work: Callable[[int], None], items: Iterable[int]) -> None:
    """Do some work for each item, by so many threads that do not keep the program from ending.

    Parameters
    ----------
    number
        Of threads.
    work
        Called with an item.
    items
        Each is taken once.
    """
    left, taking, failed = iter(items), Lock(), list[BaseException]()

    def run() -> None:
        while not failed:
            with taking:
                item = next(left, None)
            if item is None:
                return
            try:
                work(item)
            except BaseException as error:  # told where the work was asked for
                failed.append(error)

    threads = [Thread(target=run, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _mapped(path: Path, kind: type[np.generic]) -> NDArray:
    """The numbers of a file, read where they lie; no file can be mapped that is empty."""
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)


_NOTHING = (np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


def _short(elements: Elements) -> Elements:
    """Those that reach texts as long as their own."""
    return elements.at(elements.reach >= elements.length)


def _mixed(token: NDArray, occurrence: NDArray) -> Words:
    """A well-spread number for each element (SplitMix64's finaliser)."""
    value = token.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + occurrence.astype(np.uint64) * np.uint64(
        0xD1B54A32D192ED03
    )
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
