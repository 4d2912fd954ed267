"""Monte Carlo tree search over steps with PUCT, a verifier's score as the value of a leaf.

As in the code base that the paper most likely used: a node draws k steps, drops repeats, and takes as prior
the normalised exponential of their mean log-probability a token. What is not known of it is ours: the answer
is the complete one of the highest score, and a search that met none goes on from the most visited node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggmi.search.policy import NO_ANSWER, Bools, Cost, Floats, Found, Ints, Policy, Verifier, best, repeats
from ggmi.search.responses import sample_responses


@dataclass
class _Tree:
    """Trees of all rows; an entry is a place in a row's tree, entry 0 its root, and -1 stands for none."""

    node: Ints
    first: Ints
    children: Ints
    depth: Ints
    visits: Ints
    total: Floats
    value: Floats
    prior: Floats
    complete: Bools
    closed: Bools
    used: Ints

    @classmethod
    def of(cls, roots: Ints, ended: Bools, entries: int) -> _Tree:
        shape = (len(roots), entries)

        def ints(fill: int = 0) -> Ints:
            return np.full(shape, fill)

        tree = cls(
            ints(-1),
            ints(-1),
            ints(),
            ints(),
            ints(),
            np.zeros(shape),
            np.full(shape, np.nan),
            np.zeros(shape),
            np.zeros(shape, dtype=bool),
            np.zeros(shape, dtype=bool),
            np.ones(len(roots), dtype=np.int64),
        )
        tree.node[:, 0], tree.complete[:, 0], tree.closed[:, 0] = roots, ended, ended
        return tree

    def grow(self, entries: int) -> None:
        """Make room for so many entries a row."""
        have = self.node.shape[1]
        if entries <= have:
            return
        more = max(entries, 2 * have) - have
        fills: dict[str, float] = {"node": -1, "first": -1, "value": np.nan}
        for name, array in vars(self).items():
            if array.ndim == 2:
                setattr(self, name, np.pad(array, ((0, 0), (0, more)), constant_values=fills.get(name, 0)))


def tree_search(
    policy: Policy,
    verifier: Verifier,
    roots: Ints,
    width: int,
    generator: np.random.Generator,
    *,
    simulations: int,
    exploration: float = 1.0,
    limit: int,
) -> Found:
    """Search a tree of steps.

    A simulation walks down from the root, at each node to the child of the largest
    ``Q + c · prior · √(visits of the node) / (1 + visits of the child)``, to a leaf; it scores the leaf,
    draws the leaf's children, and adds the score to all that it passed. Q is the mean of a child's scores,
    and 0 where it has none. A leaf without a score (NaN) adds the mean of its root instead.

    Parameters
    ----------
    policy, verifier
        Who writes and who scores.
    roots
        The questions, shape (rows,).
    width
        k, steps drawn at a node.
    generator
        Decides between equals.
    simulations
        Leaves visited.
    exploration
        c of PUCT.
    limit
        Most steps of an answer.
    """
    rows = np.arange(len(roots))
    tree = _Tree.of(roots, policy.ended(roots), 1 + 2 * width)
    cost = Cost(*(np.zeros(len(roots), dtype=np.int64) for _ in range(4)))
    _expand(tree, policy, rows, np.zeros_like(rows), width, limit, cost)
    for _ in range(simulations):
        path = _walk(tree, exploration)
        leaves = path[-1]
        _visit(tree, verifier, leaves, cost)
        _back_up(tree, path)
        fresh = np.flatnonzero((tree.first[rows, leaves] < 0) & ~tree.closed[rows, leaves])
        _expand(tree, policy, fresh, leaves[fresh], width, limit, cost)
    return _chosen(tree, policy, generator, limit, cost)


def _expand(tree: _Tree, policy: Policy, rows: Ints, entries: Ints, width: int, limit: int, cost: Cost) -> None:
    """Draw the children of some rows' entries."""
    going = ~tree.closed[rows, entries]
    rows, entries = rows[going], entries[going]
    if not len(rows):
        return
    steps = policy.extend(np.repeat(tree.node[rows, entries], width))
    shape = (len(rows), width)
    nodes, ended = steps.nodes.reshape(shape), policy.ended(steps.nodes).reshape(shape)
    cost.calls[rows] += width
    cost.tokens[rows] += steps.tokens.reshape(shape).sum(axis=1)
    new = ~repeats(nodes)
    # Without log-probabilities all children have the same prior.
    prior = np.where(new, np.exp(np.nan_to_num(steps.log_probs.reshape(shape), nan=0.0)), 0.0)
    prior /= prior.sum(axis=1, keepdims=True)
    first = tree.used[rows]
    tree.grow(int((first + new.sum(axis=1)).max()))
    place = first[:, None] + new.cumsum(axis=1) - 1
    row, column = np.nonzero(new)
    at = rows[row], place[row, column]
    depth = tree.depth[rows, entries] + 1
    tree.node[at], tree.prior[at] = nodes[row, column], prior[row, column]
    tree.depth[at] = depth[row]
    tree.complete[at] = ended[row, column]
    tree.closed[at] = tree.complete[at] | (depth[row] >= limit)
    tree.first[rows, entries], tree.children[rows, entries] = first, new.sum(axis=1)
    tree.used[rows] += new.sum(axis=1)


def _walk(tree: _Tree, exploration: float) -> list[Ints]:
    """From each row's root to a leaf; a row that has arrived stays where it is."""
    rows = np.arange(len(tree.node))
    path = [np.zeros_like(rows)]
    while True:
        here = path[-1]
        going = np.flatnonzero(tree.first[rows, here] >= 0)
        if not len(going):
            return path
        parent = going, here[going]
        count = tree.children[parent]
        child = tree.first[parent][:, None] + np.arange(count.max())[None]
        there = np.arange(count.max())[None] < count[:, None]
        child = np.where(there, child, 0)
        row = going[:, None]
        visits = tree.visits[row, child]
        mean = tree.total[row, child] / np.maximum(visits, 1)
        reach = exploration * tree.prior[row, child] * np.sqrt(np.maximum(tree.visits[parent], 1))[:, None]
        worth = np.where(there, mean + reach / (1 + visits), -np.inf)
        new = here.copy()
        new[going] = np.take_along_axis(child, worth.argmax(axis=1)[:, None], axis=1)[:, 0]
        path.append(new)


def _visit(tree: _Tree, verifier: Verifier, leaves: Ints, cost: Cost) -> None:
    """Score leaves that were not scored yet, and count complete answers met for the first time."""
    rows = np.arange(len(leaves))
    fresh = np.flatnonzero(tree.visits[rows, leaves] == 0)
    if not len(fresh):
        return
    at = fresh, leaves[fresh]
    tree.value[at] = verifier.score(tree.node[at][:, None])[:, 0]
    cost.scores[fresh] += 1
    cost.responses[fresh] += tree.complete[at]


def _back_up(tree: _Tree, path: list[Ints]) -> None:
    """Add the leaves' values to all entries of their paths."""
    rows = np.arange(len(path[0]))
    value = tree.value[rows, path[-1]]
    value = np.where(np.isnan(value), tree.total[:, 0] / np.maximum(tree.visits[:, 0], 1), value)
    before = np.full_like(rows, -1)
    for entries in path:
        passed = np.flatnonzero(entries != before)  # a row that has arrived is counted once
        tree.visits[passed, entries[passed]] += 1
        tree.total[passed, entries[passed]] += value[passed]
        before = entries


def _chosen(tree: _Tree, policy: Policy, generator: np.random.Generator, limit: int, cost: Cost) -> Found:
    """The complete answer of the highest score; a row without one goes on from its most visited deepest entry."""
    rows = np.arange(len(tree.node))
    complete = tree.complete & (tree.visits > 0)
    entry = best(np.where(complete, tree.value, -np.inf), generator)
    nodes = tree.node[rows, entry]
    answers = policy.answers(nodes)
    lost = np.flatnonzero(~complete.any(axis=1))
    if len(lost):
        nodes[lost], answers[lost] = _finished(tree, policy, lost, limit, cost)
    return Found(nodes, answers, cost)


def _finished(tree: _Tree, policy: Policy, rows: Ints, limit: int, cost: Cost) -> tuple[Ints, Ints]:
    """Follow the most visits down, and sample the rest of the answer."""
    entries = np.zeros_like(rows)
    while True:
        first = tree.first[rows, entries]
        going = np.flatnonzero(first >= 0)
        if not len(going):
            break
        child = first[going, None] + np.arange(tree.children[rows[going], entries[going]].max())[None]
        inside = np.arange(child.shape[1])[None] < tree.children[rows[going], entries[going]][:, None]
        visits = np.where(inside, tree.visits[rows[going][:, None], np.where(inside, child, 0)], -1)
        entries[going] = first[going] + visits.argmax(axis=1)
    rest = sample_responses(policy, tree.node[rows, entries], 1, limit=limit)
    nodes = rest.nodes[:, 0]
    cost.calls[rows] += rest.steps[:, 0]
    cost.tokens[rows] += rest.tokens[:, 0]
    cost.responses[rows] += rest.answers[:, 0] != NO_ANSWER
    # A text at the depth limit is not asked further, whatever the rest would have been.
    cut = tree.depth[rows, entries] + rest.steps[:, 0] > limit
    return nodes, np.where(cut, NO_ANSWER, rest.answers[:, 0])
