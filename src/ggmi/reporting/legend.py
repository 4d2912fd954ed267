"""What the marks of a table of estimates mean, and how its records were paired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ggmi.information.semantic_entropy import GROWTH
from ggmi.pipeline.comparing import LEVEL
from ggmi.reporting.text import listed
from ggmi.text.read_notes import LeftOut
from ggmi.text.visible import one_line

Row = Mapping[str, Any]


def unsettled(rows: Mapping[str, Row]) -> bool:
    """Whether more records would raise a set's entropy, so that its value tells their number.

    Parameters
    ----------
    rows
        Estimates of a set, by estimator.

    Examples
    --------
    >>> unsettled({"semantic_growth": {"value": 0.97}}), unsettled({"semantic_growth": {"value": 0.02}})
    (True, False)
    """
    growth = rows["semantic_growth"]["value"] if "semantic_growth" in rows else None
    return growth is not None and growth > GROWTH


def marks(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """What the marks beside values mean, a sentence each.

    Parameters
    ----------
    tables
        Estimates by set.
    """
    said = [
        f"~ inside noise: p of at least {LEVEL:g} after Holm's correction over all sets and tests of the file, or "
        "records that are paired by chance; near T is tested against what T's records repeat of each other."
    ]
    if any(unsettled({row["estimator"]: row for row in rows}) for rows in tables.values()):
        said.append(
            f"! too few records: the last doubling of their number still raised the entropy by more than {GROWTH:g} of "
            "ln 2, so it tells how many records there are, not how different they are."
        )
    return said


def explanations(found: Mapping[str, Any]) -> list[str]:
    """What stands below the table a person reads, a sentence each.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.
    """
    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    return [
        *marks(tables),
        *sights(found),
        *taken_columns(found),
        *unread_columns(found),
        *rows_left_out(found),
        *prefixes(found),
        *sizes(found),
        *pairings(found["sets"]),
        *difficulties(found),
    ]


def sights(found: Mapping[str, Any]) -> list[str]:
    """What the encoder did not see, a sentence for T and each set of which that is something.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> seen = {"tokens": 1200, "cut_tokens": 0, "unknown_tokens": 30, "unread_records": 1}
    >>> train = {"embedded": 50, "seen": seen}
    >>> for sentence in sights({"train": train, "sets": [{"name": "a", "embedded": 9, "seen": None}]}):
    ...     print(sentence)
    Of T the encoder does not know 30 of 1,200 tokens; a fifth or more of a field is lost in 1 of 50 records (?).
    What the encoder sees of a is not known: it runs behind an endpoint, which may cut texts.
    """
    said, untold = [], []
    for name, one in _files(found):
        seen = one["seen"]
        if seen is None:
            untold.append(name)
        elif seen["unknown_tokens"] or seen["cut_tokens"]:
            lost = [
                f"{word} {seen[key]:,} of {seen['tokens']:,} tokens"
                for word, key in (("does not know", "unknown_tokens"), ("does not read", "cut_tokens"))
                if seen[key]
            ]
            unread = f"in {seen['unread_records']:,} of {one['embedded']:,} records (?)"
            none = "in no record is it a fifth of a field"
            rest = f"a fifth or more of a field is lost {unread}" if seen["unread_records"] else none
            said.append(f"Of {name} the encoder {listed(lost)}; {rest}.")
    if untold:
        said.append(
            f"What the encoder sees of {listed(untold)} is not known: it runs behind an endpoint, which may cut texts."
        )
    return said


def prefixes(found: Mapping[str, Any]) -> list[str]:
    """What was taken off in front of every record, a sentence for each.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> train, prefix = {"prefix": {}}, {"instruction": "You are a careful translator. "}
    >>> for sentence in prefixes({"train": train, "sets": [{"name": "a", "prefix": prefix}]}):
    ...     print(sentence)
    Every instruction of a begins with “You are a careful translator.”, 30 characters, which are not compared.
    """
    owners: dict[tuple[str, str], list[str]] = {}
    for name, one in _files(found):
        for field, prefix in one["prefix"].items():
            owners.setdefault((field, prefix), []).append(name)
    return [
        f"Every {field} of {listed(names)} begins with “{shortened(one_line(prefix))}”, {len(prefix):,} characters, "
        "which are not compared."
        for (field, prefix), names in owners.items()
    ]


def taken_columns(found: Mapping[str, Any]) -> list[str]:
    """Which columns stand for fields of other names, a sentence for each way of reading.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> a = {"name": "a", "columns": {"instruction": ["prompt"], "context": [], "response": ["response"]}}
    >>> for sentence in taken_columns({"train": {"columns": {}}, "sets": [a]}):
    ...     print(sentence)
    Read of a: instruction from the column prompt.
    """
    owners: dict[tuple[str, ...], list[str]] = {}
    for name, one in _files(found):
        taken = tuple(
            f"{field} from the column{'s' if len(names) > 1 else ''} {listed([one_line(n) for n in names])}"
            for field, names in one["columns"].items()
            if names and names != [field]
        )
        if taken:
            owners.setdefault(taken, []).append(name)
    return [f"Read of {listed(names)}: {', '.join(taken)}." for taken, names in owners.items()]


def rows_left_out(found: Mapping[str, Any]) -> list[str]:
    """Which rows hold no record, and what else reading met, a sentence for T and each set of which there is any.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> empty = {"reason": "with an empty response", "rows": 2, "places": ["line 6", "line 9"]}
    >>> a = {"name": "a", "records": 22, "left_out": [empty], "notes": []}
    >>> for sentence in rows_left_out({"train": {"left_out": [], "notes": []}, "sets": [a]}):
    ...     print(sentence)
    Left out of a: 2 of 24 rows, which hold no record: 2 with an empty response (line 6, line 9).
    """
    said = []
    for name, one in _files(found):
        if reasons := one["left_out"]:
            left = sum(reason["rows"] for reason in reasons)
            which = "; ".join(str(LeftOut(r["reason"], r["rows"], tuple(r["places"]))) for r in reasons)
            rows = f"{left:,} of {left + one['records']:,} rows"
            said.append(f"Left out of {name}: {rows}, which hold no record: {one_line(which)}.")
        said += [f"{name}: {one_line(note)}." for note in one["notes"]]
    return said


def unread_columns(found: Mapping[str, Any]) -> list[str]:
    """Which columns of the files nothing was taken from, a sentence for each list of them.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> a = {"name": "a", "unread_columns": ["input"]}
    >>> for sentence in unread_columns({"train": {"unread_columns": []}, "sets": [a]}):
    ...     print(sentence)
    Not read of a: the column input; if it belongs to the records, name it (--map context=input).
    """
    owners: dict[tuple[str, ...], list[str]] = {}
    for name, one in _files(found):
        if columns := one["unread_columns"]:
            owners.setdefault(tuple(one_line(column) for column in columns), []).append(name)
    said = []
    for columns, names in owners.items():
        shown = [shortened(column) for column in columns[:6]]
        more = f" and {len(columns) - len(shown):,} more" if len(columns) > len(shown) else ""
        ending, which = ("s", "one of them") if len(columns) > 1 else ("", "it")
        said.append(
            f"Not read of {listed(names)}: the column{ending} {listed(shown)}{more}; if {which} belongs to the "
            f"records, name it (--map context={shown[0]})."
        )
    return said


def _files(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """T and every set, by the names that sentences give them."""
    return [("T", found["train"]), *((one_line(one["name"]), one) for one in found["sets"])]


def shortened(text: str, most: int = 60) -> str:
    """A text's beginning.

    Examples
    --------
    >>> shortened("abc", 3), shortened("abcd", 3)
    ('abc', 'ab…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def sizes(found: Mapping[str, Any]) -> list[str]:
    """Which estimates are of fewer records than the sets hold, a sentence each.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> settings = {"records": 2000, "equal_records": 5}
    >>> sizes({"train": {"records": 80}, "sets": [{"records": 9}, {"records": 5}], "settings": settings})
    ['Entropies, Vendi and repeats are of 5 records of every set, drawn at random, for they depend on the number.']
    """
    largest, settings = max(one["records"] for one in found["sets"]), found["settings"]
    most = settings["records"]
    said = []
    if largest > settings["equal_records"]:
        said.append(
            f"Entropies, Vendi and repeats are of {settings['equal_records']:,} records of every set, drawn at random, "
            "for they depend on the number."
        )
    if max(largest, found["train"]["records"]) > most:
        said.append(
            f"Embedded, and in MMD, D_TV, HSIC, CKA and near T, are at most {most:,} records of T and of a set, drawn "
            "at random (--records); exact repeats and those by words are of all."
        )
    return said


def pairings(sets: Iterable[Mapping[str, Any]]) -> list[str]:
    """How HSIC paired records, a sentence for each way.

    Parameters
    ----------
    sets
        With ``name`` and ``pairing``.

    Examples
    --------
    >>> pairings([{"name": "a", "pairing": "each with its own"}, {"name": "b", "pairing": "each with its own"}])
    ['HSIC and CKA pair each with its own.']
    """
    ways: dict[str, list[str]] = {}
    for one in sets:
        ways.setdefault(one["pairing"], []).append(one_line(one["name"]))
    return [
        f"HSIC and CKA{f' of {listed(names)}' if len(ways) > 1 else ''} pair {one_line(how)}."
        for how, names in ways.items()
    ]


def difficulties(found: Mapping[str, Any]) -> list[str]:
    """How hard records are for a model, what is too easy and what looks wrong, a sentence for T and each set.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> hardest = {"place": "line 7", "nats_per_token": 8.0, "looks_wrong": True}
    >>> quartiles = {"lower_quartile_nats_per_token": 1.0, "upper_quartile_nats_per_token": 2.0}
    >>> a = {"median_nats_per_token": 1.5, **quartiles, "too_easy": 1, "looks_wrong": 1, "highest": [hardest]}
    >>> a |= {"records": 40, "fence_nats_per_token": 5.0}
    >>> print(difficulties({"train": {"difficulty": a}, "sets": []})[0][:76])
    Difficulty of T: median 1.50 nats a token, quartiles 1.00 and 2.00; too easy
    """
    said = []
    for name, one in _files(found):
        if not (of_set := one["difficulty"]):
            continue
        quartiles = listed([f"{of_set[f'{which}_quartile_nats_per_token']:.2f}" for which in ("lower", "upper")])
        places = [f"{one_line(h['place'])} ({h['nats_per_token']:.1f})" for h in of_set["highest"] if h["looks_wrong"]]
        more = ", …" if of_set["looks_wrong"] > len(places) else ""
        said.append(
            f"Difficulty of {name}: median {of_set['median_nats_per_token']:.2f} nats a token, quartiles {quartiles}; "
            f"too easy {of_set['too_easy']:,} of {of_set['records']:,} records; looks wrong {of_set['looks_wrong']:,}"
            f"{': ' if places else ''}{', '.join(places)}{more}."
        )
    if said:
        fence = found["train"]["difficulty"]["fence_nats_per_token"]
        said.append(
            "Too easy is a record whose tokens the model gives a probability of 0.9 and more in geometric mean; what "
            f"loses more than {fence:.1f} nats a token, three interquartile ranges above T's upper quartile, looks "
            "wrong: look at it."
        )
    return said


def not_estimated(rows: Iterable[Row]) -> list[str]:
    """Estimators without a value, those of one reason together, with the reason.

    Parameters
    ----------
    rows
        Estimates of a set.

    Examples
    --------
    >>> not_estimated([{"estimator": e, "value": None, "note": "no log-probability"} for e in ("a", "b")])
    ['a and b (no log-probability)']
    """
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["value"] is None:
            reasons.setdefault(row["note"], []).append(row["estimator"])
    return [f"{listed(names)} ({one_line(reason)})" for reason, names in reasons.items()]
