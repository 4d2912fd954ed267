"""Estimates as a person reads them: sentences, tables of a page, a page of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd

from ggmi.information.pairing import BY_NUMBER
from ggmi.information.semantic_entropy import GROWTH
from ggmi.pipeline.comparable import compared_records, left_out, too_small
from ggmi.pipeline.comparing import LEVEL, QUESTIONS, TOO_COARSE, order_of
from ggmi.pipeline.difficulty import DIFFICULTY, MEANING
from ggmi.pipeline.estimation import ESTIMATORS, UNREAD
from ggmi.pipeline.estimation_tables import PLACE, PUBLISHED
from ggmi.pipeline.wording import BY_WORDS
from ggmi.reporting.difficulty import difficulty_section
from ggmi.reporting.estimation_columns import COLUMNS_OF, FIELDS
from ggmi.reporting.legend import explanations, not_estimated, unsettled
from ggmi.reporting.page import Block, Figure, Fold, Page, Picture, Points, Prose, Section
from ggmi.reporting.tables import data_table, plain_table
from ggmi.reporting.text import NOTHING, capital, estimate, fixed, listed, plural
from ggmi.text.visible import one_line

Row = Mapping[str, Any]
# Estimates that are small numbers whatever the sets: the table a person reads has a thousand times them.
SMALL = ("mmd", "hsic")
# Power below which a test that finds nothing says nothing.
USEFUL_POWER = 0.8
# Conditions below which no estimator is said to predict anything.
MANY = 20
# Columns of the table a person reads: heading, estimator, digits.
SUMMARY = (
    ("MMD², × 1,000", "mmd", 2),
    ("D_TV to T ≥", "total_variation", 2),
    ("HSIC, × 1,000", "hsic", 2),
    ("CKA", "cka", 3),
    ("entropy, nats", "semantic_entropy", 2),
    ("Vendi", "vendi", 1),
    ("repeats", "near_repeats", 3),
    ("near T", "near_duplicates", 3),
    ("repeats by words", "word_repeats", 3),
    ("near T by words", "word_duplicates", 3),
    ("ΔI, nats/record", "information_gain", 2),
    ("difficulty, nats/token", DIFFICULTY, 2),
)


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
    return row["p_value"] is not None and bool(row["p_holm"] >= LEVEL)


def summary_rows(tables: Mapping[str, Sequence[Row]]) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Headings and cells of the table a person reads; estimators that no set has are left out.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set.

    Returns
    -------
    headings : list of str
    cells : list of list of tuple of str
        A row a set, without its name: value and interval of each estimate.
    """
    found = {name: {row["estimator"]: row for row in rows} for name, rows in tables.items()}
    used = [column for column in SUMMARY if any(_has_value(rows, column[1]) for rows in found.values())]
    return [heading for heading, _, _ in used], [
        [_marked(rows, estimator, decimals) for _, estimator, decimals in used] for rows in found.values()
    ]


def _has_value(rows: Mapping[str, Row], estimator: str) -> bool:
    """Whether an estimator was asked for, and has a value."""
    return estimator in rows and rows[estimator]["value"] is not None


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
    by_name = {name: {row["estimator"]: row for row in rows} for name, rows in tables.items()}
    said: list[tuple[str, str]] = []
    if len(tables) > 1:
        said += [_answer(question, tables, comparisons) for question in QUESTIONS]
    said += [
        _of_all("Differs from T", by_name, "mmd"),
        _of_all("Repeats T more than T repeats itself", by_name, "near_duplicates"),
        _of_all("Depends on what it is paired with", by_name, "hsic"),
    ]
    coarse = [
        f"{row['estimator']} of {one_line(name)}"
        for name, rows in by_name.items()
        for row in rows.values()
        if row["note"].startswith(TOO_COARSE)
    ]
    if coarse:
        said.append(("Cannot be significant, whatever the data", f"{listed(coarse)}: {TOO_COARSE} after Holm."))
    missing: dict[tuple[str, ...], list[str]] = {}
    for name, rows in by_name.items():
        gone = tuple(not_estimated(rows.values()))
        if gone:
            missing.setdefault(gone, []).append(one_line(name))
    missing = {gone: ["every set"] if len(names) == len(by_name) > 1 else names for gone, names in missing.items()}
    said += [("Not estimated", f"{listed(gone)} for {listed(names)}.") for gone, names in missing.items()]
    return said


def _answer(question: str, tables: Mapping[str, Sequence[Row]], comparisons: Sequence[Row]) -> tuple[str, str]:
    """Which set is most so, among those that were compared."""
    first, alike, gone = order_of(question, tables, comparisons)
    estimator, _ = QUESTIONS[question]
    most = question.replace("closer", "Closest").replace("more ", "Most ")
    names, reasons = listed([one_line(name) for name in gone]), []
    if gone:
        rows = [row for name in gone for row in tables[name] if row["estimator"] == estimator]
        # What mends it stands with all that is not estimated.
        reasons = list(dict.fromkeys(one_line(row["note"].split(";")[0] or "without an interval") for row in rows))
    why = f"{names} ({'; '.join(reasons)})"
    if not first:
        return most, f"not told, for it takes two sets with an estimate ({estimator}); without it: {why}."
    out = f"; left out, without an estimate: {why}" if gone else ""
    if len(alike) == len(tables) - len(gone) - 1:
        return most, f"No set stands out: the differences are inside noise ({estimator}){out}."
    rest = f"; {listed([one_line(name) for name in alike])} cannot be told from it" if alike else ""
    return most, f"{one_line(first)}{rest} ({estimator}, Holm-corrected){out}."


def _of_all(term: str, by_name: Mapping[str, Mapping[str, Row]], estimator: str) -> tuple[str, str]:
    """For which sets an estimate leaves the noise; of pairs made by chance it is not asked."""
    known = {name: rows[estimator] for name, rows in by_name.items() if rows[estimator]["value"] is not None}
    if not known:
        return term, f"not estimated ({estimator})."
    asked = {name: row for name, row in known.items() if BY_NUMBER not in row["method"]}
    by_chance = [one_line(name) for name in known if name not in asked]
    if not asked:
        return (
            term,
            f"not asked, for nothing connects records of {listed(by_chance)} with those of T ({estimator}).",
        )
    outside, inside = (
        [one_line(name) for name, row in asked.items() if inside_noise(row) is noise] for noise in (False, True)
    )
    unasked = f"; not asked of {listed(by_chance)}, which nothing connects with T" if by_chance else ""
    if len(by_name) == len(asked) > 1 and not (outside and inside):
        return term, f"{'every set' if outside else 'no set, all are inside noise'} ({estimator})."
    rest = f"; inside noise: {listed(inside)}" if inside else ""
    return term, f"{listed(outside) if outside else 'no set'}{rest} ({estimator}){unasked}."


# What `ggmi estimate` can estimate of a set.
MEANINGS = ESTIMATORS | BY_WORDS | {DIFFICULTY: MEANING}


def estimator_points(names: Iterable[str] = ESTIMATORS) -> Points:
    """What each estimator is."""
    return Points([(name, f"{capital(MEANINGS[name])}.") for name in names])


def claims_sentence(claims: pd.DataFrame) -> str:
    """What became of the published claims, in one sentence.

    Parameters
    ----------
    claims
        Of `ggmi.pipeline.estimation_claims.claims_table`.
    """
    parts = []
    for claim, rows in claims.groupby("claim", sort=False):
        counts = [f"{word} {n}" for word, n in rows["verdict"].value_counts(sort=False).sort_index().items()]
        parts.append(f"“{claim}”: {listed(counts)} of {len(rows)}")
    return "; ".join(parts) + "."


@dataclass(frozen=True)
class EstimationResults:
    """What the rules of estimates made.

    Parameters
    ----------
    estimates, published
        Of `ggmi.pipeline.estimation_tables`.
    curves
        Entropies of subsamples, of `ggmi.pipeline.estimation_tables`.
    claims
        Of `ggmi.pipeline.estimation_claims`.
    truth
        Estimates beside exact values; None outside the embedded world.
    predictions
        Which estimator predicts the rating; None without ratings.
    """

    estimates: pd.DataFrame
    published: pd.DataFrame
    curves: pd.DataFrame
    claims: pd.DataFrame
    truth: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None


GAIN_SENTENCE = (
    "ΔI is the mean of −ln q(record | prompt and earlier records of the response) over kept records; its total is "
    "their sum. Exact values are known of the first record of a response, so information_gain_first stands beside them."
)
LEMMA_SENTENCE = (
    "Of lemma 3.1's distances, total_variation and mmd measure D against D_gen, the set as it was kept; after a "
    "curation that removes nothing this is D against D_M. D_M against D_gen has no row: where a curation judges each "
    "record by itself, D_TV(D_M, D_gen) is the share that it removes, which the table of curation has."
)


def estimation_section(name: str, found: EstimationResults, figures: Mapping[str, Figure]) -> Section:
    """What a task's page says of estimates.

    Parameters
    ----------
    name
        The task's.
    found
        What was made.
    figures
        By name.

    Returns
    -------
    Section
    """
    biased = found.published.dropna(subset=["hsic_published"])
    predicted = [] if found.predictions is None else [predictions_sentence(found.predictions)]
    blocks: list[Block] = [
        Prose(
            [
                claims_sentence(found.claims),
                *_left_out_sentences(found),
                *_coarse_sentences(found.estimates),
                _suffices_sentence(found.published),
                _bias_sentence(biased),
                *predicted,
                GAIN_SENTENCE,
                LEMMA_SENTENCE,
                "HSIC with the anchors of a prompt as a set falls with their number by itself, since the mean of many "
                "anchors varies less; CKA divides that scale out. Generators are taken in the order of the "
                "configuration, the largest first. p-values are Holm-corrected within each table.",
            ]
        )
    ]
    if found.truth is not None and "figure_estimates" in figures:
        figure, place = figures["figure_estimates"], f"{name}/estimation/figure_estimates"
        blocks.append(
            Picture(
                figure.svg,
                figure.png,
                "Estimates against exact values: information gain, entropy, total variation, mutual information.",
                "Estimates with 95 % intervals against what is exactly true of one record of the ideal generator after "
                "the same prompts; dashed: equality. Hollow: sets with less than half of the largest's records, which "
                "set no axis; a caret: beyond the panel. A classifier bounds D_TV from below; alignment has no unit.",
                [(kind.upper(), f"{place}.{kind}") for kind in ("svg", "png", "csv")],
            )
        )
    captions = {
        "published": "Tables 2 to 4, published and calibrated",
        "curves": "Does n suffice? Entropies of ever larger subsamples",
        "claims": "Published claims",
        "predictions": "Which estimator predicts the rating",
        "truth": "Estimates against the truth",
        "estimates": "Every estimate",
    }
    for file, caption in captions.items():
        frame = getattr(found, file)
        if file == "estimates":
            blocks.append(Fold("What each estimator is", [estimator_points()]))
        if file == "curves":
            blocks.append(Fold("Does n suffice, condition by condition", [_growth_points(found.estimates)]))
        if frame is not None:
            blocks.append(data_table(frame, COLUMNS_OF[file], caption=caption, source=f"{name}/estimation/{file}.csv"))
    return Section("estimates", "Estimates", "Estimates", blocks)


def predictions_sentence(predictions: pd.DataFrame, outcome: str = "the rating") -> str:
    """Which estimator predicts the outcome, and whether so few conditions could have told.

    Parameters
    ----------
    predictions
        Of `ggmi.pipeline.estimation_tables.predictions_table`.
    outcome
        What is predicted, in words.
    """
    known = predictions.dropna(subset=["spearman"])
    if known.empty:
        return f"Too few conditions have an estimate and {outcome} to ask which estimator predicts {outcome}."
    best = known.loc[known["spearman"].abs().idxmax()]
    certain = known.loc[known["p_holm"] < LEVEL, "estimator"].tolist()
    power = fixed(100 * float(best["power"]), 0)
    cannot = ", so that silence here decides nothing" if best["power"] < USEFUL_POWER else ""
    found = (
        f"at level {LEVEL:g}/{int(best['tests'])}, Holm's first step, {int(best['n'])} conditions find a true "
        f"correlation of 0.8 in {power} % of runs"
    )
    # What is left out for its size is the same for every estimator; the published HSIC's note says more.
    notes = known.loc[known["estimator"] != PUBLISHED, "note"].dropna().unique()
    out = f" {capital(str(notes[0]))}." if len(notes) and notes[0] else ""
    if best["n"] < MANY:
        return (
            f"Which estimator predicts {outcome}: too few conditions to name any, the strongest of many correlations "
            f"is strong by chance; {found}, and below {MANY} conditions none is named.{out}"
        )
    return (
        f"Which estimator predicts {outcome}: after Holm's correction {listed(certain) if certain else 'none'}. The "
        f"strongest rank correlation is that of {best['estimator']}, "
        f"{estimate(best['spearman'], best['ci_low'], best['ci_high'], 2)}; {found}{cannot}.{out}"
    )


def _left_out_sentences(found: EstimationResults) -> list[str]:
    """Which sets are too small to be compared, and how many rows of claims test nothing."""
    records = compared_records(found.estimates)
    small = too_small(records)
    untested = found.claims[found.claims["p_value"].isna()]
    # The sentence on predictions names them too.
    said = [f"{capital(left_out(small, records))}."] if small and found.predictions is None else []
    if len(untested):
        rows = f"{len(untested)} of {len(found.claims)} rows of the claims"
        said.append(
            f"{rows} are not tested, and their notes say why: the published statistic states no error, entropies at "
            "their ceiling or still growing with n tell the number of records, or too few conditions are left."
        )
    return said


def _coarse_sentences(estimates: pd.DataFrame) -> list[str]:
    """Which tests have too few shuffles to find anything after Holm's correction; CKA's is that of HSIC."""
    coarse = estimates[estimates["note"].fillna("").str.startswith(TOO_COARSE) & (estimates["estimator"] != "cka")]
    if coarse.empty:
        return []
    names = [
        " ".join(row) for row in coarse[["generator", "condition", "curation", "estimator"]].itertuples(index=False)
    ]
    return [f"{capital(TOO_COARSE)} after Holm's correction, whatever the data: {listed(names)}."]


def _growth_points(estimates: pd.DataFrame) -> Points:
    """Whether each set is large enough to know its entropy, or why that is not known."""
    rows = estimates[estimates["estimator"] == "semantic_growth"].to_dict("records")
    return Points([(" ".join(row[part] for part in PLACE), f"{row['note']}.") for row in rows])


def _suffices_sentence(published: pd.DataFrame) -> str:
    """Whether the sets are large enough to know their entropy."""
    growths = published["entropy_growth"].dropna()
    if growths.empty:
        return "The semantic entropy of no set is estimated."
    enough = published.loc[published["entropy_growth"] <= GROWTH, ["generator", "condition", "curation"]]
    ends = [fixed(100 * float(end), 0) for end in (growths.min(), growths.max())]
    added = f"{ends[0]} %" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} %"
    names = f": {listed([' '.join(row) for row in enough.itertuples(index=False)])}" if len(enough) else ""
    count = f"{len(enough) or 'none'} of {len(growths)} conditions{names}"
    return (
        f"n suffices to know the semantic entropy in {count}; the last doubling of n added {added} "
        f"of ln 2, and at most {fixed(100 * GROWTH, 0)} % suffices."
    )


def _bias_sentence(published: pd.DataFrame) -> str:
    """How much of the published statistic is its own bias."""
    if published.empty:
        return "No set was large enough for the published statistic."
    share = (published["hsic_published_null"] / published["hsic_published"]).median()
    apart = int((published["hsic_p_holm"] < LEVEL).sum())
    return (
        f"The published statistic reads {fixed(100 * share, 1)} % (median over conditions) of its value on data that "
        f"are independent by construction; the unbiased one leaves the noise in {apart} of {len(published)} conditions."
    )


def page_of(found: Mapping[str, Any]) -> Page:
    """The page of `ggmi estimate`.

    Parameters
    ----------
    found
        What the command writes as JSON.

    Returns
    -------
    Page
    """
    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    headings, cells = summary_rows(tables)
    rows = [
        [one_line(name), *(f"{value} {ends}".strip() for value, ends in line)]
        for name, line in zip(tables, cells, strict=True)
    ]
    long = pd.DataFrame([{"set": name, **row} for name, estimates in tables.items() for row in estimates])
    long = long.drop(columns="curve", errors="ignore")
    said = findings(tables, found["comparisons"])
    blocks: list[Block] = [
        plain_table(
            ["set", *headings],
            rows,
            caption="Values with 95 % intervals; ~, ! and ? are explained below",
            numeric=range(1, 1 + len(headings)),
        ),
        Prose(explanations(found), "note"),
        Prose([f"{one_line(one['name'])}: {plural(one['records'], 'record')}." for one in found["sets"]], "note"),
    ]
    sections = [Section("summary", "Set by set", "Set by set", blocks)]
    if found["comparisons"]:
        pairs = pd.DataFrame(found["comparisons"])
        table = data_table(pairs, FIELDS, caption="Every two sets")
        sections.append(Section("pairs", "Every two sets", "Every two sets", [table]))
    if found["train"]["difficulty"]:
        sections.append(difficulty_section(found))
    # An endpoint's identity is words, a local model's a hash.
    encoder = one_line(found["encoder"]) if " " in found["encoder"] else found["encoder"][:16]
    names = dict.fromkeys(long["estimator"])
    everything: list[Block] = [estimator_points(names), data_table(long, FIELDS, caption="Every estimate")]
    sections.append(Section("estimates", "Every estimate", "Every estimate", everything))
    return Page(
        title=f"Synthetic sets against {one_line(PurePath(found['train']['name']).name)}",
        kicker="Estimates of ggmi",
        asked=(
            f"{capital(plural(len(tables), 'synthetic set'))} beside a training set T of "
            f"{found['train']['records']:,} records: which is closer to it, more diverse, redundant, contaminated, "
            "and what of that is inside noise."
        ),
        verdict=f"{said[0][0]}: {said[0][1]}" if said else "",
        findings=said[1:],
        sections=sections,
        colophon=f"Seed {found['seed']}; embeddings by {encoder}; all logarithms are natural.",
    )
