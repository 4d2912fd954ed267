from itertools import product

import numpy as np
import pytest
from scipy import stats

from ggmi.embedded.domains import Domains
from ggmi.embedded.language import Sizes


def test_priors_and_laws_are_distributions(domains):
    assert domains.prior.sum() == pytest.approx(1)
    for laws in (domains.head, domains.full):
        assert laws.shape == (19, 22)
        np.testing.assert_allclose(laws.sum(axis=1), 1)
    np.testing.assert_array_equal(domains.target_law > 0, np.arange(22) < 12)
    np.testing.assert_array_equal(domains.head[0] > 0, np.arange(22) < 6)


def test_only_target_and_uniform_domains_hold_unsampled_skills(domains):
    with_unsampled = domains.full[:, 6:12].sum(axis=1) > 0
    assert [n for n, has in zip(domains.names, with_unsampled, strict=True) if has] == ["target", "uniform"]


def test_posterior_and_predictions_equal_enumeration(small_domains):
    d = small_domains
    S = d.sizes.skills
    for anchors, further in product(product(range(S), repeat=2), product(range(S), repeat=2)):
        joint = [
            p * np.prod([head[a] for a in anchors]) * np.prod([full[f] for f in further])
            for p, head, full in zip(d.prior, d.head, d.full, strict=True)
        ]
        a, f = d.counts(anchors), d.counts(further)
        np.testing.assert_allclose(d.posterior(a, f), np.array(joint) / sum(joint), atol=1e-12)
        before = d.prior * np.array([np.prod([head[i] for i in anchors]) for head in d.head])
        expected = [sum(j * full[s] for j, full in zip(joint, d.full, strict=True)) / sum(joint) for s in range(S)]
        np.testing.assert_allclose(d.next_skill(a, f), expected, atol=1e-12)
        ahead = [sum(j * head[s] for j, head in zip(before, d.head, strict=True)) / before.sum() for s in range(S)]
        np.testing.assert_allclose(d.next_anchor(a), ahead, atol=1e-12)


def test_laws_broadcast_over_prompts_and_positions(domains):
    generator = np.random.default_rng(0)
    anchors = domains.counts(domains.draw_anchors(4, 5, generator))
    further = domains.counts(generator.integers(0, 22, size=(4, 3, 2)))
    together = domains.next_skill(anchors[:, None], further)
    assert together.shape == (4, 3, 22)
    for i, j in np.ndindex(4, 3):
        np.testing.assert_allclose(together[i, j], domains.next_skill(anchors[i], further[i, j]))


@pytest.mark.parametrize(
    ("instances", "expected"),
    [(3, (0.385, 0.09, 0.525)), (10, (0.45, 0.24, 0.31)), (20, (0.49, 0.43, 0.08))],
)
def test_more_instances_mean_more_unsampled_and_fewer_irrelevant_skills(domains, instances, expected):
    anchors = domains.draw_anchors(20_000, instances, np.random.default_rng(instances))
    shares = domains.shares(domains.next_skill(domains.counts(anchors))).mean(axis=0)
    np.testing.assert_allclose(shares, expected, atol=0.012)


def test_the_law_of_every_further_record_is_the_same_before_any_is_seen(domains):
    anchors = domains.counts([0, 1, 2, 3])
    first = domains.next_skill(anchors)
    second = first @ domains.next_skill(anchors, np.eye(22, dtype=int))
    np.testing.assert_allclose(second, first, atol=1e-12)


def test_entropies_equal_scipys(domains):
    laws = domains.next_skill(domains.counts(domains.draw_anchors(50, 3, np.random.default_rng(1))))
    expected = stats.entropy(laws, axis=-1) + np.log(1000)
    np.testing.assert_allclose(domains.record_entropy(laws), expected)
    assert domains.record_entropy(domains.target_law) == pytest.approx(np.log(12_000))


def test_divergences_are_those_of_record_laws(domains):
    law = domains.next_skill(domains.counts([0, 1, 2]))
    records, target = np.repeat(law, 1000) / 1000, np.repeat(domains.target_law, 1000) / 1000
    assert domains.task_divergence(law) == pytest.approx(0.5 * np.abs(records - target).sum())
    assert domains.task_divergence(domains.target_law) == 0


def test_any_anchors_have_an_explanation(domains):
    every = domains.counts(list(range(22)))
    assert domains.names[int(domains.posterior(every).argmax())] == "uniform"
    assert np.isfinite(domains.next_skill(every)).all()


def test_worlds_of_other_sizes():
    domains = Domains.draw(1, Sizes(anchored=5, unsampled=2, irrelevant=6, letters=5))
    assert domains.head.shape == domains.full.shape == (1 + 5 + 6 + 3 + 3, 13)
    assert domains.prior.sum() == pytest.approx(1)
