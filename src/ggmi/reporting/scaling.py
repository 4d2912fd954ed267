"""What `ggmi scaling` prints and shows: accuracy by method, findings in sentences, what its page needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.text import Text

from ggmi.project import REPORT_PARTS
from ggmi.reporting.page import picture, sentences
from ggmi.reporting.terminal import print_columns, unbroken
from ggmi.reporting.text import capital, fixed, plural
from ggmi.scaling.curves import BEST, DRAWN, MAJORITY, PASS, WEIGHTED
from ggmi.text.visible import one_line

Row = Mapping[str, Any]
VERDICTS = {"supported": "✓ supported", "contradicted": "✗ contradicted", "undecided": "? undecided"}


def method_name(row: Row) -> str:
    """A method in words, with its score."""
    names = {PASS: "pass@k", MAJORITY: "majority of k", BEST: "best of k by {}", WEIGHTED: "vote weighted by {}"}
    return names[row["method"]].format(one_line(row["score"]))


def percent(row: Row, value: str = "value") -> str:
    """A share with its interval, in per cent."""
    if row[value] is None:
        return "–"
    number = fixed(100 * row[value], 1)
    if row["ci_low"] is None:
        return number
    return f"{number} [{fixed(100 * row['ci_low'], 1)}, {fixed(100 * row['ci_high'], 1)}]"


def by_method(rows: Sequence[Row]) -> dict[str, dict[int, Row]]:
    """Rows by method's name and k."""
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        found.setdefault(method_name(row), {})[row["k"]] = row
    return found


def findings(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sentences under a term each.

    Parameters
    ----------
    found
        What the command writes as JSON.
    """
    rows = {row["score"]: row for row in found["reliability"] if row["k"] == found["most"]}
    claims = {claim["variant"]: claim for claim in found["claims"] if "better than chance" in claim["claim"]}
    chooser = found["verdict"]["chooser"]
    lines = sentences(
        [REPORT_PARTS / "scaling_findings.txt.j2"],
        curves=by_method(found["curves"]),
        most=found["most"],
        chooser=chooser,
        scores=[(score, row, claims.get(score)) for score, row in rows.items()],
        cost=_cost(found),
        stops=[row for row in found["stops"] if method_name(row) == chooser],
        percent=percent,
        beyond=beyond,
    )
    return [(term, sentence) for term, _, sentence in (line.partition(": ") for line in lines)]


def _cost(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a solved problem costs with one sample and with most, by the best way to choose."""
    costs, most = by_method(found["cost"]), found["most"]
    rows = costs.get(found["verdict"]["chooser"], costs["pass@k"])
    unit = next(unit for unit in ("price", "tokens", "samples") if f"{unit}_a_solved" in rows[1])
    one, last = (rows[k][f"{unit}_a_solved"] for k in (1, most))
    if most == 1 or one is None or last is None:
        return None
    money = unit == "price"
    return {"one": one, "last": last, "decimals": 2 if money else 1, "word": "" if money else f" {unit}"}


def beyond(row: Row) -> str:
    """Whether samples beyond the k of most net value pay."""
    if row["last"]:
        return "the most there are, so that more may pay"
    if row["ci_low"] == row["ci_high"] == row["k"]:
        held = "as in nearly all resamples of the problems"
    else:
        held = f"95 % interval {row['ci_low']:,} to {row['ci_high']:,}"
    return f"{held}; samples beyond it do not pay" if row["k"] else f"{held}: not even one sample pays"


def exactness(found: Mapping[str, Any]) -> str:
    """How expectations were taken."""
    errors = [row["error"] for row in found["curves"] if row["how"] == DRAWN]
    text = (
        "Every value is the mean over all subsets of k of a problem's samples, drawn without replacement, and over "
        "problems; ties share the choice, and no order of rows matters."
    )
    if not errors:
        return f"{text} All are exact."
    return (
        f"{text} Of weighted votes some are means over drawn subsets, with standard errors of at most "
        f"{fixed(100 * max(errors), 2)} points, marked ~; all others are exact."
    )


def show_scaling(found: Mapping[str, Any]) -> None:
    """Print the table a person reads, and what follows from it.

    Parameters
    ----------
    found
        What the command writes as JSON.
    """
    console = unbroken()
    curves = by_method(found["curves"])
    ks = sorted({row["k"] for row in found["curves"]})
    columns = [(f"k = {k:,}", [Text(cell(rows[k]).replace(" ", "\n", 1)) for rows in curves.values()]) for k in ks]
    counts = f"{plural(found['samples'], 'sample')} of {plural(found['problems'], 'problem')}"
    console.print(Text(f"{capital(counts)}: problems solved, %, with 95 % intervals over problems"))
    print_columns(console, "method", list(curves), columns)
    console.print(Text(exactness(found)))
    for note in found["notes"]:
        console.print(Text(note))
    console.print()
    for term, sentence in findings(found):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))
    console.print(Text.assemble(("Verdict: ", "bold"), found["verdict"]["sentence"]))


def cell(row: Row) -> str:
    """A cell of the table of accuracy."""
    return f"{'~' if row['how'] == DRAWN else ''}{percent(row)}"


def shown(found: Mapping[str, Any], svg: bytes) -> dict[str, Any]:
    """What the page's template shows.

    Parameters
    ----------
    found
        What the command writes as JSON.
    svg
        The figure.
    """
    return {
        "found": found,
        "names": [one_line(PurePath(file["name"]).name) for file in found["files"]],
        "ks": sorted({row["k"] for row in found["curves"]}),
        "curves": by_method(found["curves"]),
        "costs": by_method(found["cost"]),
        "findings": findings(found),
        "exactness": exactness(found),
        "judged": VERDICTS,
        "cell": cell,
        "beyond": beyond,
        "method_name": method_name,
        "percent": percent,
        "figure": picture("", svg, "svg+xml", svg).source,
    }
