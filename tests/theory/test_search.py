from collections import Counter
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from autograd import grad

from ggmi.exact.simplify import WORST
from ggmi.theory import terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.enumeration import count_violations, enumerate_worlds, worst_losses
from ggmi.theory.regimes import FUNCTION_OF_PROMPT, NOISE, REGIMES, regimes_of
from ggmi.theory.search import LAYERS, Plan, _Ascent, search, unproven_regimes
from ggmi.theory.simplify import joint_states, simplify

EFFORT = {"restarts": 3, "steps": 40}


@pytest.mark.parametrize(
    ("key", "plan"),
    [
        *((key, Plan()) for key in ("(5)", "(10)", "(1)", "(23).2")),
        ("(6)", Plan(contraction=LAYERS)),
        ("(8)", Plan(signed=True)),
    ],
)
def test_slopes_are_those_of_finite_differences(key, plan):
    statement = replace(STATEMENTS[key], proofs={})
    ascent = _Ascent(statement, 3, 1, plan)
    ascent._record()
    slopes = grad(ascent._total)(ascent.logits)
    rng = np.random.default_rng(1)
    compared = 0
    for name, logits in ascent.logits.items():
        for flat in rng.choice(logits.size, min(logits.size, 12), replace=False):
            at = np.unravel_index(flat, logits.shape)
            values = []
            for sign in (1, -1):
                moved = {n: x.copy() for n, x in ascent.logits.items()}
                moved[name][at] += sign * 1e-6
                values.append(terms.evaluate(statement.excess, ascent.world(moved))[at[0]])
            measured = (values[0] - values[1]) / 2e-6
            assert slopes[name][at] == pytest.approx(measured, abs=2e-6, rel=1e-4), name
            compared += abs(measured) > 1e-5
    assert compared > 3


@pytest.mark.parametrize(
    ("key", "regimes", "states"),
    [
        ("(10)", ["declared", "without_4.1", "chains_only", "structure"], 2),
        ("(5)", ["without_4.1", "structure"], 3),
        ("(31)", ["chains_only", "structure"], 2),
        ("(18)", ["declared", "without_4.1", "chains_only", "structure"], 2),
    ],
)
def test_known_failures_are_found_and_stay_in_their_regime(key, regimes, states):
    statement = STATEMENTS[key]
    assert unproven_regimes(statement) == regimes
    found = search(statement, 1, **EFFORT)
    assert list(found) == regimes
    for regime, result in found.items():
        assert result.worlds > 0
        assert result.reached, regime
        for reached in result.reached:
            assert regimes_of(reached.world)[regime][0]
            assert -statement.slack(reached.world)[0] == pytest.approx(reached.violation)
            assert reached.violation > 1e-6
            assert joint_states(reached.world) >= states
        assert result.evaluated >= max(r.violation for r in result.reached) * 0.5
    assert min(joint_states(r.world) for result in found.values() for r in result.reached) == states


@pytest.mark.parametrize(
    "key", ["(20)", "(23).3", "(25).6 charitable", "(26)", "(13)", "(12) charitable", "(14).4 charitable"]
)
def test_nothing_is_found_against_what_is_proven(key):
    """The proof is taken away, so that the search does look, in every regime."""
    statement = replace(STATEMENTS[key], proofs={})
    found = search(statement, 2, restarts=2, steps=25)
    assert set(found) == set(REGIMES)
    for result in found.values():
        assert result.worlds > 100
        assert not result.reached
        assert result.evaluated == 0


def test_the_same_seed_finds_the_same():
    one, two = (search(STATEMENTS["(31)"], 4, restarts=2, steps=10) for _ in range(2))
    other = search(STATEMENTS["(31)"], 5, restarts=2, steps=10)
    assert [f.evaluated for f in one.values()] == [f.evaluated for f in two.values()]
    assert [f.evaluated for f in one.values()] != [f.evaluated for f in other.values()]
    for a, b in zip(one.values(), two.values(), strict=True):
        for x, y in zip(a.reached, b.reached, strict=True):
            for name, table in x.world.tables().items():
                np.testing.assert_array_equal(table, y.world.tables()[name])


def test_simplifying_keeps_what_it_says(drawn, family_named):
    statement, regime = STATEMENTS["(10)"], REGIMES["without_4.1"]
    batch = drawn(family_named("without_4.1: noise"))
    hits = np.flatnonzero(statement.applies(batch) & (statement.slack(batch) < -0.05))[:8]
    smaller = 0
    for i in hits:
        world = batch[np.array([i])]
        before = -statement.slack(world)[0]
        for keep in (0.25, WORST):
            simple = simplify(statement, world, regime, keep=keep)
            assert regime.admits(simple)[0]
            assert -statement.slack(simple)[0] > 1e-6
            scaled = np.concatenate([table.ravel() for table in simple.tables().values()]) * 120
            np.testing.assert_allclose(scaled, np.round(scaled), atol=1e-9)
            if keep == 0.25:
                assert -statement.slack(simple)[0] >= 0.25 * before * 0.25
                smaller += joint_states(simple) < joint_states(world)
    assert smaller == len(hits) == 8


def _small_worlds(most):
    """All joint laws of worlds of the enumeration, of any curation, another way: odometers over full tables.

    Every table row is certain or fair; a law is kept as the set of its canonical states, and the symbols
    of S_anchor, S_gen, W and W' are numbered as they appear.
    """
    laws = set()
    symbols = range(most)
    pairs = [(x, x) for x in symbols] + [(x, y) for x in symbols for y in symbols if x < y]
    bits = [(0, 0), (1, 1), (0, 1)]

    def law_of(row):
        return {row[0]: 1.0} if row[0] == row[1] else dict.fromkeys(row, 0.5)

    for anchor in ((0, 0), (0, 1)):
        anchors = sorted(law_of(anchor))
        for prompt in product(bits, repeat=len(anchors)):
            for model in product(bits, repeat=2 * len(anchors)):
                paths = Counter()
                for i, s in enumerate(anchors):
                    for e, pe in law_of(prompt[i]).items():
                        for m, pm in law_of(model[2 * i + e]).items():
                            paths[s, e, m] += law_of(anchor)[s] * pe * pm
                if len(paths) > most:
                    continue
                parents = sorted({(s, e + m) for s, e, m in paths})
                for curation in product(pairs, repeat=len(parents)):
                    curated = Counter()
                    for (s, e, m), p in paths.items():
                        for y, py in law_of(curation[parents.index((s, e + m))]).items():
                            curated[s, e, m, y] += p * py
                    if len(curated) > most:
                        continue
                    data = sorted({x[3] for x in curated})
                    for learner in product(pairs, repeat=len(data)):
                        learnt = Counter()
                        for x, p in curated.items():
                            for w, pw in law_of(learner[data.index(x[3])]).items():
                                learnt[(*x, w)] += p * pw
                        if len(learnt) > most:
                            continue
                        for anchor_learner in product(pairs, repeat=len(anchors)):
                            whole = Counter()
                            for x, p in learnt.items():
                                for v, pv in law_of(anchor_learner[anchors.index(x[0])]).items():
                                    whole[(*x, v)] += p * pv
                            if len(whole) <= most:
                                laws.add(_canonical(whole))
    return laws


def _canonical(law):
    """The least of all ways to number S_gen, W and W' by appearance, with the states of one law in any order."""
    states = []
    for order in permutations(sorted(law)):
        names = [{}, {}, {}]
        renamed = [
            (
                *x[:3],
                *(table.setdefault(c, len(table)) for table, c in zip(names, x[3:], strict=True)),
                round(law[x], 9),
            )
            for x in order
        ]
        states.append(tuple(sorted(renamed)))
    return min(states)


@pytest.mark.parametrize("most", [1, 2])
def test_the_enumeration_has_every_small_world_and_no_other(most):
    found = set()
    for states, world in enumerate_worlds(added=False, most=most):
        joint = world.joint()
        assert (np.count_nonzero(joint.reshape(len(world), -1), axis=1) == states).all()
        for law in joint:
            found.add(_canonical({tuple(int(i) for i in x): float(law[tuple(x)]) for x in np.argwhere(law)}))
    assert found == _small_worlds(most)


def test_added_noise_is_added_and_prompt_factors_are_functions():
    count = Counter()
    for states, world in enumerate_worlds(added=True, most=2):
        assert FUNCTION_OF_PROMPT.holds(world).all()
        assert NOISE.holds(world).all()
        count[states] += len(world)
    # Of one state: e_p and e_M are certain, and so is a noise of three values.
    assert count[1] == 2 * 2 * 3
    assert count[2] > count[1]


def test_worst_losses_are_the_worst_of_all_zeros_and_ones():
    keys = ("(6)", "(6) charitable", "(4)", "(8)")
    batches = [world for states, world in enumerate_worlds(added=False, most=3) if states == 3]
    picked = np.random.default_rng(3).choice(len(batches[0]), 25, replace=False)
    for i in picked:
        world = batches[0][np.array([i])]
        with_losses = list(worst_losses(world))
        z = max(world.sizes[n] for n in ("S_anchor", "M", "S_gen"))
        w, v = world.sizes["W"], world.sizes["W'"]
        assert z * w <= 12
        for key in keys:
            left = STATEMENTS[key].left
            size = v if key == "(8)" else w
            rows = np.array(list(product((0.0, 1.0), repeat=z * size))).reshape(-1, size, z)
            copies = world[np.zeros(len(rows), dtype=np.int64)]
            other = np.zeros((len(rows), w if key == "(8)" else v, z))
            losses = (other, rows) if key == "(8)" else (rows, other)
            brute = terms.evaluate(left, copies.with_losses(*losses, world.sigma)).max()
            claimed = max(terms.evaluate(left, x)[0] for x in with_losses if x.loss.min() >= 0)
            assert claimed == pytest.approx(brute, abs=1e-12), key


def test_the_fewest_states_are_what_the_search_comes_to():
    """Of all small worlds none of fewer states fails, and where a proof is nothing does."""
    made = {"(10)": 2, "(17)": 2, "(31)": 2, "(18)": 2, "(5)": 3, "(25).1": 3}
    rows = count_violations([STATEMENTS[key] for key in made], most=3)
    least = {}
    for row in rows:
        if row["violated"]:
            place = (row["statement"], row["regime"])
            least[place] = min(least.get(place, 9), row["states"])
            assert row["violated"] <= row["worlds"]
    for key, states in made.items():
        for regime in REGIMES:
            if regime in unproven_regimes(STATEMENTS[key]):
                assert least[key, regime] == states
            else:
                assert (key, regime) not in least
