from dataclasses import replace

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.information.clustering import MutualEntailment
from ggmi.information.estimate import Estimate
from ggmi.information.hsic import hsic
from ggmi.information.semantic_entropy import labels_by_prompt
from ggmi.pipeline.comparing import INSIDE, compared, order_of, with_holm
from ggmi.pipeline.embedded_sets import Embedded
from ggmi.pipeline.estimation import STEPS, TESTS, estimates, over_ceiling
from ggmi.pipeline.estimators import ESTIMATORS, EstimationSettings
from ggmi.pipeline.set_pairs import check_pairs, pairs_of
from ggmi.random import stream
from ggmi.text.records import Record
from ggmi.text.samples import Sample

D = 6
FAST = EstimationSettings(permutations=99, published_records=32, published_samples=3)


def embedded(vectors, name, keys=None, anchors=None, nats=None, tokens=None):
    """A set whose records are named by their number and say nothing but their name."""
    n = len(vectors)
    none = (None,) * n
    sample = Sample(
        name,
        tuple(Record(f"{name}{i}", f"do {name} {i}", "", f"done {i}") for i in range(n)),
        tuple(f"line {i + 1}" for i in range(n)),
        tuple(keys) if keys is not None else none,
        tuple(anchors) if anchors is not None else ((),) * n,
        tuple(nats) if nats is not None else none,
        tuple(tokens) if tokens is not None else none,
    )
    return Embedded(sample, np.asarray(vectors, dtype=float))


def world(copying, prompts=60, draws=2):
    """T, and a set that copies the mean of its own anchors as far as it is asked to."""
    draw = stream(5, "estimation", prompts).normal
    train = draw(size=(3 * prompts, D))
    ids = [tuple(f"T{3 * p + i}" for i in range(3)) for p in range(prompts) for _ in range(draws)]
    means = np.repeat(train.reshape(prompts, 3, D).mean(axis=1), draws, axis=0)
    vectors = copying * means * np.sqrt(3) + np.sqrt(1 - copying**2) * draw(size=means.shape)
    keys = [f"p{p}" for p in range(prompts) for _ in range(draws)]
    return embedded(vectors, "S", keys, ids), embedded(train, "T")


def by_name(rows):
    return {row["estimator"]: row for row in rows}


def test_every_estimator_has_a_row_in_the_stated_order_and_steps_are_counted():
    steps = []
    rows = estimates(*world(0.5), FAST, seed=1, on_step=lambda: steps.append(1))
    assert [row["estimator"] for row in rows] == list(ESTIMATORS)
    assert len(steps) == STEPS
    assert set(rows[0]) == {"estimator", *Estimate(0.0).row(), "smallest_p", "note"}
    assert sum(row["p_value"] is not None for row in rows if row["estimator"] != "cka") == TESTS


def test_dependence_on_the_prompts_own_anchors_is_found_by_prompt_pairs_and_not_by_index_pairs():
    synthetic, train = world(0.9)
    prompt = by_name(estimates(synthetic, train, FAST, seed=1))["hsic"]
    index = by_name(estimates(synthetic, train, EstimationSettings("index", 99), seed=1))["hsic"]
    assert prompt["p_value"] == 0.01 or prompt["p_value"] < 0.01
    assert prompt["ci_low"] > 0
    assert "of each prompt with the anchors in it" in prompt["method"]
    assert index["p_value"] > 0.05
    assert "seed 1" in index["method"]


def test_the_published_form_reads_its_own_bias_where_nothing_depends_on_anything():
    synthetic, train = world(0.0)
    row = by_name(estimates(synthetic, train, FAST, seed=1))["hsic_published"]
    assert row["null_mean"] == pytest.approx(1 / 31, rel=0.02)
    assert row["value"] == pytest.approx(row["null_mean"], rel=0.02)


def test_alignment_is_hsic_over_its_ceiling():
    synthetic, train = world(0.9)
    rows = by_name(estimates(synthetic, train, FAST, seed=1))
    for field in ("value", "ci_low", "ci_high"):
        assert rows["cka"][field] == pytest.approx(rows["hsic"][field] / rows["hsic"]["ceiling"])
    assert rows["cka"]["ceiling"] == 1
    with pytest.raises(UserError, match="too few"):
        over_ceiling(Estimate(0.1, ceiling=-0.1))


def test_the_pairing_is_what_the_library_gives_for_the_same_pairs():
    synthetic, train = world(0.5)
    pairs = pairs_of(synthetic, train, "auto", seed=3, most=1000)
    found = by_name(estimates(synthetic, train, FAST, seed=3))["hsic"]
    assert found["value"] == hsic(pairs.x, pairs.y, n_permutations=0, seed=3).value


def test_records_of_the_same_key_are_paired_where_no_anchors_are_named():
    draw = stream(6, "keys").normal
    train = embedded(draw(size=(50, D)), "T", keys=[f"q{i}" for i in range(50)])
    order = stream(6, "order").permutation(50)
    synthetic = embedded(train.vectors[order] + 0.1 * draw(size=(50, D)), "S", keys=[f"q{i}" for i in order])
    row = by_name(estimates(synthetic, train, EstimationSettings("prompt", 99), seed=1))["cka"]
    assert row["value"] > 0.9
    assert "n counts values of prompt_id" in row["method"]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (["q0", "q1", "q2", "zz"], "S: line 4: prompt_id 'zz' is not in T"),
        (["q0", None, "q2", "q3"], "S: line 2: there is no 'prompt_id' to pair by"),
    ],
)
def test_a_key_that_is_missing_is_named_with_its_line(keys, sentence):
    train = embedded(np.eye(4), "T", keys=[f"q{i}" for i in range(4)]).sample
    with pytest.raises(UserError, match=sentence):
        check_pairs(embedded(np.eye(4), "S", keys=keys).sample, train, "prompt")


def test_one_prompt_with_two_lists_of_anchors_is_refused():
    synthetic = embedded(np.eye(4), "S", keys=["p"] * 4, anchors=[("T1",), ("T1",), ("T2",), ("T1",)])
    with pytest.raises(UserError, match="S: line 3: prompt 'p' has other anchors"):
        check_pairs(synthetic.sample, embedded(np.eye(4), "T").sample, "auto")


def test_what_does_not_apply_has_no_value_and_a_reason():
    synthetic, train = world(0.0)
    rows = by_name(estimates(synthetic, train, FAST, seed=1))
    assert rows["information_gain"]["value"] is None
    assert "120 of 120 records have no log-probability" in rows["information_gain"]["note"]
    few = estimates(embedded(np.eye(3, D), "S"), train, FAST, seed=1)
    assert {row["value"] for row in few} == {None}
    assert all("holds 3 records; at least 4" in row["note"] for row in few)
    same = by_name(estimates(embedded(np.ones((9, D)), "S"), train, FAST, seed=1))
    assert same["hsic"]["value"] is None
    assert same["vendi"]["value"] == pytest.approx(1.0)
    assert same["near_repeats"]["value"] == 1.0


def test_the_information_gain_is_the_mean_surprisal():
    vectors = stream(7, "gain").normal(size=(40, D))
    nats = -stream(7, "nats").exponential(3.0, size=40)
    synthetic = embedded(vectors, "S", nats=nats.tolist(), tokens=[5] * 40)
    rows = by_name(estimates(synthetic, world(0.0)[1], FAST, seed=1))
    assert rows["information_gain"]["value"] == pytest.approx(-nats.mean())
    assert rows["information_gain_per_token"]["value"] == pytest.approx(-nats.mean() / 5)
    assert rows["information_gain_total"]["value"] == pytest.approx(-nats.sum())
    assert rows["information_gain_total"]["unit"] == "nats"
    assert rows["information_gain_total"]["ci_low"] < -nats.sum() < rows["information_gain_total"]["ci_high"]
    assert "given those before it" in rows["information_gain"]["method"]
    assert rows["information_gain"]["ci_low"] < -nats.mean() < rows["information_gain"]["ci_high"]


def test_a_sample_bounds_the_records_that_kernels_see_and_shares_take_all():
    synthetic, train = world(0.0)
    rows = by_name(estimates(synthetic, train, EstimationSettings("auto", 99, 50, 30), seed=1))
    # Pairs by prompt count prompts, of two records here.
    assert rows["hsic"]["n"] == 25
    assert rows["mmd"]["n"] == 100
    assert rows["vendi"]["n"] == rows["near_repeats"]["n"] == 30
    assert rows["near_duplicates"]["n"] == 120


def parity(premises, hypotheses):
    """Records say the same when their numbers are both even or both odd."""
    odd = [[int(text.split()[-1]) % 2 for text in side] for side in (premises, hypotheses)]
    return ["entailment" if p == h else "contradiction" for p, h in zip(*odd, strict=True)]


def test_entailment_decides_what_says_the_same_and_its_prefilter_is_measured():
    vectors = stream(12, "entailment").normal(size=(80, D))
    synthetic, train = embedded(vectors, "S", keys=[f"p{i // 8}" for i in range(80)]), world(0.0)[1]

    def found(prefilter):
        return by_name(
            estimates(
                synthetic,
                train,
                FAST,
                seed=1,
                same=lambda v: MutualEntailment(parity, vectors=v, prefilter=prefilter),
            )
        )

    everyone, few = found(0.0), found(0.99)
    plain = by_name(estimates(synthetic, train, FAST, seed=1))
    # All pairs of similarity below 0 are left out, and each cluster still finds most of its members.
    assert everyone["semantic_entropy"]["value"] < np.log(20) < few["semantic_entropy"]["value"]
    assert few["semantic_entropy"]["value"] == pytest.approx(np.log(80))
    assert "the prefilter asks 0 of " in few["semantic_entropy"]["method"]
    assert "adjusted Rand index 0.000" in few["semantic_entropy"]["method"]
    assert "clusters by mutual entailment (strict)" in everyone["semantic_entropy_lists"]["method"]
    assert everyone["semantic_entropy_lists"]["value"] < few["semantic_entropy_lists"]["value"]
    assert few["semantic_entropy_lists"]["value"] == pytest.approx(np.log(8))
    assert "Rand" not in plain["semantic_entropy"]["method"]
    assert everyone["vendi"] == plain["vendi"]


def test_lists_ask_about_no_pair_of_two_prompts():
    asked = []

    def noted(premises, hypotheses):
        asked.extend(zip(premises, hypotheses, strict=True))
        return ["neutral"] * len(premises)

    synthetic = embedded(np.ones((12, D)), "S", keys=[f"p{i // 4}" for i in range(12)])
    labels = labels_by_prompt(
        [record.text for record in synthetic.sample.records],
        synthetic.sample.prompt_ids,
        synthetic.vectors,
        lambda v: MutualEntailment(noted, vectors=v),
    )
    assert len(asked) == 3 * 6
    assert {tuple(int(text.split()[-1]) // 4 for text in pair) for pair in asked} == {(0, 0), (1, 1), (2, 2)}
    assert np.sort(labels.reshape(3, 4)).tolist() == [[0, 1, 2, 3]] * 3


def test_contamination_and_diversity_are_compared_as_they_were_made():
    draw = stream(8, "compare").normal
    train = embedded(draw(size=(150, D)), "T")
    varied = embedded(draw(size=(150, D)), "varied")
    copied = embedded(np.repeat(train.vectors[:10], 15, axis=0), "copied")
    tables = {one.sample.source: estimates(one, train, FAST, seed=1) for one in (varied, copied)}
    found = compared(tables)
    verdicts = {row["question"]: row["verdict"] for row in found}
    assert verdicts["more diverse"] == "varied"
    assert verdicts["more redundant"] == verdicts["more contaminated"] == "copied"
    assert order_of("more diverse", tables, found) == ("varied", [], [])


def test_sets_of_one_law_are_inside_noise_and_both_are_named():
    draw = stream(9, "noise").normal
    train, one, other = (embedded(draw(size=(150, D)), name) for name in ("T", "one", "other"))
    tables = {s.sample.source: estimates(s, train, FAST, seed=1) for s in (one, other)}
    found = compared(tables)
    assert {row["verdict"] for row in found} == {INSIDE}
    first, alike, left_out = order_of("closer to T", tables, found)
    assert {first, *alike} == {"one", "other"}
    assert not left_out


def test_holm_runs_over_all_sets_and_counts_the_test_of_hsic_once():
    rows = [{"estimator": e, "p_value": p} for e, p in (("hsic", 0.01), ("cka", 0.01), ("mmd", 0.04), ("vendi", None))]
    found = with_holm({"a": rows, "b": rows[:3]})
    assert [row["p_holm"] for row in found["a"]] == [0.04, 0.04, 0.08, None]


def test_a_tests_smallest_p_is_reached_where_the_dependence_is_plain():
    synthetic, train = world(0.95, prompts=20)
    for shuffles in (9, 99):  # fewer and more than prompts and records
        row = by_name(estimates(synthetic, train, replace(FAST, permutations=shuffles), seed=1))["hsic"]
        assert row["p_value"] == pytest.approx(row["smallest_p"])
    far = embedded(train.vectors[:30] + 9, "far")
    row = by_name(estimates(far, train, FAST, seed=1))["mmd"]
    assert row["p_value"] == row["smallest_p"] == 0.01


def test_four_observations_have_twenty_four_orders():
    few = embedded(stream(14, "few").normal(size=(4, D)), "S")
    row = by_name(estimates(few, world(0.0)[1], FAST, seed=1))["hsic"]
    assert row["smallest_p"] == pytest.approx(1 / 24)


def test_a_test_that_cannot_be_significant_after_holm_says_so():
    def table(smallest):
        fine = {"estimator": "total_variation", "p_value": 1e-30, "smallest_p": None, "note": ""}
        return {
            str(i): [{"estimator": "mmd", "p_value": smallest, "smallest_p": smallest, "note": ""}, fine]
            for i in range(12)
        }

    # Twelve classifiers are found first, so the smallest p of twelve permutation tests counts twelve times.
    coarse, enough = (with_holm(table(p))["3"][0] for p in (1 / 200, 1 / 2000))
    assert coarse["p_holm"] == pytest.approx(12 / 200)
    assert coarse["note"] == "too few shuffles to find anything: the smallest possible p, 0.005, is 0.06 after Holm"
    assert enough["p_holm"] == pytest.approx(12 / 2000)
    assert enough["note"] == ""


def test_the_curve_says_whether_the_set_is_large_enough():
    draw = stream(13, "curve").normal
    train = embedded(draw(size=(60, D)), "T")
    # Every record its own direction, and eighty of two meanings.
    fresh, twice = (
        by_name(estimates(embedded(vectors, "S"), train, FAST, seed=1))["semantic_growth"]
        for vectors in (draw(size=(64, D)), np.repeat(np.eye(2, D), 40, axis=0))
    )
    assert [point["n"] for point in fresh["curve"]] == [4, 8, 16, 32, 64]
    assert fresh["curve"][-1]["plug_in"] <= fresh["curve"][-1]["ceiling"] == pytest.approx(np.log(64))
    assert fresh["note"].startswith("n = 64 does not suffice: its last doubling added ")
    assert twice["curve"][-1]["plug_in"] == pytest.approx(np.log(2))
    assert twice["note"].startswith("n = 80 suffices: its last doubling added ")
    none = by_name(estimates(embedded(np.eye(3, D), "S"), train, FAST, seed=1))["semantic_growth"]
    assert none["curve"] == []
