import itertools

import numpy as np
import pytest
from scipy import stats

from ggmi.information import hsic_null
from ggmi.information.hsic import hsic
from ggmi.information.hsic_null import cyclic_shifts, shuffled_statistics
from ggmi.information.kernel_sums import kernel_sums, null_mean, null_variance
from ggmi.information.kernels import Sets, variable
from ggmi.information.pairing import pair_by_prompt
from ggmi.random import stream


def every_pairing(sides, estimator, orders):
    return np.array([kernel_sums(sides[0], sides[1].reordered(order)).value(estimator) for order in orders])


@pytest.fixture
def sides(dependent):
    def make(n, kernel="gaussian", of_sets=False):
        data = dependent(n)
        if of_sets:
            sizes = stream(1, "sizes", n).integers(1, 4, size=(2, n))
            data = [
                Sets(v, [(i + np.arange(k)) % n for i, k in enumerate(s)]) for v, s in zip(data, sizes, strict=True)
            ]
        return tuple(variable(v, name, kernel=kernel) for v, name in zip(data, "xy", strict=True))

    return make


@pytest.mark.parametrize("of_sets", [False, True])
@pytest.mark.parametrize("kernel", ["gaussian", "linear"])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_mean_and_variance_are_those_over_all_pairings(sides, kernel, estimator, of_sets):
    pair = sides(6, kernel, of_sets)
    sums = kernel_sums(*pair)
    values = every_pairing(pair, estimator, map(np.array, itertools.permutations(range(6))))
    assert null_mean(sums, estimator) == pytest.approx(values.mean(), rel=1e-12, abs=1e-15)
    if estimator == "unbiased":
        assert null_variance(sums) == pytest.approx(values.var(), rel=1e-10)


@pytest.mark.parametrize("of_sets", [False, True])
@pytest.mark.parametrize("n", [11, 12])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_shifts_by_fourier_transforms_equal_shifts_one_by_one(sides, monkeypatch, estimator, n, of_sets):
    monkeypatch.setattr(hsic_null, "SHIFT_ELEMENTS", 1)
    pair = sides(n, "linear", of_sets)
    order = stream(1, "order").permutation(n)
    found = cyclic_shifts(*pair, kernel_sums(*pair), estimator, order)
    arranged = [side.reordered(order) for side in pair]
    expected = every_pairing(arranged, estimator, [(np.arange(n) + s) % n for s in range(1, n)])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_wide_blocks_of_diagonals_give_the_same_shifts(sides, monkeypatch):
    pair = sides(150)
    sums, order = kernel_sums(*pair), stream(1, "order").permutation(150)
    narrow = cyclic_shifts(*pair, sums, "unbiased", order)
    monkeypatch.setattr(hsic_null, "TILE", 14)
    np.testing.assert_allclose(cyclic_shifts(*pair, sums, "unbiased", order), narrow, atol=1e-14)


@pytest.mark.parametrize("of_sets", [False, True])
def test_random_permutations_equal_recomputed_pairings(sides, of_sets):
    pair = sides(14, of_sets=of_sets)
    found, how = shuffled_statistics(*pair, kernel_sums(*pair), "unbiased", 30, 9)
    generator = stream(9, "hsic", "permutations")
    np.testing.assert_allclose(
        found, every_pairing(pair, "unbiased", [generator.permutation(14) for _ in range(30)]), atol=1e-14
    )
    assert how == "30 random permutations"


def test_fewer_shuffles_than_observations_are_shifts_and_there_are_never_fewer_than_asked(sides):
    pair = sides(40)
    sums = kernel_sums(*pair)
    for asked, given, words in ((5, 39, "39 cyclic shifts"), (40, 40, "40 random permutations")):
        values, how = shuffled_statistics(*pair, sums, "unbiased", asked, 0)
        assert len(values) == given
        assert how.startswith(words)


def of_points(generator, n):
    """Independent variables, one of them in one dimension and one in thirty, both with heavy tails."""
    return generator.exponential(size=(n, 1)), generator.standard_t(3, size=(n, 30))


def of_prompts(generator, n, *, each=6, copying=0.0):
    """Records in lists of one prompt that share a theme, and copy the mean of their prompt's anchors or do not."""
    anchors, ids = generator.normal(size=(40, 3)), [str(i) for i in range(40)]
    drawn = [generator.choice(40, 3, replace=False) for _ in range(n)]
    theme = np.sqrt(0.5) * generator.normal(size=(n, 3)) + copying * anchors[drawn].mean(axis=1)
    answered = np.repeat(np.arange(n), generator.integers(1, 2 * each, size=n))
    records = theme[answered] + np.sqrt(0.5) * generator.normal(size=(len(answered), 3))
    prompts = {str(i): [ids[j] for j in chosen] for i, chosen in enumerate(drawn)}
    pairs = pair_by_prompt(records, [str(i) for i in answered], prompts, anchors, ids)
    return pairs.x, pairs.y


NULLS = {"shifts": {"n_permutations": 10}, "permutation": {"n_permutations": 39}}


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("made", [of_points, of_prompts])
def test_independent_samples_are_called_dependent_as_often_as_alpha_says(null, made):
    # 10,000 trials a case with points are in benchmarks/information.py.
    trials, n = 1000, 20
    rejected, covered = {"unbiased": 0, "biased": 0}, 0
    for trial in range(trials):
        x, y = made(stream(11, "type I", made.__name__, trial), n)
        for estimator in rejected:
            found = hsic(x, y, estimator, seed=trial, **NULLS[null])
            rejected[estimator] += found.p_value <= 0.05
            covered += estimator == "unbiased" and found.ci_low <= 0 <= found.ci_high
    # p is uniform on 20ths for the shifts and on 40ths for the permutations: both hold 0.05 exactly.
    low, high = stats.binom.interval(0.95, trials, 0.05)
    for count in rejected.values():
        assert low <= count <= high
    # The interval is conservative where the statistic degenerates.
    assert covered >= stats.binom.ppf(0.001, trials, 0.95)


def test_lists_that_carry_their_anchors_are_found():
    trials = 40
    found = [
        hsic(*of_prompts(stream(14, "carry", t), 60, copying=0.8), n_permutations=99, seed=t) for t in range(trials)
    ]
    assert sum(one.p_value <= 0.05 for one in found) > 0.8 * trials
    assert {one.n for one in found} == {60}


def test_squares_of_kernels_are_made_of_tiles(sides, monkeypatch):
    v = sides(20, of_sets=True)[0]
    chosen = stream(1, "square").permutation(20)[:13]
    whole = v.tile(chosen, chosen)
    monkeypatch.setattr("ggmi.information.kernels.TILE", 4)
    assert v.side < len(chosen)
    np.testing.assert_allclose(v.square(chosen), whole, rtol=1e-12)


def test_the_shifts_have_the_power_of_random_permutations():
    trials, found = 60, {30: 0, 99: 0}
    for trial in range(trials):
        generator = stream(12, "power", trial)
        x = generator.normal(size=(60, 2))
        y = 0.6 * np.square(x) + generator.normal(size=(60, 2))
        for count in found:
            found[count] += hsic(x, y, n_permutations=count, seed=trial).p_value <= 0.05
    assert 0.3 * trials < found[99] < 0.95 * trials
    assert abs(found[30] - found[99]) <= 8
