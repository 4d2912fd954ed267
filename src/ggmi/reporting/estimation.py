"""What `ggmi estimate` found, for a person: a table, answers and explanations, a page.

The words are in the templates ``findings.txt.j2``, ``explanations.txt.j2`` and ``estimate.html.j2``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from ggmi.information.duplicates import OWN_GROUP
from ggmi.information.pairing import BY_NUMBER
from ggmi.information.semantic_entropy import GROWTH
from ggmi.pipeline.comparing import LEVEL, QUESTIONS, TOO_COARSE, order_of
from ggmi.pipeline.estimators import UNREAD
from ggmi.project import REPORT_PARTS
from ggmi.reporting.choosing import SHOWN, recommendation, wrongs
from ggmi.reporting.estimators import HEADINGS, MEANINGS, SMALL, columns_of, panels_of, worthless
from ggmi.reporting.page import picture, sentences
from ggmi.reporting.text import NOTHING, fixed
from ggmi.text.read_notes import LeftOut
from ggmi.text.visible import one_line, shortened

Row = Mapping[str, Any]
# Of the chart on the page.
WIDTH_INCHES = 9.0


def shown(row: Row, decimals: int) -> tuple[str, str]:
    """An estimate in two short texts: value and interval, with a mark where it is inside noise.

    Parameters
    ----------
    row
        Of `ggmi.pipeline.comparing.with_holm`.
    decimals
        Digits after the point.

    Examples
    --------
    >>> row = {"estimator": "cka", "value": 0.5, "ci_low": 0.25, "ci_high": 0.75, "p_value": 0.001, "p_holm": 0.6}
    >>> shown({**row, "method": "CKA"}, 2)
    ('0.50 ~', '[0.25, 0.75]')
    """
    if row["value"] is None:
        return NOTHING, ""
    scale = 1000.0 if row["estimator"] in SMALL else 1.0
    noise = " ~" if inside_noise(row) else ""
    text = f"{fixed(scale * row['value'], decimals)}{noise}"
    if row["estimator"] == "semantic_entropy":  # what it could be at most says more than its interval
        return text, f"of {fixed(row['ceiling'], decimals)}"
    if row["ci_low"] is None or row["ci_high"] is None:
        return text, ""
    low, high = (f"{scale * row[end]:.{decimals}f}".replace("-", "−") for end in ("ci_low", "ci_high"))
    return text, f"[{low}, {high}]"


def inside_noise(row: Row) -> bool:
    """Whether an estimate cannot be told from what its null gives; of pairs made by chance none can.

    Parameters
    ----------
    row
        With ``value``, ``method``, ``p_value`` and ``p_holm``.
    """
    if row["value"] is not None and BY_NUMBER in row["method"]:
        return True
    return row["p_value"] is not None and bool(row["p_holm"] >= LEVEL) and not _of_own_group(row)


def _of_own_group(row: Row) -> bool:
    """Whether a share counts what its test, which finds nothing, leaves out: that it is noise is not told."""
    return OWN_GROUP in row["method"] and (row["p_value"] is None or bool(row["p_holm"] >= LEVEL))


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


def summary_rows(
    tables: Mapping[str, Sequence[Row]], deciding: str | None = None
) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Headings and cells of the table a person reads.

    Parameters
    ----------
    tables, deciding
        As of `ggmi.reporting.estimators.columns_of`.

    Returns
    -------
    headings : list of str
    cells : list of list of tuple of str
        A row a set, without its name: value and interval of each estimate.
    """
    used = columns_of(tables, deciding)
    found = [_by_estimator(rows) for rows in tables.values()]
    return [HEADINGS[name][0] for name in used], [
        [_marked(rows, name, HEADINGS[name][1]) for name in used] for rows in found
    ]


def _by_estimator(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["estimator"]: row for row in rows}


def _marked(rows: Mapping[str, Row], estimator: str, decimals: int) -> tuple[str, str]:
    """An estimate in two short texts, with marks where more records would raise it, or some were not seen."""
    text, ends = shown(rows[estimator], decimals)
    if text == NOTHING:
        return text, ends
    too_few = " !" if estimator == "semantic_entropy" and unsettled(rows) else ""
    return f"{text}{too_few}{' ?' if UNREAD in rows[estimator]['note'] else ''}", ends


def findings(tables: Mapping[str, Sequence[Row]], comparisons: Sequence[Row]) -> list[tuple[str, str]]:
    """Answer the questions people ask of synthetic sets, each in a sentence.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set.
    comparisons
        Of `ggmi.pipeline.comparing.compared`.

    Returns
    -------
    list of tuple of str
        Term and sentence.
    """
    by_name = {name: _by_estimator(rows) for name, rows in tables.items()}
    asked = QUESTIONS if len(tables) > 1 else {}
    coarse = [
        f"{row['estimator']} of {name}"
        for name, rows in by_name.items()
        for row in rows.values()
        if row["note"].startswith(TOO_COARSE)
    ]
    lines = sentences(
        [REPORT_PARTS / "findings.txt.j2"],
        sets=list(tables),
        answers=[_answer(question, by_name, tables, comparisons) for question in asked],
        noise=[_noise(by_name, estimator) for estimator in ("mmd", "near_duplicates", "hsic")],
        coarse=coarse,
        too_coarse=TOO_COARSE,
        missing=_owners((name, _reasons(rows.values())) for name, rows in by_name.items()),
    )
    return [(term, sentence) for term, _, sentence in (line.partition(": ") for line in lines)]


def _answer(
    question: str,
    by_name: Mapping[str, Mapping[str, Row]],
    tables: Mapping[str, Sequence[Row]],
    comparisons: Sequence[Row],
) -> dict[str, Any]:
    """Which set is most so, which cannot be told from it, and which have no estimate, why."""
    first, alike, gone = order_of(question, tables, comparisons)
    estimator, _ = QUESTIONS[question]
    rows = [by_name[name][estimator] for name in gone if estimator in by_name[name]]
    return {
        "most": question.replace("closer", "Closest").replace("more ", "Most "),
        "estimator": estimator,
        "first": first,
        "alike": alike,
        "none_stands_out": len(alike) == len(tables) - len(gone) - 1,
        "gone": gone,
        # What mends it stands with all that is not estimated.
        "reasons": list(dict.fromkeys(row["note"].split(";")[0] or "without an interval" for row in rows)),
    }


def _noise(by_name: Mapping[str, Mapping[str, Row]], estimator: str) -> dict[str, Any]:
    """For which sets an estimate leaves the noise, and of which that cannot be asked."""
    known = {name: rows[estimator] for name, rows in by_name.items() if rows[estimator]["value"] is not None}
    own = [name for name, row in known.items() if _of_own_group(row)]
    by_chance = [name for name, row in known.items() if BY_NUMBER in row["method"]]
    asked = {name: row for name, row in known.items() if name not in {*own, *by_chance}}
    return {
        "estimator": estimator,
        "own": own,
        "by_chance": by_chance,
        "outside": [name for name, row in asked.items() if not inside_noise(row)],
        "inside": [name for name, row in asked.items() if inside_noise(row)],
    }


def _reasons(rows: Iterable[Row]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Why estimators have no value, with those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["value"] is None:
            reasons.setdefault(row["note"], []).append(row["estimator"])
    return tuple((reason, tuple(names)) for reason, names in reasons.items())


def _owners(told: Iterable[tuple[str, Any]]) -> list[tuple[Any, list[str]]]:
    """What is said of sets, with those of which the same is said; nothing is said where it is empty."""
    owners: dict[Any, list[str]] = {}
    for name, what in told:
        if what:
            owners.setdefault(what, []).append(name)
    return list(owners.items())


def explanations(found: Mapping[str, Any]) -> list[str]:
    """What stands below the table a person reads, a sentence each.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Examples
    --------
    >>> seen = {"tokens": 1200, "cut_tokens": 0, "unknown_tokens": 30, "unread_records": 1}
    >>> nothing = {"prefix": {}, "columns": {}, "unread_columns": [], "left_out": [], "notes": []}
    >>> read = {"records": 50, "embedded": 50, **nothing}
    >>> one = {**read, "name": "a", "seen": seen, "difficulty": None, "estimates": [], "pairing": "each with its own"}
    >>> settings = {"records": 2000, "equal_records": 50}
    >>> for sentence in explanations({"train": one, "sets": [one], "settings": settings})[1:]:
    ...     print(sentence)
    Of T the encoder does not know 30 of 1,200 tokens; a fifth or more of a field is lost in 1 of 50 records (?).
    Of a the encoder does not know 30 of 1,200 tokens; a fifth or more of a field is lost in 1 of 50 records (?).
    HSIC and CKA pair each with its own.
    """
    files = [("T", found["train"]), *((one["name"], one) for one in found["sets"])]

    def owners(of: Callable[[Row], Any]) -> list[tuple[Any, list[str]]]:
        return _owners((name, of(one)) for name, one in files)

    return sentences(
        [REPORT_PARTS / "explanations.txt.j2"],
        files=files,
        level=LEVEL,
        growth=GROWTH,
        unsettled=any(unsettled(_by_estimator(one["estimates"])) for one in found["sets"]),
        unseen=[name for name, one in files if one["seen"] is None],
        taken=owners(lambda one: tuple((f, tuple(c)) for f, c in one["columns"].items() if c and c != [f])),
        unread=owners(lambda one: tuple(one["unread_columns"])),
        prefixes=[
            (field, *rest)
            for field in dict.fromkeys(field for _, one in files for field in one["prefix"])
            for rest in owners(lambda one, field=field: one["prefix"].get(field))  # type: ignore[misc]
        ],
        left_out=[
            (name, one["records"], [LeftOut(r["reason"], r["rows"], tuple(r["places"])) for r in one["left_out"]])
            for name, one in files
        ],
        settings=found["settings"],
        largest=max(one["records"] for one in found["sets"]),
        pairings=_owners((one["name"], one["pairing"]) for one in found["sets"]),
        worthless=worthless(columns_of({one["name"]: one["estimates"] for one in found["sets"]})),
    )


def estimate_page(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the template ``estimate.html.j2`` shows.

    Parameters
    ----------
    found
        What the command writes as JSON.
    """
    from ggmi.plotting.comparison import comparison_figure
    from ggmi.plotting.style import svg_bytes

    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    deciding = found["recommendation"]["estimator"]
    headings, cells = summary_rows(tables, deciding)
    svg = svg_bytes(comparison_figure(panels_of(tables, deciding), WIDTH_INCHES))
    long = pd.DataFrame([{"set": name, **row} for name, estimates in tables.items() for row in estimates])
    return {
        "found": found,
        "train": one_line(PurePath(found["train"]["name"]).name),
        "headings": headings,
        "rows": list(zip(tables, cells, strict=True)),
        "recommendation": recommendation(found),
        "wrongs": wrongs(found),
        "chart": picture("", svg, "svg+xml", svg),
        "findings": findings(tables, found["comparisons"]),
        "explanations": explanations(found),
        "meanings": {name: MEANINGS[name] for name in dict.fromkeys(long["estimator"])},
        "estimates": long.drop(columns="curve", errors="ignore"),
        "comparisons": pd.DataFrame(found["comparisons"]),
        "difficulty": _difficulty(found) if found["train"]["difficulty"] else None,
        # An endpoint's identity is words, a local model's a hash.
        "encoder": found["encoder"] if " " in found["encoder"] else found["encoder"][:16],
    }


def _difficulty(found: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Losses of T and every set, and the records of the highest loss."""
    named = {"T": found["train"]["difficulty"], **{one["name"]: one["difficulty"] for one in found["sets"]}}
    losses = pd.DataFrame([{"set": name, **of_set} for name, of_set in named.items()])
    losses = losses.drop(columns=["highest", "fence_nats_per_token"], errors="ignore")
    highest = pd.DataFrame([{"set": name, **row} for name, of_set in named.items() for row in of_set["highest"]])
    for field in ("place", "instruction", "response"):
        highest[field] = [shortened(one_line(text), SHOWN) for text in highest[field]]
    highest["looks_wrong"] = highest["looks_wrong"].map({True: "yes", False: "no"})
    return {"losses": losses.astype({"ci_low": float, "ci_high": float}), "hardest": highest}
