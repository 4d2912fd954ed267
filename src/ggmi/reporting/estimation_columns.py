"""What the columns of the tables of estimates mean on a page."""

from __future__ import annotations

from ggmi.reporting.tables import Column, ends

PLACE = (
    Column("generator", "generator", "who wrote"),
    Column("condition", "condition", "anchors in the prompt, or given for an imported set"),
    Column("curation", "curation", "name of the curation"),
)
FIELDS = (
    Column("set", "set", "the synthetic set"),
    *PLACE,
    Column("instances", "instances", "anchors in the prompt as a number; none for an imported set"),
    Column("seed", "seed", "the run's seed"),
    Column("estimator", "estimator", "what is estimated; explained above the table"),
    Column("value", "value", "the estimate", 5),
    *ends(5),
    Column("p_value", "p", "probability of a value at least this extreme under the null", 4),
    Column("p_holm", "p, Holm", "the same, Holm-corrected over all tests of the table", 4),
    Column("smallest_p", "smallest p", "the smallest p that the permutation test could have given", 4),
    Column("null_mean", "null", "expected value under the null", 4),
    Column("ceiling", "ceiling", "largest value that data of this size could give", 4),
    Column("n", "n", "observations behind the value"),
    Column("unit", "unit", "what the value is counted in"),
    Column("method", "method", "estimator, settings, null"),
    Column("note", "note", "why there is no value, or what limits it"),
)

COLUMNS_OF = {
    "estimates": FIELDS,
    "published": (
        *PLACE,
        Column("hsic_published", "HSIC, published", "biased HSIC of small samples paired by index, narrow kernels", 6),
        Column("hsic_published_null", "its null", "what independent data give", 6),
        Column("hsic", "HSIC", "unbiased HSIC with the anchors of the prompt, median bandwidths", 6),
        *ends(6, "hsic_ci_{}", "HSIC, {}"),
        Column("hsic_p_holm", "p, Holm", "permutation p-value, Holm-corrected over all tests of the task", 4),
        Column("cka", "CKA", "HSIC over its ceiling", 4),
        Column("entropy_published_nats", "entropy, published", "plug-in, mean over the lists of prompts, nats", 3),
        Column("entropy_published_ceiling_nats", "its ceiling", "ln of the list's length, nats", 3),
        Column("entropy_nats", "entropy", "of the whole set, Miller–Madow, nats", 3),
        Column("entropy_ceiling_nats", "its ceiling", "ln n, which the plug-in cannot exceed, nats", 3),
        Column("entropy_growth", "growth", "what the last doubling of n added, over ln 2; at most 0.1 suffices", 3),
        Column("n", "n", "records behind the entropy"),
    ),
    "curves": (
        *PLACE,
        Column("n", "n", "records of a random subsample, doubling up to what was compared"),
        Column("plug_in", "plug-in", "plug-in entropy, mean over subsamples, nats", 3),
        Column("miller_madow", "Miller–Madow", "the same with the Miller–Madow correction, nats", 3),
        Column("chao_shen", "Chao–Shen", "the same with the Chao–Shen correction, nats", 3),
        Column("clusters", "clusters", "records that say different things, mean over subsamples", 1),
        Column("ceiling", "ceiling", "ln n, which the plug-in cannot exceed, nats", 3),
    ),
    "claims": (
        Column("claim", "claim", "what the paper says"),
        Column("estimator", "estimator", "published or calibrated form"),
        *PLACE,
        Column("verdict", "verdict", "on this run's data"),
        Column("statistic", "statistic", "slope a step, or rank correlation", 5),
        *ends(5),
        Column("p_value", "p", "two-sided", 4),
        Column("p_holm", "p, Holm", "the same, Holm-corrected over all rows", 4),
        Column("claimed", "claimed", "sign that is claimed"),
        Column("n", "n", "conditions"),
        Column("test", "test", "which test"),
        Column("note", "note", "what is left out, why nothing is tested, what could have been found"),
    ),
    "predictions": (
        Column("estimator", "estimator", "what is estimated of a set"),
        Column("spearman", "ρ", "Spearman's correlation with the mean rating over conditions", 3),
        *ends(3, label="ρ, {}"),
        Column("p_value", "p", "two-sided permutation p-value", 4),
        Column("p_holm", "p, Holm", "the same, Holm-corrected over the estimators", 4),
        Column("n", "n", "conditions"),
        Column("smallest_p", "smallest p", "the smallest p-value that so many conditions can give", 4),
        Column("power", "power", "probability to find a true correlation of 0.8 at 0.05 over the tests", 2),
        Column("tests", "tests", "estimators that were tested, which Holm's correction is over"),
        Column("note", "note", "conditions that are left out, and what of the estimator counts"),
    ),
    "truth": (
        *PLACE,
        Column("quantity", "quantity", "what is exactly known of one record of the ideal generator"),
        Column("truth", "truth", "its exact value, nats (divergence: no unit)", 3),
        Column("estimator", "estimator", "what is meant to tell it"),
        Column("value", "estimate", "the estimate", 3),
        *ends(3),
        Column("records", "records", "records of the set that are compared"),
        Column("too_small", "too small", "whether they are less than half of the largest set's"),
    ),
}
