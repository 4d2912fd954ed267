"""What a pilot chooses among: real records, each synthetic set, mixtures of both; and what they are tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ggmi.errors import UserError
from ggmi.information.duplicates import exact_key
from ggmi.random import stream
from ggmi.text.records import Record

# Without a test set, this share of T is held out. No more records than these are tested on, since every training is.
HELD_OUT, MOST_HELD_OUT = 0.2, 300
# Fewer test records tell no difference between sets.
LEAST_TEST = 20
REAL = "T"


@dataclass(frozen=True)
class Arm:
    """Something to train on.

    Parameters
    ----------
    name
        `REAL`, the name of a set, or ``T + NAME``.
    records
        All of it, as they are.
    left_out
        Records that were left out because the test set holds the same.
    """

    name: str
    records: tuple[Record, ...]
    left_out: int

    def subset(self, size: int, seed: int, replicate: int) -> list[Record]:
        """Some of its records, in an order in which a larger subset goes on from a smaller one.

        Parameters
        ----------
        size
            How many; all of an arm that has fewer.
        seed
            The pilot's.
        replicate
            Which of the orders, from 0.
        """
        order = stream(seed, "pilot", "subsets", self.name, replicate).permutation(len(self.records))
        return [self.records[i] for i in order[:size]]


def hold_out(records: Sequence[Record], seed: int) -> tuple[list[Record], list[Record]]:
    """Divide real records into those to train and those to test on; equal texts stay on one side.

    Parameters
    ----------
    records
        T.
    seed
        Of the division.

    Returns
    -------
    train, test : list of Record
        In the order of T; a fifth of the distinct texts are for the test, at most 300, each once.

    Examples
    --------
    >>> records = [Record(str(i), "Add.", "", str(i // 2)) for i in range(20)]
    >>> train, test = hold_out(records, seed=0)
    >>> len(train), len(test), {r.text for r in train} & {r.text for r in test}
    (16, 2, set())
    """
    test = _drawn(records, HELD_OUT, seed)
    tested = {exact_key(record.text) for record in test}
    return [record for record in records if exact_key(record.text) not in tested], test


def drawn_test(records: Sequence[Record], seed: int) -> list[Record]:
    """A test set of one's own: all of its distinct texts, or 300 of them.

    Parameters
    ----------
    records
        Real records.
    seed
        Of the choice.
    """
    return _drawn(records, 1.0, seed)


def _drawn(records: Sequence[Record], share: float, seed: int) -> list[Record]:
    """A share of the distinct texts: a text that counted twice would make losses look surer than they are."""
    first: dict[bytes, Record] = {}
    for record in records:
        first.setdefault(exact_key(record.text), record)
    distinct = list(first.values())
    chosen = stream(seed, "pilot", "test").permutation(len(distinct))
    return [distinct[i] for i in sorted(chosen[: min(int(share * len(distinct)), MOST_HELD_OUT)])]


def make_arms(
    train: Sequence[Record], sets: Mapping[str, Sequence[Record]], test: Sequence[Record], *, mixtures: bool
) -> tuple[list[Arm], dict[str, str]]:
    """What is compared: real records first, then each set, then real records with each set if wanted.

    Texts are equal as everywhere: but for case and spaces.

    Parameters
    ----------
    train
        Real records, without those held out.
    sets
        Synthetic sets by name.
    test
        Records that are tested on. A record whose text is among them is left out of every arm.
    mixtures
        Whether real records with each set are compared, too.

    Returns
    -------
    arms : list of Arm
    same : dict
        Sets that hold the same records as an earlier one, which stands for them, by name.

    Raises
    ------
    UserError
        If there are too few test records, nothing is left of a set, two things to compare have one name, or
        there are no two of them.
    """
    if len(test) < LEAST_TEST:
        raise UserError(
            f"the test set: holds {len(test)} different records; at least {LEAST_TEST} are needed (without --test, a "
            "fifth of T)"
        )
    if taken := {REAL, *(_mixed(name) for name in sets if mixtures)} & {*sets}:
        raise UserError(
            f"--synthetic: {min(taken)!r} is the name of the training set, or of a mixture with it, here; give the "
            "set's file another name"
        )
    tested = {exact_key(record.text) for record in test}
    arms: list[Arm] = []
    first: dict[bytes, str] = {}
    same: dict[str, str] = {}
    for name, records in {REAL: train, **sets}.items():
        keys = [exact_key(record.text) for record in records]
        kept = tuple(record for record, key in zip(records, keys, strict=True) if key not in tested)
        if not kept:
            raise UserError(f"{name}: every one of its {len(records)} records is in the test set")
        content = b"".join(sorted(key for key in keys if key not in tested))
        if (earlier := first.setdefault(content, name)) == name:
            arms.append(Arm(name, kept, len(records) - len(kept)))
        else:
            same[name] = earlier
    if same and len(arms) == 1:
        raise UserError(f"{next(iter(same))}: holds the same records as {REAL}, so there is nothing to compare")
    real = arms[0]
    if mixtures:
        arms += [Arm(_mixed(one.name), real.records + one.records, real.left_out + one.left_out) for one in arms[1:]]
    return arms, same


def _mixed(name: str) -> str:
    """What real records with those of a set are called."""
    return f"{REAL} + {name}"
