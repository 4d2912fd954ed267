"""Statements about information loss and error: Definitions 3.1 and 3.2, Theorem 3.3, and what is true of them.

Gan, Liao & Liu, arXiv 2501.15602, section 3. The event e_l is not defined where the paper could be
read; it is taken for the step that does not name its thought, which is what Fano's inequality is about.
"""

from __future__ import annotations

from fractions import Fraction

from ggmi.exact.statement import Condition, Correction, Statement
from ggmi.exact.trees import number
from ggmi.slow_thinking import terms
from ggmi.slow_thinking.regimes import LOSSLESS, RECOVERED, THREE
from ggmi.slow_thinking.terms import decoding_error, entropy, error, error_entropy, information, log, loss

HALF, THIRD = number(Fraction(1, 2)), number(Fraction(1, 3))
EARLIER = HALF * (loss(1) + loss(2))
ROOM = log("T - 1")
PRINTED_BOUND = (EARLIER - error_entropy(3)) / ROOM
FANO_BOUND = (loss(3) - error_entropy(3)) / ROOM
MEAN_LOSS = THIRD * (loss(1) + loss(2) + loss(3))
SHOWN = {
    r"P(e_3)": error(3),
    r"H(t_1 \mid r_1)": loss(1),
    r"H(t_2 \mid r_2)": loss(2),
    r"H(t_3 \mid r_3)": loss(3),
}
FANO = (
    r"Fano: given $r_l$, first tell whether $e_l$ occurred, $H_b(e_l)$ nats at most, and if it did, "
    r"which of the $|T_l| - 1$ other thoughts it was: $H(t_l \mid r_l) \le H_b(e_l) + P(e_l) \log(|T_l| - 1)$."
)

DEFINITION_3_1 = Statement(
    "Definition 3.1",
    "Definition 3.1",
    r"\mathrm{InfoLoss}(r_l) = H(t_l) - I(t_l; r_l) = H(t_l \mid r_l)",
    "=",
    entropy("t3") - information(3),
    loss(3),
    kind="definition",
    note="The information that a step loses of its thought.",
)
DEFINITION_3_2 = Statement(
    "Definition 3.2",
    "Definition 3.2",
    r"H_{\lt l}(t \mid r) = \sum_{i \lt l} H(t_i \mid r_i)",
    "=",
    loss(1) + loss(2),
    loss(1) + loss(2),
    kind="definition",
    note="The snowball error before a step.",
)
THEOREM_3_3 = Statement(
    "Theorem 3.3",
    "Theorem 3.3",
    r"P(e_l) \ge \frac{H_{\lt l}(t \mid r)/(l-1) - H_b(e_l)}{\log(|T_l| - 1)}",
    ">=",
    error(3),
    PRINTED_BOUND,
    terms=SHOWN,
    needs=(THREE, RECOVERED),
    note=(
        r"Judged at $l = 3$, with $e_l$ read as the step that does not name its thought. Fano's inequality is about "
        r"the loss of the step itself, not the mean of the losses before it."
    ),
    proofs={"rising": FANO + r" Where losses do not fall, the mean of the earlier ones is at most $H(t_l \mid r_l)$."},
    condition=Condition(
        r"\frac{H_{\lt l}(t \mid r)}{l-1} \le H_b(e_l) + P(e_l) \log(|T_l| - 1)",
        EARLIER - error_entropy(3) - error(3) * ROOM,
        r"The theorem, multiplied by $\log(|T_l| - 1) \gt 0$: no more can be said without a link between the steps.",
        simple=r"losses do not fall along the chain",
    ),
    correction=Correction(r"P(e_l) \ge \frac{H(t_l \mid r_l) - H_b(e_l)}{\log(|T_l| - 1)}", error(3), FANO_BOUND, FANO),
)
THEOREM_3_3_CHARITABLE = Statement(
    "Theorem 3.3 charitable",
    "Theorem 3.3",
    r"P(e_l) \ge \frac{H(t_l \mid r_l) - H_b(e_l)}{\log(|T_l| - 1)}",
    ">=",
    error(3),
    FANO_BOUND,
    reading="charitable",
    terms=SHOWN,
    needs=(THREE, RECOVERED),
    note="With the loss of the step itself in place of the mean of the earlier ones.",
    proofs={"any": FANO},
)
BOUND_AT_MOST_ONE = Statement(
    "Theorem 3.3: at most 1",
    "ours",
    r"\frac{H_{\lt l}(t \mid r)/(l-1) - H_b(e_l)}{\log(|T_l| - 1)} \le 1",
    "<=",
    PRINTED_BOUND,
    terms.ONE,
    reading="ours",
    terms=SHOWN,
    needs=(THREE, RECOVERED),
    note="A bound on a probability that exceeds 1 cannot be one. It is not defined at all for two thoughts.",
    proofs={"rising": r"Theorem 3.3 holds there, and $P(e_l) \le 1$."},
    condition=Condition(
        r"\frac{H_{\lt l}(t \mid r)}{l-1} \le H_b(e_l) + \log(|T_l| - 1)",
        EARLIER - error_entropy(3) - ROOM,
        r"Multiplied by $\log(|T_l| - 1) \gt 0$.",
    ),
)
BOUND_RISES = Statement(
    "Theorem 3.3: the bound rises",
    "ours",
    r"\frac{H_{\lt l+1}(t \mid r)}{l} - H_b(e_{l+1}) \ge \frac{H_{\lt l}(t \mid r)}{l-1} - H_b(e_l)",
    ">=",
    EARLIER - error_entropy(3),
    loss(1) - error_entropy(2),
    reading="ours",
    terms=SHOWN,
    needs=(THREE, RECOVERED),
    note=(
        r"That snowball errors make later steps worse would need the bound to rise; judged at $l = 2$. It need not, "
        r"even where losses rise: $H_b(e_l)$, which is subtracted, rises too."
    ),
    condition=Condition(
        r"H_b(e_{l+1}) - H_b(e_l) \le \frac{H_{\lt l+1}(t \mid r)}{l} - \frac{H_{\lt l}(t \mid r)}{l-1}",
        error_entropy(3) - error_entropy(2) - HALF * (loss(2) - loss(1)),
        "The same, rearranged.",
    ),
)
LINEAR = Statement(
    "snowball error is at most linear",
    "ours",
    r"H_{\lt l}(t \mid r) \le (l - 1) \log |T|",
    "<=",
    loss(1) + loss(2),
    number(2) * log("T"),
    reading="ours",
    note="So on a fixed alphabet it cannot grow faster than linearly for ever.",
    proofs={"any": r"$H(t_i \mid r_i) \le H(t_i) \le \log |T|$ for each step."},
)
AVERAGE = Statement(
    "average error",
    "ours",
    r"\frac{1}{L} \sum_l H(t_l \mid r_l) \le H_b(P) + P \log(|T| - 1), \quad P = \frac{1}{L} \sum_l P(e_l)",
    "<=",
    MEAN_LOSS,
    error_entropy(*terms.ALL) + error(*terms.ALL) * ROOM,
    reading="ours",
    needs=(RECOVERED,),
    note=(
        "What mean losses do bound is the mean error. The repaired theorem: losses of all steps on the left, "
        "the average error of all steps on the right."
    ),
    proofs={
        "any": FANO + r" Its right side is concave in $P(e_l)$, so the mean over steps of the right sides is at "
        r"most the right side at the mean."
    },
)
LOSS_NEEDS_ERROR = Statement(
    "loss without error",
    "ours",
    r"H(t_l \mid r_l) \le H_b(e_l) + P(e_l) \log(|T_l| - 1)",
    "<=",
    loss(3),
    error_entropy(3) + error(3) * ROOM,
    reading="ours",
    terms=SHOWN,
    note=(
        r"With $e_l$ the step that is not $\tau$-correct, which is about values, not thoughts: interchangeable "
        r"thoughts with one text lose information, and are always right."
    ),
    condition=Condition(
        r"H(t_l \mid r_l, e_l) \le P(e_l) \log(|T_l| - 1)",
        None,
        FANO + " It needs that a right step names its thought.",
        exact=False,
        simple="a step is right if and only if it names its thought",
    ),
)
ERROR_NEEDS_LOSS = Statement(
    "error without loss",
    "ours",
    r"2 P(e_l) \log 2 \le H(t_l \mid r_l)",
    "<=",
    number(2) * error(3) * log("2"),
    loss(3),
    reading="ours",
    terms=SHOWN,
    note=r"Information loss is not error: the step $r = t + 1$ modulo $|T|$ loses nothing and is always wrong.",
    condition=Condition(
        r"2 P(e_l) \log 2 \le H(t_l \mid r_l)",
        number(2) * error(3) * log("2") - loss(3),
        "Nothing simpler: a loss says how well the thought could be guessed, not what the step says.",
        simple="the step is the best guess that it allows",
    ),
    correction=Correction(
        r"2 P(\widehat t_l \ne t_l) \log 2 \le H(t_l \mid r_l), \quad \widehat t_l \text{ the best guess from } r_l",
        number(2) * decoding_error(3) * log("2"),
        loss(3),
        r"Given $r_l$, let $j$ thoughts be possible. On laws with one likeliest thought the error of the best guess is "
        r"linear and the entropy concave, so it is enough to compare them at the corners, the uniform laws on $j$ "
        r"thoughts: $\log j \ge 2(1 - 1/j) \log 2$ for every whole $j$. Average over $r_l$.",
    ),
)
PER_TOKEN = Statement(
    "information per step without loss",
    "ours",
    r"\frac{1}{L} I(t_1 \dots t_L; r_1 \dots r_L) \ge I(t_1; r_1)",
    ">=",
    THIRD * (entropy("t1", "t2", "t3") + entropy("r1", "r2", "r3") - entropy("t1", "t2", "t3", "r1", "r2", "r3")),
    information(1),
    reading="ours",
    terms={r"I(t_1; r_1)": information(1), r"H(t_1, t_2, t_3)": entropy("t1", "t2", "t3")},
    needs=(LOSSLESS,),
    note=(
        "If falling information per token were a sign of loss, it could not fall where nothing is lost. It does: what "
        r"states a plan of fixed content in $L$ steps has $1/L$ of it a step."
    ),
    condition=Condition(
        r"H(t_1 \dots t_L) \ge L\,H(t_1)",
        number(3) * entropy("t1") - entropy("t1", "t2", "t3"),
        r"Without loss $I(t_1 \dots t_L; r_1 \dots r_L) = H(t_1 \dots t_L)$ and $I(t_1; r_1) = H(t_1)$.",
        simple="every thought is as uncertain as the first, given those before",
    ),
)

STATEMENTS = (
    *(DEFINITION_3_1, DEFINITION_3_2, THEOREM_3_3, THEOREM_3_3_CHARITABLE, BOUND_AT_MOST_ONE, BOUND_RISES),
    *(LINEAR, AVERAGE, LOSS_NEEDS_ERROR, ERROR_NEEDS_LOSS, PER_TOKEN),
)
