from itertools import product

import numpy as np
import pytest

from ggmi.pilot.curves import SHIFTS, MeasuredCurve, Noise, draw_curves

SIZES = np.array([100, 200, 400, 800])
TWICE = np.full(4, 2)


def drawn_of(sizes, losses, counts, noise, at, draws, generator):
    """Of one curve alone."""
    (found,) = draw_curves([MeasuredCurve(sizes, losses, counts, at)], noise, draws, generator)
    return found


def law(n, floor, scale, exponent):
    return floor + scale * np.asarray(n, dtype=float) ** -exponent


def test_noise_is_the_pooled_variance_within_cells():
    generator = np.random.default_rng(0)
    cells = [generator.normal(mean, 0.3, 5) for mean in range(4000)]
    noise = Noise.pooled(cells)
    assert noise.variance == pytest.approx(0.09, rel=0.05)
    assert noise.freedom == 16_000
    assert Noise.pooled([[1.0], [2.0, 2.0]]).variance > 0
    with pytest.raises(ValueError, match="no cell"):
        Noise.pooled([[1.0], [2.0]])


def test_the_posterior_is_that_of_brute_force():
    """Level and noise on a fine grid, too, instead of in closed form."""
    losses = law(SIZES, 2.0, 30.0, 0.5) + np.random.default_rng(1).normal(0, 0.035, 4)
    noise = Noise(0.05**2, 6)
    drawn = drawn_of(SIZES, losses, TWICE, noise, [6400], 200_000, np.random.default_rng(2))[:, 0]

    levels = np.linspace(2.8, 3.4, 121)
    sigmas = np.geomspace(0.02, 0.3, 40)[:, None]
    mass, values = [], []
    for r in (np.arange(100) + 0.5) / 100:
        for b, d in product(np.geomspace(0.05, 1.0, 30), 800 * SHIFTS):
            shape = 1 - r + r * ((SIZES + d) / (800 + d)) ** -b
            errors = (2 * (losses[:, None] - levels * shape[:, None]) ** 2).sum(0)
            # four cells, and the scaled inverse chi-squared law of the noise; d log sigma
            logs = -(4 + noise.freedom) * np.log(sigmas)
            logs = logs - (errors + noise.freedom * noise.variance) / (2 * sigmas**2)
            mass.append(np.exp(logs).sum(0))
            values.append(levels * (1 - r + r * ((6400 + d) / (800 + d)) ** -b))
    weights, places = np.concatenate(mass), np.concatenate(values)
    order = np.argsort(places)
    below = np.cumsum(weights[order]) / weights.sum()
    for share in (0.025, 0.5, 0.975):
        exact = places[order][np.searchsorted(below, share)]
        assert np.quantile(drawn, share) == pytest.approx(exact, abs=0.02)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    generator = np.random.default_rng(3)
    hits, errors = 0, []
    rounds = 600
    for _ in range(rounds):
        # laws drawn as the prior says, at the largest size seen
        share, exponent, level = generator.uniform(), np.exp(generator.uniform(*np.log([0.05, 1.0]))), 3.0
        shift = 800 * generator.choice(SHIFTS)

        def curve(n, share=share, exponent=exponent, level=level, shift=shift):
            return level * (1 - share + share * ((n + shift) / (800 + shift)) ** -exponent)

        cells = [curve(n) + generator.normal(0, 0.02, 2) for n in (100, 200, 400, 800)]
        drawn = drawn_of(SIZES, np.mean(cells, 1), TWICE, Noise.pooled(cells), [6400], 2000, generator)[:, 0]
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= curve(6400) <= high
        errors.append(drawn.mean() - curve(6400))
    # three standard errors of a binomial share
    assert abs(hits / rounds - 0.95) < 3 * np.sqrt(0.95 * 0.05 / rounds)
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(rounds)


def test_what_no_curve_fits_widens_the_interval():
    noise = Noise(1e-6, 4)
    smooth = law(SIZES, 2.0, 30.0, 0.5)
    bumpy = smooth + 0.1 * np.where(SIZES == 400, 1, -1)
    spans = [
        np.ptp(np.quantile(drawn_of(SIZES, y, TWICE, noise, [1600], 4000, np.random.default_rng(0)), [0.025, 0.975]))
        for y in (smooth, bumpy)
    ]
    assert spans[1] > 5 * spans[0]


def test_curves_of_one_pilot_begin_to_fall_together():
    """What one curve shows of the shape narrows the other, of which little was seen."""
    generator = np.random.default_rng(5)
    noise = Noise(1e-6, 10)
    steep, flat = (lambda n, a=a: 2 + a * (n + 800.0) ** -0.5 for a in (100.0, 60.0))
    known = np.array([100, 400, 1600, 12_800])
    long = MeasuredCurve(known, steep(known), TWICE, [12_800])
    short = MeasuredCurve(SIZES[:3], flat(SIZES[:3]), TWICE[:3], [6400])
    alone, beside = (
        draw_curves([short], noise, 4000, generator)[0],
        draw_curves([long, short], noise, 4000, generator)[1],
    )
    assert np.std(beside) < 0.5 * np.std(alone)
    assert np.quantile(beside, 0.025) < flat(6400) < np.quantile(beside, 0.975)


def test_one_size_alone_says_little_of_others():
    drawn = drawn_of([100], [3.0], [2], Noise(1e-4, 1), [100, 10_000], 4000, np.random.default_rng(0))
    assert np.quantile(drawn[:, 0], [0.025, 0.975]) == pytest.approx(3.0, abs=0.1)
    assert np.ptp(np.quantile(drawn[:, 1], [0.025, 0.975])) > 1.5


@pytest.mark.parametrize("losses", [[5.0, 3.0, 1.0, 0.1], [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0]])
def test_losses_that_no_curve_of_the_form_has_still_give_one(losses):
    drawn = drawn_of(SIZES, losses, TWICE, Noise(1e-4, 4), [800, 6400], 4000, np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    assert (drawn[:, 1] <= drawn[:, 0] + 1e-9).all()
