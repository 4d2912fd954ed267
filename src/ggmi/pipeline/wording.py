"""How often sets repeat themselves and T word by word, of all their records: no sample, and no encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import chain, count
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ggmi.information.duplicates import exact_repeats, share_estimate
from ggmi.pipeline.embedded_sets import exact_keys, texts_of
from ggmi.text.near_index import NearIndex
from ggmi.text.rouge import closest, repeating, settled
from ggmi.text.samples import Sample

# ROUGE-L above which records are near by their words: that of curation, and of Self-Instruct.
NEAR = 0.7
# Names of the estimators and what each says, in the order of tables.
BY_WORDS = {
    "exact_repeats": "share of all records whose text another record of the set has",
    "word_repeats": f"share of all records with another one of the set within ROUGE-L {NEAR:g}",
    "word_duplicates": f"share of all records with a record of T within ROUGE-L {NEAR:g}",
}


class Repeats(NamedTuple):
    """What a set repeats of itself and of T.

    Parameters
    ----------
    rows
        Of each estimator of `BY_WORDS`, like those of `ggmi.pipeline.estimation.estimates`.
    partners
        The record of T nearest each that is near one, by position.
    repeated
        Which records of T are near another of T, shape (m,).
    """

    rows: list[dict[str, Any]]
    partners: dict[int, int]
    repeated: NDArray[np.bool_]


def begin_repeats(
    samples: Sequence[Sample], parts: Sequence[str], on_pass: Callable[[int, int], None], threads: int
) -> Future[list[Repeats]]:
    """Begin `repeats_by_words` beside what else is to be done, in a thread that does not keep the program from ending.

    Parameters
    ----------
    samples, parts, on_pass, threads
        As for `repeats_by_words`.
    """
    future: Future[list[Repeats]] = Future()

    def work() -> None:
        try:
            future.set_result(repeats_by_words(samples, parts, on_pass, threads))
        except BaseException as error:  # told where the result is asked for
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future


def repeats_by_words(
    samples: Sequence[Sample],
    parts: Sequence[str],
    on_pass: Callable[[int, int], None] = lambda *_: None,
    threads: int = 1,
) -> list[Repeats]:
    """Find exact and near repeats of every set, and of T in it, among all records.

    Parameters
    ----------
    samples
        T, then the sets.
    parts
        Fields that are compared.
    on_pass
        Called with how much is done of the search of each set in itself, which takes nearly all the time, and how
        much there is.
    threads
        That search at the same time.

    Returns
    -------
    list of Repeats
        Of each set. The null mean of ``word_duplicates`` is what T repeats of itself; nothing is tested.
    """
    index = NearIndex(chain.from_iterable(texts_of(sample, parts) for sample in samples), NEAR, threads=threads)
    ends = np.cumsum([len(sample) for sample in samples])
    train, *sets = (np.arange(end - len(sample), end) for sample, end in zip(samples, ends, strict=True))
    stay, twins = settled(index, train)
    repeated = repeating(index, stay, twins)[train]
    own = float(repeated.mean())
    found = []
    done, total = count(1), sum(map(index.passes, sets))
    for sample, records in zip(samples[1:], sets, strict=True):
        # What is near one that stays needs no look at those that are left out for its sake.
        near = np.zeros(len(index), dtype=bool)
        partners: dict[int, int] = {}
        for others in (stay, np.array(sorted(twins), dtype=np.int64)):
            pairs = closest(index.pairs(records[~near[records]], others))
            near[list(pairs)] = True
            partners |= {left - int(records[0]): pair.right for left, pair in pairs.items()}
        groups = sample.prompt_ids
        how = f"ROUGE-L above {NEAR:g}, exact search"
        shares = {
            "exact_repeats": exact_repeats(exact_keys(sample, parts), groups=groups),
            "word_repeats": share_estimate(
                repeating(index, *settled(index, records, lambda: on_pass(next(done), total)))[records],
                f"records with another one of {how}",
                groups,
            ),
            "word_duplicates": share_estimate(
                near[records], f"records with a training record of {how}; null: the same of T's own", groups, own
            ),
        }
        rows = [{"estimator": name, **one.row(), "smallest_p": None, "note": ""} for name, one in shares.items()]
        found.append(Repeats(rows, partners, repeated))
    return found
