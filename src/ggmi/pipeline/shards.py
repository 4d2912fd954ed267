"""A set read and curated in shards, a job a shard, with the result that it would have in one piece.

What depends on other records is settled in three places, each from what shards sum up: ids that come twice and columns
that are left aside (`merge_readings`), equal records and the numbers of words (`merge_screened`), and near-duplicates
(`settle_shards`), whose pairs are found by part of the joined index (`search_part`). Records are known by their place
in the whole set.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.io import atomic, read_arrays, read_json, write_arrays, write_json, write_text
from ggmi.pipeline.sets import Row, curation_summary, imported_rows, record_of
from ggmi.pipeline.subsets import some
from ggmi.text.columns import ANCHORS, NATS, PROMPT, TOKENS
from ggmi.text.curation import Curation, Drop, curate, normal_fields
from ggmi.text.forms import FieldReader, Fields
from ggmi.text.jsonl import filter_rows, lines, read_rows, write_rows
from ggmi.text.near_index import NearIndex, Pair
from ggmi.text.read_notes import CONFIGURED, Reading
from ggmi.text.records import Record
from ggmi.text.rouge import PAIRS_A_TEXT, left_out, settled
from ggmi.text.samples import Identities, read_part
from ggmi.text.tally import Invalid, Tally
from ggmi.text.tokens import rarest_first, renumber, tokenize

Ids = NDArray[np.int64]
# What a row holds where a column beside its fields is left aside.
ASIDE: dict[str, Row] = {
    PROMPT: {"prompt_id": None},
    ANCHORS: {"anchor_ids": []},
    NATS: {"log_prob_nats": None, "log_prob_missing": "the set was imported without it"},
    TOKENS: {"tokens": None},
}
# Filters that look at a record before it is compared with equal ones.
BEFORE_EXACT = ("lengths", "placeholders")


def read_shard(
    files: Sequence[Path], source: Mapping[str, Any], generator: str, folder: Path, *, several: bool
) -> None:
    """Read a shard of an imported set.

    Parameters
    ----------
    files
        Its files.
    source
        Settings, as for `ggmi.pipeline.anchors.read_source`.
    generator
        The name that the set goes by.
    folder
        Gets ``rows.jsonl``, ``tally.json`` and ``ids.npz``.
    several
        Whether the set has several files.
    """
    sample, tally, own = read_part(files, source["source"], source["fields"], source["encoding"], several=several)
    write_rows(folder / "rows.jsonl", imported_rows(sample, generator))
    write_json(folder / "tally.json", tally.to_json())
    ids = _digests(record.id for record in sample.records)
    write_arrays(folder / "ids.npz", {"ids": ids, "own": np.array(own, dtype=bool)})


def merge_readings(
    folders: Sequence[Path], name: str, fields: Fields, invalid: Invalid
) -> tuple[Reading, int, dict[str, Any]]:
    """Settle what holds for a set by what was read of its shards.

    Parameters
    ----------
    folders
        Of `read_shard`, in the order of the set.
    name
        The set's, for messages.
    fields, invalid
        As for `ggmi.text.samples.read_sample`.

    Returns
    -------
    reading : Reading
        How the set was read.
    records : int
        How many it holds.
    changes : dict
        What is to be changed in rows: columns left ``aside``, and ``ids`` by shard and row.

    Raises
    ------
    UserError
        As `ggmi.text.samples.read_sample`.
    """
    reader, whole = FieldReader(fields), Tally()
    for folder in folders:
        whole.add(Tally.from_json(read_json(folder / "tally.json")))
    whole.check(name, reader, invalid, CONFIGURED)
    found = [read_arrays(folder / "ids.npz") for folder in folders]
    ids, own = (np.concatenate([shard[part] for shard in found]) for part in ("ids", "own"))
    named = "id" in reader.named
    changed: dict[int, dict[int, str]] = {}
    if len(_repeats(ids)[0]):
        identities = Identities(named=named)
        lacking = iter((~own).tolist())
        for shard, folder in enumerate(folders):
            for row, (_, values) in enumerate(read_rows(folder / "rows.jsonl")):
                record = record_of(values)
                given = identities.of(None if next(lacking) else record.id, record.values)
                if given != record.id:
                    changed.setdefault(shard, {})[row] = given
        made = identities.made
    else:
        made = int((~own).sum()) if named else 0
    changes = {"aside": [column for column in ASIDE if column in whole.wrong], "ids": changed}
    return whole.reading([*ASIDE], made), whole.records, changes


def join_rows(folders: Sequence[Path], changes: Mapping[str, Any], path: Path) -> None:
    """Write the rows of a set from those of its shards, with what was settled for the whole.

    Parameters
    ----------
    folders
        Of `read_shard`.
    changes
        Of `merge_readings`.
    path
        The file to make.
    """
    aside: Row = {}
    for column in changes["aside"]:
        aside |= ASIDE[column]
    with atomic(path) as beside, beside.open("wb") as whole:
        for shard, folder in enumerate(folders):
            ids = changes["ids"].get(shard, {})
            source = folder / "rows.jsonl"
            if ids or aside:
                source = folder / "changed.jsonl"
                rows = (row for _, row in read_rows(folder / "rows.jsonl"))
                write_rows(source, ({**row, **aside, "id": ids.get(i, row["id"])} for i, row in enumerate(rows)))
            with source.open("rb") as part:
                shutil.copyfileobj(part, whole, 2**22)


def screen_shard(path: Path, curation: Curation, references: Mapping[str, Sequence[Record]], folder: Path) -> None:
    """Curate a shard as far as its records are not compared with one another, and sum up what the others need.

    Parameters
    ----------
    path
        Its rows.
    curation
        The filters.
    references
        As for `ggmi.text.curation.curate`.
    folder
        Gets ``drops.jsonl`` (ids are rows of the shard) and ``summed.npz``; and where near-duplicates are dropped,
        ``words.npz`` and ``vocabulary.txt``.
    """
    records = [replace(record_of(row), id=str(i)) for i, (_, row) in enumerate(read_rows(path))]
    alone = replace(curation, exact=False, near=None)
    done = curate(records, alone, references)
    write_rows(folder / "drops.jsonl", map(asdict, done.drops))
    early = {int(drop.id) for drop in done.drops if drop.filter in BEFORE_EXACT}
    seen = [record for record in records if int(record.id) not in early] if curation.exact else []
    summed: dict[str, NDArray[Any]] = {
        "keys": _digests("\0".join(normal_fields(record)) for record in seen),
        **{"seen": _rows(seen), "kept": _rows(done.kept)},
        **{"count": np.array(len(records)), "characters": np.array(done.characters)},
    }
    write_arrays(folder / "summed.npz", summed)
    if curation.near is not None:
        texts = tokenize(record.text for record in done.kept)
        words: dict[str, NDArray[Any]] = {"numbers": texts.numbers, "lengths": texts.lengths, "counts": texts.counts()}
        write_arrays(folder / "words.npz", words)
        # No token holds a line end.
        write_text(folder / "vocabulary.txt", "\n".join(texts.vocabulary))


def merge_screened(folders: Sequence[Path], curation: Curation, folder: Path) -> None:
    """Find equal records among all shards, and number their words alike.

    Parameters
    ----------
    folders
        Of `screen_shard`, in the order of the set.
    curation
        The filters.
    folder
        Gets ``merged.npz``: ``gone`` and ``first``, the rows of the set that equal an earlier one, and that one;
        ``texts``, the row of each text of the index; ``compared``, the texts that are left to compare; and
        ``ranks-0.npy`` and so on, the numbers of each shard's words.
    """
    summed, starts = _summed(folders)
    seen, texts = (
        np.concatenate([shard[name] + start for shard, start in zip(summed, starts[:-1], strict=True)])
        for name in ("seen", "kept")
    )
    later, earlier = _repeats(np.concatenate([shard["keys"] for shard in summed]))
    gone, first = seen[later], seen[earlier]
    compared = np.flatnonzero(~np.isin(texts, gone, kind="sort"))
    folder.mkdir(parents=True, exist_ok=True)
    found = {"gone": gone, "first": first, "texts": texts, "compared": compared}
    write_arrays(folder / "merged.npz", found)
    if curation.near is None:
        return
    counts: Counter[str] = Counter()
    for one in folders:
        counts.update(
            dict(zip(_vocabulary(one), read_arrays(one / "words.npz", "counts")["counts"].tolist(), strict=True))
        )
    ranks = rarest_first(np.fromiter(counts.values(), dtype=np.int64, count=len(counts)))
    rank = dict(zip(counts, ranks.tolist(), strict=True))
    for shard, one in enumerate(folders):
        np.save(folder / f"ranks-{shard}.npy", np.array([rank[token] for token in _vocabulary(one)], dtype=np.int32))


def index_shard(screened: Path, ranks: Path, threshold: float, folder: Path) -> None:
    """Make the index of a shard's texts.

    Parameters
    ----------
    screened
        Of `screen_shard`.
    ranks
        Numbers of its words, of `merge_screened`.
    threshold
        ROUGE-L above which texts are near.
    folder
        Gets the index.
    """
    words = read_arrays(screened / "words.npz", "numbers", "lengths")
    numbers = words["numbers"]
    renumber(numbers, np.load(ranks))
    NearIndex.of_numbers(numbers, words["lengths"], threshold).save(folder)


def search_part(index: Path, merged: Path, threshold: float, part: int, parts: int, target: Path) -> None:
    """Find near pairs by a part of the joined index.

    Parameters
    ----------
    index
        Of all shards, joined.
    merged
        Of `merge_screened`.
    threshold
        ROUGE-L above which texts are near.
    part, parts
        Which of how many parts.
    target
        Gets the pairs of texts; none, and ``many``, where a set repeats itself so often that `settle_shards` has to
        look for them by itself.
    """
    texts = read_arrays(merged / "merged.npz", "compared")["compared"]
    most = PAIRS_A_TEXT * len(texts)
    found = NearIndex.load(index, threshold).pairs_among(texts, most, part=part, parts=parts)
    left, right, similarity = (np.array(column) for column in zip(*found, strict=True)) if found else ((), (), ())
    pairs = {"left": left, "right": right, "similarity": similarity, "many": np.array(found is None)}
    write_arrays(target, {name: np.asarray(values) for name, values in pairs.items()})


def settle_shards(index: Path, merged: Path, found: Sequence[Path], threshold: float) -> dict[int, Pair]:
    """Which texts are left out for an earlier one that stays.

    Parameters
    ----------
    index, merged, threshold
        As for `search_part`.
    found
        What it found, a file a part.

    Returns
    -------
    dict of int to Pair
        As of `ggmi.text.rouge.first_of_kind`.
    """
    parts = [read_arrays(path) for path in found]
    if any(part["many"] for part in parts):
        texts = read_arrays(merged / "merged.npz", "compared")["compared"]
        return settled(NearIndex.load(index, threshold), texts)[1]
    left, right, similarity = (
        np.concatenate([part[name] for part in parts]) for name in ("left", "right", "similarity")
    )
    # A pair may be found in several parts.
    order = np.lexsort((right, left))
    left, right, similarity = left[order].astype(np.int64), right[order].astype(np.int64), similarity[order]
    fresh = np.ones(len(left), dtype=bool)
    fresh[1:] = (np.diff(left) != 0) | (np.diff(right) != 0)
    return left_out(map(Pair, left[fresh].tolist(), right[fresh].tolist(), similarity[fresh].tolist()))


def sift_shards(
    records: Path, screened: Sequence[Path], merged: Path, twins: Mapping[int, Pair], kept: Path, drops: Path
) -> dict[str, Any]:
    """Write what curation keeps of a set and what it drops.

    Parameters
    ----------
    records
        All of its rows.
    screened, merged
        Of `screen_shard` and `merge_screened`.
    twins
        Of `settle_shards`.
    kept, drops
        The files to make.

    Returns
    -------
    dict
        As of `ggmi.pipeline.sets.curate_file`.
    """
    summed, starts = _summed(screened, "count", "characters")
    found = read_arrays(merged / "merged.npz")
    equal = dict(zip(found["gone"].tolist(), found["first"].tolist(), strict=True))
    texts = found["texts"]
    near = {int(texts[text]): (int(texts[pair.right]), pair.similarity) for text, pair in twins.items()}
    alone = {
        int(start) + int(drop["id"]): drop
        for start, folder in zip(starts[:-1], screened, strict=True)
        for _, drop in read_rows(folder / "drops.jsonl")
    }
    # Ids of what is repeated, which comes before what repeats it.
    ids = dict.fromkeys([*equal.values(), *(twin for twin, _ in near.values())], "")
    dropped: list[Row] = []
    characters = 0

    def stays(row: int, line: str) -> bool:
        nonlocal characters
        if row in ids:
            ids[row] = json.loads(line)["id"]
        if row in equal:
            drop = Drop("", "exact", "exact duplicate", ids[equal[row]], 1.0)
        elif row in alone:
            drop = Drop(**alone[row])
        elif row in near:
            drop = Drop("", "near", "near-duplicate", ids[near[row][0]], near[row][1])
        else:
            return True
        record = record_of(json.loads(line))
        characters += sum(map(len, record.values))
        dropped.append(asdict(replace(drop, id=record.id)))
        return False

    filter_rows(records, stays, kept)
    write_rows(drops, dropped)
    total = sum(int(shard["characters"]) for shard in summed)
    return curation_summary(int(starts[-1]), dropped, total, total - characters)


def write_sample(path: Path, most: int, seed: int, target: Path) -> None:
    """Draw records of a set that is read once to count them and once to take them.

    Parameters
    ----------
    path
        Its rows.
    most
        Records wanted.
    seed
        Of the draw.
    target
        The file to make.
    """
    count = sum(1 for _ in lines(path))
    wanted = set(some(count, most, seed, "sample").tolist())
    filter_rows(path, lambda row, _: row in wanted, target)


def _summed(folders: Sequence[Path], *names: str) -> tuple[list[dict[str, NDArray[Any]]], Ids]:
    """What `screen_shard` summed up of each shard, and the row of the set at which each begins, and its end."""
    summed = [read_arrays(folder / "summed.npz", *names) for folder in folders]
    return summed, np.cumsum([0, *(int(shard["count"]) for shard in summed)])


def _repeats(keys: NDArray[np.uint64]) -> tuple[Ids, Ids]:
    """Which of some keys came before, ascending, and where each came first."""
    order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = (np.diff(keys[order], axis=0) != 0).any(axis=1)
    first = order[np.maximum.accumulate(np.where(fresh, np.arange(len(keys)), 0))]
    later = np.argsort(order[~fresh], kind="stable")
    return order[~fresh][later], first[~fresh][later]


def _digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """128 bits of each text, in two halves: two of 100 million agree with a chance of 1e-23."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts)
    return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)


def _rows(records: Iterable[Record]) -> Ids:
    """Rows of a shard that records are, whose ids they are."""
    return np.array([int(record.id) for record in records], dtype=np.int64)


def _vocabulary(folder: Path) -> list[str]:
    """The words of a shard by their numbers."""
    return (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
