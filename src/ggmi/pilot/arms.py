"""What a pilot chooses among: real records, each synthetic set, mixtures of both; and what they are tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ggmi.errors import UserError
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
        In the order of T; a fifth of the distinct texts are for the test, at most 300.

    Examples
    --------
    >>> records = [Record(str(i), "Add.", "", str(i // 2)) for i in range(20)]
    >>> train, test = hold_out(records, seed=0)
    >>> len(train), len(test), {r.text for r in train} & {r.text for r in test}
    (16, 4, set())
    """
    distinct = list(dict.fromkeys(record.text for record in records))
    chosen = stream(seed, "pilot", "test").permutation(len(distinct))
    held = {distinct[i] for i in chosen[: min(int(HELD_OUT * len(distinct)), MOST_HELD_OUT)]}
    return [r for r in records if r.text not in held], [r for r in records if r.text in held]


def drawn_test(records: Sequence[Record], seed: int) -> list[Record]:
    """A test set of one's own: all of it, or 300 of its records.

    Parameters
    ----------
    records
        Real records.
    seed
        Of the choice.
    """
    chosen = stream(seed, "pilot", "test").permutation(len(records))[:MOST_HELD_OUT]
    return [records[i] for i in sorted(chosen)]


def make_arms(
    train: Sequence[Record], sets: Mapping[str, Sequence[Record]], test: Sequence[Record], *, mixtures: bool
) -> list[Arm]:
    """What is compared: real records first, then each set, then real records with each set if wanted.

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

    Raises
    ------
    UserError
        If there are too few test records, or nothing is left of a set.
    """
    if len(test) < LEAST_TEST:
        raise UserError(
            f"the test set: holds {len(test)} records; at least {LEAST_TEST} are needed (without --test, a fifth of T)"
        )
    seen = {record.text for record in test}
    parts = {REAL: train, **sets}
    if len(parts) == len(sets):
        raise UserError(f"--synthetic: {REAL!r} is the name of the training set here; give the set's file another name")
    kept = {name: [r for r in records if r.text not in seen] for name, records in parts.items()}
    for name, records in kept.items():
        if not records:
            raise UserError(f"{name}: every one of its {len(parts[name])} records is in the test set")
    arms = [Arm(name, tuple(records), len(parts[name]) - len(records)) for name, records in kept.items()]
    if mixtures:
        real = arms[0]
        arms += [
            Arm(f"{REAL} + {one.name}", real.records + one.records, real.left_out + one.left_out) for one in arms[1:]
        ]
    return arms
