"""Statements about frameworks: best-of-N against tree search, the orders of N, costs, independence.

Gan, Liao & Liu, arXiv 2501.15602, section 4, as reported by others. b, the branching, is the width k
here. Monte Carlo tree search stands between two searches that can be written down: step-wise search,
which selects at every layer, and the full tree of ``b^L`` paths, of which one is selected once.
"""

from __future__ import annotations

from ggmi.exact.statement import Condition, Correction, Statement
from ggmi.exact.trees import number
from ggmi.slow_thinking.chains import STEPS
from ggmi.slow_thinking.regimes import ONE_HARD
from ggmi.slow_thinking.searching import SHOWN
from ggmi.slow_thinking.terms import EPSILON, STEPWISE, WIDTH, found

TREE_BELOW = (
    r"For each problem, by induction from the leaves: a node's share $u$ of $n$ independent leaves' chances, "
    r"$u \le 1 - (1 - x)^n$, gives its parent $1 - (1 - p u)^k \le 1 - (1 - p x)^{nk}$, because "
    r"$(1 - p x)^n \le 1 - p + p (1 - x)^n$: the power is convex. So the leaves of a tree, which share their "
    r"beginnings, find no more than as many independent answers."
)
MATCHES_STEPWISE = r"\varepsilon [1 - (1 - \prod_l p_l)^N] \ge \varepsilon^L \prod_l [1 - (1 - p_l)^b]"
MATCHES_TREE = (
    r"\mathrm{Pr}(\text{some of } N \text{ answers right}) \ge \mathrm{Pr}(\text{some path of the tree right})"
)
ORDER_BEST = Statement(
    "order at best",
    "section 4",
    MATCHES_STEPWISE + r", \quad N = b",
    ">=",
    EPSILON * found("N = k"),
    STEPWISE,
    reading="as reported",
    terms=SHOWN,
    needs=(ONE_HARD,),
    note=(r"A best case: there are problems for which $N = b$ answers match step-wise search: one step is uncertain."),
    proofs={"any": r"With one uncertain step an answer is a candidate, and $\varepsilon \ge \varepsilon^L$."},
)
ORDER_WORST = Statement(
    "order at worst, step-wise",
    "section 4",
    MATCHES_STEPWISE + r", \quad N = b^{L/2}",
    ">=",
    EPSILON * found("N = k^(L/2)"),
    STEPWISE,
    reading="as reported",
    terms=SHOWN,
    note=(
        r"For step-wise search as MCTS; the order read as $N = b^{L/2}$, rounded up. No constant saves it: for "
        r"$p_l \to 0$ the $N$ that matches tends to $\varepsilon^{L-1} b^L$. The reported order follows if best-of-N "
        r"is given a selection at every layer, which it does not have."
    ),
    condition=Condition(
        r"\varepsilon^{L-1} \mathrm{Pr}(\text{generate}) \le \mathrm{Pr}(\text{one of } b^{L/2} \text{ answers right})",
        STEPWISE - EPSILON * found("N = k^(L/2)"),
        r"Divide by $\varepsilon$.",
        simple="the verifier is bad enough, since best-of-N must trust it only once",
    ),
    correction=Correction(
        MATCHES_STEPWISE + r", \quad N = b^L",
        EPSILON * found("N = k^L"),
        STEPWISE,
        TREE_BELOW + r" Step-wise search goes one way down a tree, and $\varepsilon \ge \varepsilon^L$.",
    ),
)
ORDER_WORST_TREE = Statement(
    "order at worst, full tree",
    "section 4",
    MATCHES_TREE + r", \quad N = b^{L/2}",
    ">=",
    EPSILON * found("N = k^(L/2)"),
    EPSILON * found("tree"),
    reading="as reported",
    terms=SHOWN,
    note=r"For the full tree of $b^L$ paths as MCTS, one selection at the end on both sides.",
    condition=Condition(
        r"\mathrm{Pr}(\text{some of } b^{L/2} \text{ answers right}) \ge \mathrm{Pr}(\text{some path right})",
        EPSILON * (found("tree") - found("N = k^(L/2)")),
        "Nothing simpler.",
        simple="the policy is right or wrong for certain",
    ),
    correction=Correction(
        MATCHES_TREE + r", \quad N = b^L",
        EPSILON * found("N = k^L"),
        EPSILON * found("tree"),
        TREE_BELOW,
    ),
)
COST_BEST = Statement(
    "cost at best",
    "section 4",
    r"N L = b L, \quad N = b",
    "=",
    WIDTH * number(STEPS),
    number(STEPS) * WIDTH,
    kind="identity",
    reading="as reported",
    note=r"$N = b$ answers of $L$ steps, and $b$ candidates in each of $L$ layers.",
    proofs={"any": "Counting."},
)
COST_WORST = Statement(
    "cost at worst",
    "section 4",
    MATCHES_TREE + r", \quad N L = b + b^2 + \dots + b^L",
    ">=",
    EPSILON * found("N of the tree's calls"),
    EPSILON * found("tree"),
    reading="as reported",
    terms=SHOWN,
    note=(
        r"Reported are $O(L b^{L/2})$ steps for best-of-N, $O(b^L)$ for MCTS. If best-of-N were cheaper, it would "
        r"find no less for as many steps. For $p_l \to 0$ it needs $N \to b^L$ answers, $L b^L$ steps, against less "
        r"than $2 b^L$ of the tree, whose paths share beginnings: the comparison reverses, and more so as $L$ grows."
    ),
    condition=Condition(
        r"\mathrm{Pr}(\text{some of } N \text{ answers right}) \ge \mathrm{Pr}(\text{some path right})",
        EPSILON * (found("tree") - found("N of the tree's calls")),
        "Nothing simpler.",
        simple="the policy is right or wrong for certain",
    ),
    correction=Correction(
        MATCHES_TREE + r", \quad N = b^L",
        EPSILON * found("N = k^L"),
        EPSILON * found("tree"),
        TREE_BELOW,
    ),
)
FRAMEWORK = Statement(
    "framework independence",
    "section 4",
    r"\varepsilon [1 - (1 - \prod_l p_l)^k] = \varepsilon^L \prod_l [1 - (1 - p_l)^k]",
    "=",
    EPSILON * found("N = k"),
    STEPWISE,
    reading="as reported",
    terms=SHOWN,
    note=(
        "That width, policy and verifier matter and the framework does not, read as equal accuracy of best-of-N and "
        "step-wise search for equal samples and one verifier."
    ),
    condition=Condition(
        r"\varepsilon^{L-1} = \frac{1 - (1 - \prod_l p_l)^k}{\prod_l [1 - (1 - p_l)^k]} \text{ or } \varepsilon = 0",
        None,
        r"Divide by $\varepsilon$; as written where problems are alike. The quotient lies in $[0, 1]$, so there is one "
        r"crossover: above it step-wise search is better, below it best-of-N.",
        simple=r"$k = 1$ and $\varepsilon = 1$",
    ),
)

STATEMENTS = (ORDER_BEST, ORDER_WORST, ORDER_WORST_TREE, COST_BEST, COST_WORST, FRAMEWORK)
