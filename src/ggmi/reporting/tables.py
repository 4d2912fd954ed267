"""Tables of a page: what each column means, and cells in sensible digits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ggmi.reporting.text import fixed


@dataclass(frozen=True)
class Column:
    """How one column of a table is shown.

    Parameters
    ----------
    key
        Its name in the file.
    label
        Its name on the page.
    meaning
        What it holds, with unit.
    decimals
        Digits after the point of numbers.
    """

    key: str
    label: str
    meaning: str
    decimals: int = 0


def ends(decimals: int, key: str = "ci_{}", label: str = "{}", *, over: str = "") -> tuple[Column, Column]:
    """Columns of the lower and the upper end of a 95 % interval.

    Parameters
    ----------
    decimals
        As for `Column`.
    key, label
        As for `Column`, with braces where low or high stands.
    over
        What the interval is over, from its first space or comma.

    Examples
    --------
    >>> [column.label for column in ends(2, "gain_ci_{}", "gain, {}")]
    ['gain, low', 'gain, high']
    """
    low = Column(key.format("low"), label.format("low"), f"lower end of its 95 % interval{over}", decimals)
    return low, Column(key.format("high"), label.format("high"), "upper end of its 95 % interval", decimals)


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the full number where the text is rounded."""

    text: str
    value: str = ""


@dataclass(frozen=True)
class DataTable:
    """A table one can sort and filter.

    Parameters
    ----------
    caption
        What it shows.
    columns
        Its columns in order.
    numeric
        Whether each column holds numbers.
    rows
        Cells, a sequence a row.
    total
        Rows in the file.
    source
        Relative link to the file, empty if there is none.
    tools
        Whether a filter field is offered.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[Cell]]
    total: int
    source: str = ""
    tools: bool = True


def data_table(
    frame: pd.DataFrame, columns: Iterable[Column], *, caption: str, source: str = "", tools: bool = True
) -> DataTable:
    """Prepare a table for the page.

    Parameters
    ----------
    frame
        The table.
    columns
        Columns to show, in order; those that `frame` lacks are left out, and those that are not
        described follow under their own names.
    caption, source, tools
        See `DataTable`.
    """
    described = {column.key: column for column in columns}
    order = [key for key in described if key in frame] + [str(key) for key in frame if key not in described]
    chosen = [described.get(key, Column(key, key, "", 3)) for key in order]
    numeric = [pd.api.types.is_numeric_dtype(frame[key]) for key in order]
    cells = [[_cell(value, column.decimals) for value in frame[column.key].tolist()] for column in chosen]
    return DataTable(caption, chosen, numeric, list(zip(*cells, strict=True)), len(frame), source, tools)


def plain_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, numeric: Sequence[int] = ()
) -> DataTable:
    """A small table of texts, without tools.

    Parameters
    ----------
    header
        Column names.
    rows
        Texts, a sequence a row.
    caption
        What it shows.
    numeric
        Positions of columns that hold numbers.
    """
    columns = [Column(name, name, "") for name in header]
    cells = [[Cell(text) for text in row] for row in rows]
    return DataTable(caption, columns, [i in numeric for i in range(len(columns))], cells, len(rows), tools=False)


def _cell(value: object, decimals: int) -> Cell:
    if isinstance(value, float):
        text = fixed(value, decimals)
        full = f"{value:.10g}"
        return Cell(text, "" if math.isnan(value) or text == full else full)
    if isinstance(value, int) and not isinstance(value, bool):
        text = fixed(value, 0)
        return Cell(text, "" if text == str(value) else str(value))
    return Cell(str(value))


_PLACE = (
    Column("K", "K", "anchored components"),
    Column("J", "J", "unsampled components: in the target and in the generator, without anchors"),
    Column("L", "L", "irrelevant components: in the generator only"),
)
_VARIANT = (
    Column("covariance", "covariance", "variant of the components' covariances"),
    Column("anchor_components", "anchor fit", "components fitted to anchors: released K, text K+J+L"),
    Column("estimator", "divergence", "estimator of the divergence"),
)
_KINDS = (
    Column("anchored", "anchored", "share of the K anchored skills", 3),
    Column("unsampled", "unsampled", "share of the J unsampled skills", 3),
    Column("irrelevant", "irrelevant", "share of the L irrelevant skills", 3),
)
_ROUNDS = Column("rounds", "rounds", "independent repetitions behind the row")

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "kl_gap": (
        *_PLACE,
        Column("d", "d", "dimensions"),
        *_VARIANT,
        _ROUNDS,
        Column("mean_nats", "mean", "mean KL gap over rounds, nats", 2),
        Column("ci_low_nats", "mean, low", "lower end of the mean's 95 % interval (BCa bootstrap), nats", 2),
        Column("ci_high_nats", "mean, high", "upper end of the mean's 95 % interval, nats", 2),
        Column("sd_nats", "sd", "standard deviation over rounds, nats", 2),
        Column("median_nats", "median", "median KL gap over rounds, nats", 2),
        Column(
            "median_ci_low_nats", "median, low", "lower end of the median's 95 % interval (order statistics), nats", 2
        ),
        Column("median_ci_high_nats", "median, high", "upper end of the median's 95 % interval, nats", 2),
    ),
    "trends": (
        *_VARIANT,
        Column("axis", "swept", "the number of components that is swept"),
        Column("verdict", "verdict", "as_published, against or undecided, by rank correlation"),
        Column("spearman", "ρ", "Spearman's rank correlation of swept number and KL gap over all rounds", 3),
        Column("spearman_ci_low", "ρ, low", "lower end of its 95 % bootstrap interval", 3),
        Column("spearman_ci_high", "ρ, high", "upper end of its 95 % bootstrap interval", 3),
        Column("p_value", "p", "two-sided permutation p-value of ρ", 4),
        Column("p_holm", "p, Holm", "the same, Holm-corrected for all trends of the study", 4),
        Column("slope_nats", "slope", "least-squares slope of the mean KL gap, nats a component", 2),
        Column("slope_nats_ci_low", "slope, low", "lower end of its 95 % bootstrap interval", 2),
        Column("slope_nats_ci_high", "slope, high", "upper end of its 95 % bootstrap interval", 2),
        Column("conditions", "conditions", "values of the swept number"),
        _ROUNDS,
    ),
    "validity": (
        Column("generator", "generator", "who wrote"),
        Column("condition", "condition", "anchors in the prompt, or given for an imported set"),
        Column("responses", "responses", "raw responses"),
        Column("missing", "missing", "responses that the generator did not give in the end"),
        Column("records", "records", "records in them"),
        Column("repaired", "repaired", "records that were not correct JSON, and were mended"),
        Column("validity", "valid", "records that are correct JSON as a share of all items found in responses", 3),
        *ends(3, "validity_ci_{}", "valid, {}", over=", responses as clusters"),
        Column("responses_with_records", "with records", "responses that held a record"),
        Column("cut", "cut", "responses that met max_tokens"),
        Column("cut_prompts", "cut prompts", "prompts of which the endpoint counts far fewer tokens than they have"),
        Column("prompt_tokens", "tokens read", "tokens of all prompts"),
        Column("completion_tokens", "tokens written", "tokens of all responses"),
        Column("failures", "failures", "items that are no records"),
    ),
    "curation": (
        Column("generator", "generator", "who wrote"),
        Column("condition", "condition", "anchors in the prompt, or given for an imported set"),
        Column("curation", "curation", "name of the curation"),
        Column("kept", "kept", "records that stay"),
        Column("dropped", "dropped", "records that curation dropped"),
        Column("removed_share", "removed", "share of the records dropped", 3),
        Column("removed_text_share", "removed text", "share of the characters dropped", 3),
    ),
    "generators": (
        Column("generator", "generator", "name of the model"),
        Column("parameters", "parameters", "weights of the model"),
        Column("criterion_reached", "trained", "whether training met its criterion before its most steps"),
        Column("instances", "anchors", "anchors in context"),
        Column("prompts", "prompts", "prompts measured"),
        Column("kl_nats", "D_KL to Bayes", "divergence of its law of the next skill from the exact one, nats", 3),
        *_KINDS,
        Column("skill_accuracy", "right letters", "share of records whose response it continues rightly", 3),
    ),
    "shares": (
        Column("generator", "generator", "who wrote; ideal: exact Bayes after the same prompts"),
        Column("instances", "anchors", "anchors in the prompt"),
        Column("prompts", "prompts", "prompts asked"),
        Column("records", "records", "valid records"),
        *_KINDS,
        *(
            Column(f"{kind}_ci_{end}", f"{kind}, {end}", f"{word} end of its 95 % interval over prompts", 3)
            for kind in ("anchored", "unsampled", "irrelevant")
            for end, word in (("low", "lower"), ("high", "upper"))
        ),
        Column("right", "right", "share of records whose response is right", 3),
        Column("information_gain_nats", "ΔI", "exact information gain of the ideal generator, nats a record", 3),
    ),
    "table1": (
        Column("condition", "condition", "what the students learned; base: nothing"),
        Column("n_items", "questions", "test questions with a rating"),
        Column("n_seeds", "students", "students (seeds) with a rating"),
        Column("mean", "mean", "mean rating, 1 to 10", 2),
        *ends(2, label="mean, {}", over=" over questions and seeds"),
        Column("softmax", "softmax", "softmax of the means over conditions, as published", 4),
        Column("difference_to_base", "to base", "mean rating less that of the untrained base, paired by question", 2),
        Column("p_holm", "p, Holm", "two-sided p of that difference, Holm-corrected over conditions", 4),
        Column("missing", "missing", "answers without a rating"),
        *ends(2, "difference_to_base_ci_{}", "to base, {}"),
        Column("p_base", "p, base", "the same p, not corrected", 4),
        Column("difference_to_real", "to real", "mean rating less that of students of real data", 2),
        *ends(2, "difference_to_real_ci_{}", "to real, {}"),
        Column("p_real", "p, real", "two-sided p of that difference", 4),
        Column("p_holm_real", "p, real, Holm", "the same, Holm-corrected over conditions", 4),
        Column("bootstrap_low", "bootstrap, low", "lower end of the mean's crossed bootstrap interval", 2),
        Column("bootstrap_high", "bootstrap, high", "upper end of the mean's crossed bootstrap interval", 2),
    ),
    "agreement": (
        Column("condition", "condition", "whose answers; all: of every condition"),
        Column("metric", "metric", "what a difference of two ratings weighs"),
        Column("alpha", "alpha", "Krippendorff's alpha: 1 perfect agreement, 0 that of chance", 3),
        *ends(3, label="alpha, {}", over=" over questions"),
        Column("n_answers", "answers", "answers with two verdicts or more"),
        Column("n_items", "questions", "questions of these answers"),
        Column("n_ratings", "ratings", "ratings of these answers"),
    ),
    "calibration": (
        Column("probe", "answer", "what was given for an answer"),
        Column("n_items", "questions", "questions with a rating"),
        Column("missing", "missing", "answers without a rating"),
        Column("mean", "mean", "mean rating, 1 to 10", 2),
        *ends(2, label="mean, {}"),
    ),
    "separations": (
        Column("higher", "answer", "one answer"),
        Column("lower", "against", "the other"),
        Column("expected", "expected", "whether the first must be rated above the second, or must not"),
        Column("n_items", "questions", "questions with a rating of both"),
        Column("difference", "difference", "mean difference of their ratings", 2),
        *ends(2, label="difference, {}"),
        Column("found", "as expected", "whether the interval says so"),
    ),
    "generalization": (
        Column("condition", "condition", "what the students learned; base: nothing"),
        Column("n_items", "test records", "test records measured"),
        Column("n_seeds", "students", "students (seeds)"),
        Column("test_risk_nats", "test risk", "mean loss on the test set, nats a record", 3),
        *ends(3, "test_risk_ci_{}_nats", "test risk, {}", over=" over records and seeds"),
        Column("training_risk_nats", "training risk", "mean loss on the students' own set, nats a record", 3),
        Column("generalization_error_nats", "error", "generalization error |R_D − R_S|, nats a record", 3),
        *ends(3, "generalization_error_ci_{}_nats", "error, {}"),
        Column("gain_nats", "gain", "error of students of the anchor data less this one, nats a record", 3),
        *ends(3, "gain_ci_{}_nats", "gain, {}", over=", paired by test record"),
        Column("exact_risk_nats", "exact risk", "R_D over every record of D, and D_KL to the truth, nats a record", 3),
        Column("exact_error_nats", "exact error", "generalization error by the exact risk, nats a record", 3),
    ),
    "risks": (
        Column("condition", "condition", "what the student learned; base: nothing"),
        Column("seed", "seed", "which student"),
        Column("steps", "updates", "updates made"),
        Column("records", "records", "records learned from"),
        Column("truncated", "truncated", "records cut to the context window"),
        Column("dropped", "dropped", "records left out because they do not fit it"),
        Column("tokens", "tokens", "tokens read in training, without padding"),
        Column("padding", "padding", "share of padding in what was computed", 3),
        Column("batching", "batching", "how records were laid out in rows"),
        Column("processes", "processes", "processes that trained the student"),
        *(
            Column(f"{key}_nats_per_{unit}", f"{label}, a {unit}", f"{meaning}, nats a {unit}", 3)
            for key, label, meaning in (
                ("training_risk", "training risk", "loss on its own set"),
                ("test_risk", "test risk", "loss on the test set"),
                ("generalization_error", "error", "generalization error for its own set"),
                ("exact_risk", "exact risk", "loss over every record of D"),
            )
            for unit in ("record", "token")
        ),
        Column("joint_kl_nats", "D_KL, joint", "D_KL of whole records to the truth, nats", 3),
        Column("exact_match", "right", "share of all records of D answered rightly by the likeliest letters", 3),
        Column("answer_probability", "p(right)", "mean probability of the right answer", 3),
    ),
    "sets": (
        Column("condition", "condition", "what the students learned"),
        Column("available", "available", "records of the set"),
        Column("overlap", "overlap", "records that ask what a test record asks"),
        Column("records", "learned", "records after matching; one may come again"),
        Column("distinct", "distinct", "different records among them"),
        Column("synthetic", "synthetic", "of them from the synthetic set"),
        Column("anchors", "anchors", "of them from the anchor data"),
        Column("real", "real", "of them from the real training set"),
    ),
    "fits": (
        *_PLACE,
        Column("covariance", "covariance", "variant of the components' covariances"),
        Column("fit", "fit", "what was fitted: synthetic data, or anchors as released or as in the text"),
        _ROUNDS,
        Column("converged_share", "converged", "share of rounds in which EM reached its tolerance", 2),
        Column("mean_iterations", "iterations", "EM iterations, mean over rounds", 1),
        Column("collapsed_share", "collapsed", "share of rounds in which a component collapsed", 2),
        Column("mean_collapsed_components", "components collapsed", "collapsed components a round, mean", 2),
        Column(
            "mean_log_likelihood_nats_per_point",
            "log-likelihood",
            "mean log-likelihood of the fitted data, nats a point",
            3,
        ),
    ),
    "divergences": (
        *_PLACE,
        Column("covariance", "covariance", "variant of the components' covariances"),
        Column("estimator", "divergence", "estimator of the divergence"),
        Column("fit", "fit", "which fitted mixture is compared with the target; null: the target itself"),
        _ROUNDS,
        Column("median_nats", "median", "median divergence over rounds, nats", 2),
        Column("largest_error_nats", "largest error", "largest Monte-Carlo standard error of any round, nats", 3),
        Column(
            "precision_reached_share",
            "precise",
            "share of rounds that reached the standard error asked for; histograms promise none",
            2,
        ),
        Column("median_points", "points", "points drawn, median over rounds"),
        Column("largest_points", "points, most", "points drawn, most in any round"),
    ),
}
