import numpy as np
import pytest
from scipy import integrate, special, stats

from ggmi.mixtures.em import fit
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.terms import TermAverage, averages_over, prompt_information, round_terms, term_units
from ggmi.mixtures.worlds import Condition, random_worlds, synthetic_points

POINTS = 8
CONDITION = Condition(3, 2, 4)
N = 20


def gaussian_entropy(covariance):
    d = len(covariance)
    return 0.5 * (d * np.log(2 * np.pi * np.e) + np.linalg.slogdet(covariance)[1])


@pytest.fixture
def stream(streams):
    return streams(1, "terms")[0]


def joined(*parts):
    """One mixture of several, by their weights times their components'."""
    return Mixtures(
        np.concatenate([share * m.weights for share, m in parts], axis=1),
        np.concatenate([m.means for _, m in parts], axis=1),
        np.concatenate([m.covariances for _, m in parts], axis=1),
    )


# Entropies and cross-entropies.


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_the_entropy_of_a_gaussian_is_exact_and_without_error(random_mixtures, stream, d):
    p = random_mixtures(1, 1, d)
    (entropy,), _ = averages_over(p, [p], stream, POINTS)
    assert entropy.value == pytest.approx(gaussian_entropy(p.covariances[0, 0]), rel=1e-12)
    assert entropy.error < 1e-12


def test_the_cross_entropy_of_gaussians_is_the_textbooks(gaussian, stream):
    for mean, variance in ((0.5, 1.0), (2.0, 4.0), (0.0, 0.25)):
        (found,), _ = averages_over(gaussian(0.0, 1.0), [gaussian(mean, variance)], stream, 64)
        expected = 0.5 * (np.log(2 * np.pi * variance) + (1 + mean**2) / variance)
        assert abs(found.value - expected) < 4 * found.error + 1e-9
        assert found.error < 0.02 * expected


def test_entropies_of_mixtures_equal_numerical_integration(random_mixtures, stream, scipy_log_density):
    p, q = random_mixtures(1, 3, 1, "p", side=4.0), random_mixtures(1, 2, 1, "q", side=4.0)
    found, _ = averages_over(p, [p, q], stream, 64)
    grid = np.linspace(-12, 16, 40_001)
    log_p = scipy_log_density(p, 0, grid[:, None])
    for estimate, law in zip(found, (p, q), strict=True):
        expected = -np.trapezoid(np.exp(log_p) * scipy_log_density(law, 0, grid[:, None]), grid)
        assert abs(estimate.value - expected) < 4 * estimate.error + 1e-6
        assert estimate.error < 0.02


def test_far_components_add_the_logarithm_of_their_number(gaussian, stream):
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    means = 500.0 * np.arange(5)[None, :, None] * np.ones(2)
    p = Mixtures.equal_weights(means, covariance * np.ones((1, 5, 1, 1)))
    (entropy,), _ = averages_over(p, [p], stream, POINTS)
    assert entropy.value == pytest.approx(np.log(5) + gaussian_entropy(covariance), rel=1e-10)


def test_a_change_of_units_moves_entropies_and_no_distance(random_mixtures, streams):
    p, q = random_mixtures(1, 3, 2, "p", side=3.0), random_mixtures(1, 3, 2, "q", side=3.0)

    def scaled(m):
        return Mixtures(m.weights, 10 * m.means, 100 * m.covariances)

    (entropy, cross), (distance,) = averages_over(p, [p, q], streams(1, "s")[0], POINTS, [q])
    (entropy_10, cross_10), (distance_10,) = averages_over(
        scaled(p), [scaled(p), scaled(q)], streams(1, "s")[0], POINTS, [scaled(q)]
    )
    for one, other in ((entropy, entropy_10), (cross, cross_10)):
        assert other.value - one.value == pytest.approx(2 * np.log(10), rel=1e-9)
    assert distance_10.value == pytest.approx(distance.value, rel=1e-9)


# Distances.


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0, 3.0, 40.0])
def test_the_distance_of_unit_gaussians_is_the_normal_laws(gaussian, stream, shift):
    _, (found,) = averages_over(gaussian(0.0, 1.0), [], stream, 256, [gaussian(shift, 1.0)])
    assert found.value == pytest.approx(2 * stats.norm.cdf(shift / 2) - 1, abs=4 * found.error + 1e-12)
    assert found.error < 0.005


def test_the_distance_of_mixtures_equals_numerical_integration_both_ways(random_mixtures, stream, scipy_log_density):
    p, q = random_mixtures(1, 3, 1, "p", side=4.0), random_mixtures(1, 4, 1, "q", side=4.0)
    grid = np.linspace(-12, 16, 40_001)
    density = [np.exp(scipy_log_density(m, 0, grid[:, None])) for m in (p, q)]
    expected = 0.5 * np.trapezoid(np.abs(density[0] - density[1]), grid)
    for one, other in ((p, q), (q, p)):
        _, (found,) = averages_over(one, [], stream, 64, [other])
        assert abs(found.value - expected) < 4 * found.error + 1e-6


def test_a_generator_that_adds_far_components_is_as_far_as_their_weight(random_mixtures, stream):
    target = random_mixtures(1, 3, 2)
    far = Mixtures(np.ones((1, 1)), np.full((1, 1, 2), 1e3), np.eye(2)[None, None])
    _, (found,) = averages_over(joined((0.75, target), (0.25, far)), [], stream, POINTS, [target])
    assert found.value == pytest.approx(0.25, abs=1e-9)


# Standard errors.


@pytest.mark.parametrize("kind", ["entropy", "cross-entropy", "distance"])
def test_standard_errors_cover_as_often_as_they_say(random_mixtures, streams, kind):
    p, q = random_mixtures(1, 3, 2, "p", side=4.0), random_mixtures(1, 4, 2, "q", side=4.0)

    def estimate(generator, points):
        (entropy, cross), (distance,) = averages_over(p, [p, q], generator, points, [q])
        return {"entropy": entropy, "cross-entropy": cross, "distance": distance}[kind]

    reference = estimate(streams(1, "reference")[0], 4096)
    found = [estimate(generator, POINTS) for generator in streams(600, "coverage")]
    assert reference.error < 0.1 * np.mean([f.error for f in found])
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    assert abs(values.mean() - reference.value) < 4 * values.std() / np.sqrt(len(found))
    assert np.sqrt(np.square(errors).mean()) == pytest.approx(values.std(), rel=0.12)
    # Where components overlap little, few points tell, and replicates are skewed.
    outside = (np.abs(values - reference.value) > stats.t.ppf(0.975, 15) * errors).mean()
    assert 0.02 < outside < 0.15


def test_combinations_keep_their_errors_right(streams):
    numbers = streams(1, "combined")[0]
    base = TermAverage(numbers.normal(size=(5, 16)), numbers.normal(size=(5, 4)))
    other = TermAverage(numbers.normal(size=(5, 16)))
    combined = 3 * base - other
    expected = (3 * base.replicates - other.replicates).var(axis=-1, ddof=1) / 16
    expected += 9 * base.sets.var(axis=-1, ddof=1) / 4
    np.testing.assert_allclose(combined.error, np.sqrt(expected))
    np.testing.assert_allclose(combined.value, 3 * base.value - other.value)
    np.testing.assert_array_equal((base - base).error, 0)


# The nested estimate.


def prompts(generator, sets, spread, noise, d=1):
    """Prompts that choose the mean of a Gaussian: M_a = N(theta_a, noise I), theta_a ~ N(0, spread I)."""
    means = np.sqrt(spread) * generator.standard_normal((sets, 1, d))
    return Mixtures(np.ones((sets, 1)), means, noise * np.eye(d) * np.ones((sets, 1, 1, 1)))


NOBODY = Mixtures(np.full((1, 1), 1e-300), np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)))


@pytest.mark.parametrize("ratio", [0.02, 0.1, 1.0])
def test_gaussian_prompts_give_their_known_information(streams, ratio):
    information = 0.5 * np.log(1 + ratio)
    found = [prompt_information(prompts(g, 4, ratio, 1.0), NOBODY, g, POINTS) for g in streams(800, "gaussian")]
    values = {name: np.array([f[name].value for f in found]) for name in found[0]}
    for name, value in values.items():
        if name.startswith("prompt"):
            values[name] = value.mean(), value.std() / np.sqrt(len(value))
    np.testing.assert_allclose(values["information_gain"], 0.5 * np.log(2 * np.pi * np.e), atol=1e-9)
    (low, low_error), (high, high_error) = values["prompt_information_low"], values["prompt_information_high"]
    assert low < information + 4 * low_error
    assert high > information - 4 * high_error
    # What is left after the correction is a tenth of the information at most, where that is small.
    value, error = values["prompt_information"]
    allowed = 0.1 * information if ratio <= 0.1 else information
    assert abs(value - information) < allowed + 4 * error


def test_the_estimate_lies_between_its_brackets_in_every_round(streams):
    for i, generator in enumerate(streams(50, "brackets")):
        found = prompt_information(prompts(generator, 2 + i % 3, 10.0 ** (i % 5 - 2), 1.0), NOBODY, generator, 512)
        low, value, high = (found[f"prompt_information{end}"] for end in ("_low", "", "_high"))
        assert 0 < low.value < value.value
        assert high.value > value.value - 1e-3


def test_more_prompts_narrow_the_brackets(streams):
    widths = []
    for sets in (2, 4, 16):
        found = [prompt_information(prompts(g, sets, 0.2, 1.0), NOBODY, g, POINTS) for g in streams(60, "narrow")]
        widths.append(np.mean([f["prompt_information_high"].value - f["prompt_information_low"].value for f in found]))
    assert widths[0] > 2 * widths[1] > 8 * widths[2]


def test_equal_prompts_carry_nothing(random_mixtures, stream):
    one = random_mixtures(1, 3, 2)
    own = Mixtures(*(np.repeat(getattr(one, part), 4, axis=0) for part in Mixtures.ARRAYS))
    own = Mixtures(0.5 * own.weights, own.means, own.covariances)
    common = random_mixtures(1, 2, 2, "common")
    found = prompt_information(own, Mixtures(0.5 * common.weights, common.means, common.covariances), stream, 64)
    for end in ("", "_low", "_high"):
        assert found[f"prompt_information{end}"].value == pytest.approx(0, abs=1e-12)
    whole = joined((0.5, one), (0.5, common))
    (entropy,), _ = averages_over(whole, [whole], stream, 64)
    error = np.hypot(entropy.error, found["information_gain"].error)
    assert abs(found["information_gain"].value - entropy.value) < 4 * error


def test_far_prompts_are_told_apart_by_every_word_of_their_share(stream):
    # Prompts that never overlap: M tells them apart whenever it speaks for the prompt.
    ones = np.ones((8, 1, 1, 1))
    own = Mixtures(np.full((8, 1), 0.5), 100.0 * np.arange(8)[:, None, None], ones)
    common = Mixtures(np.full((1, 1), 0.5), np.full((1, 1, 1), -100.0), ones[:1])
    found = prompt_information(own, common, stream, POINTS)
    assert found["prompt_information_low"].value == pytest.approx(0.5 * np.log(8), rel=1e-12)
    assert found["information_gain"].value == pytest.approx(np.log(2) + gaussian_entropy(np.eye(1)), rel=1e-12)


def test_the_nested_errors_are_those_that_rounds_show(streams):
    # To first order in what a prompt changes, and noisy, since few prompts tell their own spread.
    for sets in (4, 8):
        found = [prompt_information(prompts(g, sets, 0.1, 1.0), NOBODY, g, POINTS) for g in streams(400, "spread")]
        values = np.array([f["prompt_information"].value for f in found])
        errors = np.array([f["prompt_information"].error for f in found])
        assert np.sqrt(np.square(errors).mean()) == pytest.approx(values.std(), rel=0.3)


# Rounds.


@pytest.fixture(scope="module")
def world():
    """Six rounds of a world with both students, and the streams' maker."""
    from ggmi.random import round_streams

    def streams(*name):
        return round_streams(7, *name, rounds=range(6))

    worlds = random_worlds(CONDITION, 2, N, "psd", streams("world"))
    points = synthetic_points(worlds.generator, 100, streams("synthetic"))
    fits = {
        "synthetic": fit(points, CONDITION.total, streams("fit")).mixtures,
        "anchors_released": fit(worlds.anchors.reshape(6, -1, 2), CONDITION.K, streams("fit anchors")).mixtures,
    }
    return worlds, fits, lambda: streams("terms")


def estimated(world, rounds=slice(0, 6), points=POINTS, **fits):
    worlds, students, streams = world
    students = {name: fit[rounds] for name, fit in {**students, **fits}.items()}
    mixtures = (worlds.truth[rounds], worlds.generator[rounds], students)
    return round_terms(*mixtures, CONDITION.K, N, streams()[rounds], points=points, anchor_sets=3)


def test_every_term_has_a_value_and_an_error(world):
    found = estimated(world)
    assert set(found) == {f"{t}_{part}" for t in term_units(["released"]) for part in ("value", "error")}
    for name, array in found.items():
        assert array.shape == (6,)
        assert np.isfinite(array).all()
        assert name.endswith("value") or (array > 0).all()
    assert set(term_units(["released", "text"]).values()) == {"nats a point", "probability", "ratio"}


def test_terms_keep_what_theory_says_of_them(world):
    found = {name.removesuffix("_value"): v for name, v in estimated(world).items() if name.endswith("_value")}
    errors = {name.removesuffix("_error"): v for name, v in estimated(world).items() if name.endswith("_error")}
    np.testing.assert_allclose(found["entropy_change"], found["entropy_anchor"] - found["entropy_synthetic"])
    np.testing.assert_allclose(
        found["information_gain"], found["entropy_synthetic"] - found["prompt_information"], rtol=1e-12
    )
    np.testing.assert_allclose(
        found["alpha_released"], found["anchor_given_own_released"] / found["anchor_given_student"]
    )
    np.testing.assert_allclose(
        found["bound_released"],
        found["information_gain"]
        - (found["alpha_released"] + 1) * found["anchor_given_student"]
        + 2 * found["entropy_change"]
        + found["synthetic_given_student"],
    )
    # Gibbs' inequality.
    for student in ("anchor_given_student", "anchor_given_own_released"):
        assert (found[student] > found["entropy_anchor"] - 4 * errors[student]).all()
    for name in ("task_divergence", "student_divergence"):
        assert ((found[name] > 0) & (found[name] < 1)).all()
    # At most log A, since A anchor sets were drawn.
    assert ((found["prompt_information_low"] > 0) & (found["prompt_information_low"] < np.log(3))).all()


def test_entropies_and_distances_of_a_round_agree_with_plain_monte_carlo(world, numpy_sample, scipy_log_density):
    worlds, fits, _ = world
    found = estimated(world, slice(0, 3), points=128)
    r, n = 2, 100_000
    anchored = Mixtures.equal_weights(worlds.truth.means[:, : CONDITION.K], worlds.truth.covariances[:, : CONDITION.K])
    student = fits["synthetic"]
    laws = {"G": worlds.truth, "anchored": anchored, "M": worlds.generator, "pi": student}

    def logs(source, *names):
        points = numpy_sample(laws[source], r, n, np.random.default_rng(5))
        return [scipy_log_density(laws[name], r, points) for name in (source, *names)]

    own, under_pi = logs("anchored", "pi")
    (believed,) = logs("pi")
    in_m, target, of_student = logs("M", "G", "pi")
    for term, sample in (
        ("entropy_anchor", -own),
        ("anchor_given_student", -under_pi),
        ("student_entropy", -believed),
        ("synthetic_given_student", -of_student),
        ("task_divergence", np.maximum(0, 1 - np.exp(target - in_m))),
        ("student_divergence", np.maximum(0, 1 - np.exp(of_student - in_m))),
    ):
        error = np.hypot(sample.std() / np.sqrt(n), found[f"{term}_error"][r])
        assert abs(found[f"{term}_value"][r] - sample.mean()) < 4.5 * error, term
        assert found[f"{term}_error"][r] < 0.1


def test_the_information_gain_of_one_gaussian_is_the_expected_log_variance(gaussian, streams):
    # Anchors of one Gaussian: M's own part is N(mean, S) with (N - 1) S / s^2 chi-squared.
    n, repeats = 6, 300
    own = gaussian(0.0, 1.0)[np.zeros(repeats, dtype=int)]
    far = Mixtures(np.ones((repeats, 1)), np.full((repeats, 1, 1), 1e4), np.ones((repeats, 1, 1, 1)))
    generator = joined((0.5, own), (0.5, far))
    found = round_terms(
        joined((0.5, own), (0.5, far)),
        generator,
        {"synthetic": generator},
        1,
        n,
        streams(repeats, "one gaussian"),
        points=4,
        anchor_sets=4,
    )
    nu = n - 1
    log_variance = special.digamma(nu / 2) + np.log(2 / nu)
    half = 0.5 * np.log(2 * np.pi * np.e)
    expected = np.log(2) + half + 0.25 * log_variance
    gain = found["information_gain_value"]
    spread = gain.std() / np.sqrt(repeats)
    assert abs(gain.mean() - expected) < 4 * spread
    # The stated error, of four anchor sets, tells how much rounds differ.
    assert np.sqrt(np.square(found["information_gain_error"]).mean()) == pytest.approx(gain.std(), rel=0.15)

    # H(M(p)): given the variance v a point is N(0, 1 / n + v), and the variance follows its own law.
    variances = stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, nu) / nu + 1 / n

    def density(x):
        return np.exp(-0.5 * x * x / variances - 0.5 * np.log(2 * np.pi * variances)).mean()

    marginal = integrate.quad(lambda x: -density(x) * np.log(density(x)), -14, 14, limit=200, epsabs=1e-6)[0]
    synthetic = found["entropy_synthetic_value"]
    expected = np.log(2) + 0.5 * marginal + 0.5 * half
    known = marginal - half - 0.5 * log_variance
    # Four anchor sets of six points know little: the correction leaves a fifth of the information.
    assert abs(synthetic.mean() - expected) < 0.5 * 0.2 * known + 4 * synthetic.std() / np.sqrt(repeats)


def test_a_rounds_terms_do_not_depend_on_the_batch(world):
    together = estimated(world)
    for part in (slice(0, 1), slice(2, 5)):
        for name, array in estimated(world, part).items():
            np.testing.assert_array_equal(array, together[name][part], err_msg=name)


def test_another_fit_to_the_anchors_changes_no_other_term(world):
    alone = estimated(world)
    both = estimated(world, anchors_text=world[1]["synthetic"])
    assert set(both) - set(alone) == {
        f"{t}_text_{part}" for t in ("anchor_given_own", "alpha", "bound") for part in ("value", "error")
    }
    for name, array in alone.items():
        np.testing.assert_array_equal(both[name], array, err_msg=name)
    # The same student under two names has the same cross-entropy.
    np.testing.assert_allclose(both["alpha_text_value"], 1)


def test_the_blocks_of_points_do_not_matter(world, monkeypatch):
    whole = estimated(world)
    monkeypatch.setattr("ggmi.mixtures.terms.BLOCK_ELEMENTS", 1)
    for name, array in estimated(world).items():
        np.testing.assert_allclose(array, whole[name], rtol=1e-8, atol=1e-12, err_msg=name)


def test_terms_need_as_many_generators_as_rounds(world):
    worlds, fits, streams = world
    with pytest.raises(ValueError):
        round_terms(worlds.truth, worlds.generator, fits, CONDITION.K, N, streams()[:4], points=2, anchor_sets=2)
