import math

import numpy as np
import pytest

from ggmi.pipeline.tables import curation_table, validity_table
from ggmi.random import stream
from ggmi.statistics import share_interval


def wilson(p, n, z=1.959963984540054):
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


@pytest.mark.parametrize(("hits", "n"), [(150, 200), (1, 30), (7, 8), (0, 12), (9, 9)])
def test_of_independent_items_the_interval_is_wilsons(hits, n):
    found = share_interval([1] * hits + [0] * (n - hits), [1] * n)
    assert (found.low, found.high) == pytest.approx(wilson(hits / n, n), abs=1e-12)


def test_clusters_that_agree_within_count_about_as_one_item_each():
    # Two clusters are added to the sixty's spread, and z is Student's.
    alike = share_interval([10] * 45 + [0] * 15, [10] * 60)
    low, high = wilson(0.75, 60)
    assert alike.low < low < high < alike.high
    assert alike.high - alike.low == pytest.approx(high - low, rel=0.06)


def test_many_clusters_of_one_share_tell_nearly_as_much_as_their_items():
    even = share_interval([5] * 4000, [10] * 4000)
    assert (even.low, even.high) == pytest.approx(wilson(0.5, 40_000), abs=1e-5)


@pytest.mark.parametrize(
    ("hits", "items", "low", "high"),
    [([0] * 9, [3] * 9, 0.0, None), ([3] * 9, [3] * 9, None, 1.0), ([2], [4], None, None)],
)
def test_the_ends_and_a_single_cluster_have_an_interval_too(hits, items, low, high):
    found = share_interval(hits, items)
    assert 0 <= found.low < found.high <= 1
    assert low is None or found.low == pytest.approx(low, abs=1e-12)
    assert high is None or found.high == pytest.approx(high)


def test_without_items_there_is_none():
    assert math.isnan(share_interval([0, 0], [0, 0]).low)
    assert math.isnan(share_interval([], []).low)


@pytest.mark.parametrize(
    ("share", "alike", "clusters"),
    [(0.5, 0.0, 60), (0.8, 0.3, 60), (0.9, 0.7, 60), (0.9, 0.7, 20), (0.97, 0.9, 60), (0.5, 0.5, 12)],
)
def test_the_interval_of_clustered_items_covers_the_truth_at_least_as_often_as_it_says(share, alike, clusters):
    generator = stream(7, "coverage", round(100 * share), clusters)
    runs = 2000
    covered = naive = 0
    for _ in range(runs):
        items = generator.integers(1, 21, clusters)
        # A cluster is all alike with some probability, else its items are independent.
        whole = generator.random(clusters) < alike
        hits = np.where(whole, items * (generator.random(clusters) < share), generator.binomial(items, share))
        found = share_interval(hits, items)
        covered += found.low <= share <= found.high
        low, high = wilson(hits.sum() / items.sum(), items.sum())
        naive += low <= share <= high
    # Three standard deviations of a coverage of 95 % over the runs are 1.5 %.
    assert covered / runs > 0.935
    # What counting items as independent would promise.
    assert naive / runs < 0.85 if alike else naive / runs > 0.935


SUMMARY = {
    "responses": 4,
    "missing": 1,
    "with_records": 2,
    "records": 6,
    "repaired": 0,
    "cut_prompts": None,
    "finish_reasons": {"stop": 3, "length": 1},
    "failures": {"no_json": 2},
    "validity": 0.75,
    "validity_ci_low": 0.3,
    "validity_ci_high": 0.95,
    "extra_fields": 0,
    "cut": 1,
    "prompt_tokens": 40,
    "completion_tokens": 80,
    "log_prob_nats": None,
}


def test_tables_have_a_column_a_reason_and_a_row_a_condition():
    silent = {**SUMMARY, "responses": 0, "missing": 0, "records": 0, "failures": {}, "validity": None}
    table = validity_table([("a", "3-ins"), ("b", "given")], [{**SUMMARY, "failures": {"truncated": 2}}, silent])
    assert table["failed_truncated"].tolist() == [2, 0]
    assert table["failures"].tolist() == [2, 0]
    assert table[["finished_length", "finished_stop"]].to_numpy().tolist() == [[1, 3], [1, 3]]
    assert table["missing"].tolist() == [1, 0]
    assert table["validity"].isna().tolist() == [False, True]
    curated = {"kept": 3, "dropped": {"exact: exact duplicate": 3}, "removed_share": 0.5, "removed_text_share": 0.5}
    none = {"kept": 6, "dropped": {}, "removed_share": 0.0, "removed_text_share": 0.0}
    table = curation_table([("a", "3-ins")], ["strict", "none"], [curated, none])
    assert table["exact: exact duplicate"].tolist() == [3, 0]
    assert table[["curation", "kept", "dropped"]].to_numpy().tolist() == [["strict", 3, 3], ["none", 6, 0]]
