"""Statements about search: Proposition 4.3, the chain bound, Theorem 4.6, exact accuracies.

Gan, Liao & Liu, arXiv 2501.15602, section 4, as reported by others: the paper's own text could not be
had. Step-wise search draws k candidates a layer and selects one at every layer, each selection right
with probability epsilon if a right candidate is there; best-of-N draws N whole answers and selects
once.
"""

from __future__ import annotations

from ggmi.exact.statement import Condition, Correction, Statement
from ggmi.exact.trees import maximum, number
from ggmi.slow_thinking.chains import STEPS
from ggmi.slow_thinking.regimes import ABOVE, GAINS
from ggmi.slow_thinking.terms import (
    ALL_RIGHT,
    EPSILON,
    ONE,
    STEPWISE,
    WIDTH,
    found,
    log,
    power,
    product,
    right,
    rule,
)

EPSILON_L = power(EPSILON, STEPS)
WIDTH_L = power(WIDTH, STEPS)
MARGINAL = product(*(right(i + 1) for i in range(STEPS)))
LOG_BOUND = number(STEPS) * log("lambda")
TRIANGLE = number(STEPS * (STEPS + 1) // 2)
SHOWN = {
    r"\varepsilon": EPSILON,
    r"k": WIDTH,
    r"\mathrm{Pr}(r_1 \text{ right})": right(1),
    r"\mathrm{Pr}(r_2 \text{ right})": right(2),
    r"\mathrm{Pr}(r_3 \text{ right})": right(3),
    r"\mathrm{Pr}(\text{all right})": ALL_RIGHT,
}
PREFIX = r"p_l = \mathrm{Pr}(r_l \text{ right} \mid r_1 \dots r_{l-1} \text{ right})"
BERNOULLI = r"Bernoulli: $1 - (1 - p)^k \le k p$."
JENSEN = r"$1 - (1 - x)^N$ is concave, so its mean over problems is at most its value at the mean."
ASSUMED = Statement(
    "Proposition 4.3",
    "Proposition 4.3",
    r"\mathrm{Pr}(r_l \text{ is } \tau\text{-correct}) = \min(\lambda_\tau e^{-l}, 1)",
    "=",
    right(1),
    right(1),
    kind="assumption",
    reading="as reported",
    note=r"An assumption on the policy. It depends on how a text is cut into steps.",
)
CHAIN = Statement(
    "chain bound",
    "section 4",
    r"\mathrm{Pr}(\text{all steps right}) \le \prod_l p_l",
    "<=",
    ALL_RIGHT,
    MARGINAL,
    reading="as reported",
    terms=SHOWN,
    note=(
        r"Proposition 4.3 makes the right side $\prod_l \lambda_\tau e^{-l}$. Here $p_l$ is the probability that step "
        r"$l$ is right, whatever the steps before it are."
    ),
    proofs={"independent": "The probability of independent events, with equality."},
    condition=Condition(
        r"\mathrm{Pr}(\text{all steps right}) \le \prod_l \mathrm{Pr}(r_l \text{ right})",
        ALL_RIGHT - MARGINAL,
        "Nothing simpler: marginals do not tell how steps depend on each other.",
        simple="steps are independent",
    ),
    correction=Correction(
        r"\mathrm{Pr}(\text{all steps right}) \le \min_l p_l",
        maximum(ALL_RIGHT - right(1), maximum(ALL_RIGHT - right(2), ALL_RIGHT - right(3))),
        number(0),
        "All steps are right only if each is; steps that are right together reach it.",
    ),
)
CHAIN_CHARITABLE = Statement(
    "chain bound charitable",
    "section 4",
    r"\mathrm{Pr}(\text{all steps right}) = \prod_l p_l, \quad " + PREFIX,
    "=",
    ALL_RIGHT,
    rule("chain"),
    reading="charitable",
    terms=SHOWN,
    note=r"With $p_l$ given that the steps before are right it is an identity.",
    proofs={"any": "The chain rule of probability."},
)
CHAIN_AT_MOST_ONE = Statement(
    "chain bound: at most 1",
    "ours",
    r"L \log \lambda_\tau \le \frac{L(L+1)}{2}",
    "<=",
    LOG_BOUND,
    TRIANGLE,
    reading="ours",
    terms={r"\log \lambda": log("lambda")},
    note=(
        r"The logarithm of $\lambda_\tau^L e^{-L(L+1)/2} \le 1$. The reported bound drops the clip of Proposition 4.3 "
        r"and says nothing where it exceeds 1."
    ),
    condition=Condition(
        r"\log \lambda_\tau \le \frac{L+1}{2}",
        log("lambda") - number(STEPS + 1) * number("1/2"),
        r"Divide by $L$.",
    ),
    correction=Correction(
        r"\sum_l \min(\log \lambda_\tau - l, 0) \le 0",
        -(
            maximum(number(1) - log("lambda"), number(0))
            + maximum(number(2) - log("lambda"), number(0))
            + maximum(number(3) - log("lambda"), number(0))
        ),
        number(0),
        r"With the clip, $\prod_l \min(\lambda_\tau e^{-l}, 1)$, no factor exceeds 1.",
    ),
)
DECOMPOSITION = Statement(
    "decomposition",
    "section 4",
    r"\mathrm{Pr}(\tau\text{-correct}) = \mathrm{Pr}(\text{generate}) \cdot \mathrm{Pr}(\text{select})",
    "=",
    STEPWISE,
    EPSILON_L * found("stepwise"),
    kind="definition",
    reading="as reported",
    note=r"Defines $\mathrm{Pr}(\text{select})$, as the probability of a right choice given that a right one is there.",
)
THEOREM_4_6 = Statement(
    "Theorem 4.6",
    "Theorem 4.6",
    r"\mathrm{Pr}(\tau\text{-correct}) \le \varepsilon_b^L k^L \prod_l p_l",
    "<=",
    STEPWISE,
    product(EPSILON_L, WIDTH_L, MARGINAL),
    reading="as reported",
    terms={**SHOWN, r"\mathrm{Pr}(\tau\text{-correct})": STEPWISE},
    note=(
        r"Proposition 4.3 makes the right side $\varepsilon_b^L k^L \lambda_\tau^L e^{-L(L+1)/2}$. With $p_l$ the "
        r"probability that step $l$ is right, whatever the steps before it are."
    ),
    proofs={
        "independent": BERNOULLI + " Layers are independent, so the mean over problems of their product is the "
        "product of their means."
    },
    condition=Condition(
        r"\mathrm{Pr}(\text{generate}) \le k^L \prod_l \mathrm{Pr}(r_l \text{ right})",
        found("stepwise") - WIDTH_L * MARGINAL,
        r"Divide by $\varepsilon_b^L$; it says no less where $\varepsilon_b = 0$ makes both sides vanish.",
        exact=False,
        simple="steps are independent",
    ),
    correction=Correction(
        r"\mathrm{Pr}(\tau\text{-correct}) \le \varepsilon_b^L k^L\,\mathrm{Pr}(\text{all steps of one sample right})",
        STEPWISE,
        product(EPSILON_L, WIDTH_L, ALL_RIGHT),
        BERNOULLI + " For each problem, layer by layer; then the mean over problems.",
    ),
)
THEOREM_4_6_CHARITABLE = Statement(
    "Theorem 4.6 charitable",
    "Theorem 4.6",
    r"\mathrm{Pr}(\tau\text{-correct}) \le \varepsilon_b^L k^L \prod_l p_l, \quad " + PREFIX,
    "<=",
    STEPWISE,
    product(EPSILON_L, WIDTH_L, rule("chain")),
    reading="charitable",
    terms=SHOWN,
    note=r"With $p_l$ given a right prefix, and candidates that are drawn independently given the problem.",
    proofs={
        "any": BERNOULLI
        + r" For each problem, layer by layer; the mean over problems of $\prod_l p_l$ is the chain rule."
    },
)
BOUND_AT_MOST_ONE = Statement(
    "Theorem 4.6: at most 1",
    "ours",
    r"\varepsilon_b^L k^L \prod_l p_l \le 1",
    "<=",
    product(EPSILON_L, WIDTH_L, rule("chain")),
    ONE,
    reading="ours",
    terms=SHOWN,
    note=r"Above 1 the bound says nothing, and that it rises with $k$ says nothing about the accuracy.",
    condition=Condition(
        r"\prod_l p_l \le (\varepsilon_b k)^{-L}",
        product(EPSILON_L, WIDTH_L, rule("chain")) - ONE,
        "The same, rearranged.",
    ),
    correction=Correction(
        r"\varepsilon_b^L \prod_l [1 - (1 - p_l)^k] \le 1",
        EPSILON_L * rule("stepwise"),
        ONE,
        r"Every factor is a probability: what is exact where problems are alike takes the place of $k p_l$.",
    ),
)
GAIN_NEEDS = Statement(
    "gain needs epsilon > 1/k",
    "Theorem 4.6",
    r"\varepsilon_b k \ge 1 \text{ where } \varepsilon_b [1 - (1 - p_1)^k] \gt p_1",
    ">=",
    WIDTH * EPSILON,
    ONE,
    reading="as reported",
    terms=SHOWN,
    needs=(GAINS,),
    note="That selection must be better than a choice at random, as a condition that is necessary.",
    proofs={"any": BERNOULLI + r" So $\varepsilon_b k p_1 \ge \varepsilon_b [1 - (1 - p_1)^k] \gt p_1$."},
)
GAIN_SUFFICES = Statement(
    "gain needs epsilon > 1/k charitable",
    "Theorem 4.6",
    r"\varepsilon_b [1 - (1 - p_1)^k] \ge p_1 \text{ where } \varepsilon_b k \ge 1",
    ">=",
    EPSILON * rule("first layer"),
    right(1),
    reading="charitable",
    terms=SHOWN,
    needs=(ABOVE,),
    note=(
        "The converse: that the condition is enough, as one reads it who plans a search by it. A choice at random "
        r"among the candidates attains $p_1 / (1 - (1 - p_1)^k)$, which is above $1/k$."
    ),
    condition=Condition(
        r"\varepsilon_b \ge \frac{p_1}{1 - (1 - p_1)^k}",
        right(1) - EPSILON * rule("first layer"),
        r"The same, divided by $1 - (1 - p_1)^k$. Its limit for $p_1 \to 0$ is $1/k$.",
        simple=r"the policy is never right, $p_1 = 0$",
    ),
)
EXACT = Statement(
    "exact accuracy, step-wise",
    "ours",
    r"\mathrm{Pr}(\tau\text{-correct}) = \prod_l \varepsilon_l(k) [1 - (1 - p_l)^k]",
    "=",
    STEPWISE,
    EPSILON_L * rule("stepwise"),
    reading="ours",
    terms={**SHOWN, r"\mathrm{Pr}(\tau\text{-correct})": STEPWISE},
    note=r"In place of the bound of Theorem 4.6, $p_l$ given a right prefix.",
    proofs={
        "alike": r"The prefix being right, each of $k$ independent candidates is right with probability $p_l$, and the "
        r"verifier takes a right one with probability $\varepsilon_l(k)$ if there is one."
    },
    condition=Condition(
        r"\mathrm{Pr}(r_l \text{ right} \mid t, r_1 \dots r_{l-1} \text{ right}) = p_l",
        None,
        r"Where problems differ, the mean over problems of $1 - (1 - p)^k$ is less than its value at the mean $p$.",
        exact=False,
        simple="all problems are equally hard",
    ),
)
EXACT_UPPER = Statement(
    "exact accuracy, step-wise: at most",
    "ours",
    r"\mathrm{Pr}(\tau\text{-correct}) \le \prod_l \varepsilon_l(k) [1 - (1 - p_l)^k]",
    "<=",
    STEPWISE,
    EPSILON_L * rule("stepwise"),
    reading="ours",
    terms={**SHOWN, r"\mathrm{Pr}(\tau\text{-correct})": STEPWISE},
    note="Problems of unequal hardness can only take from it, where steps are independent.",
    proofs={"independent": JENSEN + " Layers are independent, so this holds factor by factor."},
)
BEST_OF_N = Statement(
    "exact accuracy, best-of-N",
    "ours",
    r"\mathrm{Pr}(\tau\text{-correct}) = \varepsilon [1 - (1 - \prod_l p_l)^N]",
    "=",
    EPSILON * found("N = k"),
    EPSILON * rule("N = k"),
    reading="ours",
    terms=SHOWN,
    note=r"One selection among $N$ whole answers. Where problems differ it is an upper bound.",
    proofs={"alike": r"$N$ independent answers, each right with probability $\prod_l p_l$."},
    condition=Condition(
        r"\mathrm{Pr}(\text{all steps right} \mid t) = \prod_l p_l",
        None,
        JENSEN,
        exact=False,
        simple="all problems are equally hard",
    ),
)
BEST_OF_N_UPPER = Statement(
    "exact accuracy, best-of-N: at most",
    "ours",
    r"\mathrm{Pr}(\tau\text{-correct}) \le \varepsilon [1 - (1 - \prod_l p_l)^N]",
    "<=",
    EPSILON * found("N = k"),
    EPSILON * rule("N = k"),
    reading="ours",
    terms=SHOWN,
    note=r"$p_l$ given a right prefix.",
    proofs={"any": JENSEN + r" The mean over problems of $\prod_l p_l$ is $\mathrm{Pr}(\text{all steps right})$."},
)
STATEMENTS = (
    *(ASSUMED, CHAIN, CHAIN_CHARITABLE, CHAIN_AT_MOST_ONE, DECOMPOSITION),
    *(THEOREM_4_6, THEOREM_4_6_CHARITABLE, BOUND_AT_MOST_ONE, GAIN_NEEDS, GAIN_SUFFICES),
    *(EXACT, EXACT_UPPER, BEST_OF_N, BEST_OF_N_UPPER),
)
