"""Section 4.1, Lemma 4.5 and the statements of its proof in appendix E, line by line.

Gan & Liu, arXiv 2410.01720. Numbers are the paper's. A form that the paper does not print is a
charitable reading, a condition or a correction, and ours. In formulas lambda is the number of Lemma
E.1; the paper does not say that it is the smallest one, so a world may give a larger.
"""

from __future__ import annotations

from ggmi.exact.statement import Condition, Correction
from ggmi.exact.trees import Term, maximum, number, parameter
from ggmi.theory.needs import LAMBDA_EXISTS
from ggmi.theory.statement import Statement, charitable, register
from ggmi.theory.terms import conditional, entropy, information

E = "appendix E, proof of Lemma 4.5"
ZERO = number(0)
I_GEN = information("S_gen", "W")
I_OUT = information("M", "W")
I_EP, I_EM = information("e_p", "W"), information("e_M", "W")
SHARED = information("e_p", "M")
DELTA_I = entropy("M") - information("h", "M")
B_SYN = I_EM + I_EP
DELTA_EPS = I_OUT - I_GEN
# What lambda exceeds the smallest by, times I(e_p, M): H(e_p) + BEYOND = lambda I(e_p, M).
BEYOND = parameter("lambda excess") * SHARED
LAMBDA_SHARED = entropy("e_p") + BEYOND
EFFICIENCY = LAMBDA_SHARED - SHARED
BOUND_5 = B_SYN - DELTA_I + entropy("e_M") + EFFICIENCY - DELTA_EPS
# Dependence of the factors, or of their outputs, that knowing W creates; and what W knows of them past M.
CREATED = information("e_p", "e_M", "W") - information("e_p", "e_M")
CREATED_OUTPUTS = information("h", "g", "W") - information("h", "g")
PAST_M = information(("e_p", "e_M"), "W", "M")
PAST_M_OUTPUTS = information(("h", "g"), "W", "M")
FLOW: dict[str, Term] = {
    r"I(\Sg, W)": I_GEN,
    r"I(\Mp, W)": I_OUT,
    r"\DI": DELTA_I,
    r"\Bsyn": B_SYN,
    r"H(e_M)": entropy("e_M"),
    r"\delta_{\varepsilon,p}": EFFICIENCY - DELTA_EPS,
    r"\lambda": LAMBDA_SHARED / SHARED,
}
NO_MODEL_CHAIN = r"$\Mp \to e_M \to W$ is a Markov chain"
BY_MODEL_CHAIN = r"$I(\Mp, W) \le I(e_M, W) \le \Bsyn$ by data processing in $\Mp \to e_M \to W$"


def _line(key: str, latex: str, left: Term, right: Term, **rest: object) -> Statement:
    relation = rest.pop("relation", "<=")
    return register(Statement(key, E, latex, relation, left, right, **rest))  # type: ignore[arg-type]


register(
    Statement(
        "(2)",
        "Definition 4.2, section 4.1",
        r"\DI = H(\Mp) - I(h(e_p), \Mp)",
        "=",
        DELTA_I,
        DELTA_I,
        "definition",
        note=r"The information gain; equal to $H(\Mp \mid h(e_p))$.",
    )
)
register(
    Statement(
        "(3)",
        "Definition 4.3, section 4.1",
        r"\Bsyn = I(e_M, W) + I(e_p, W)",
        "=",
        B_SYN,
        B_SYN,
        "definition",
        note="The compression bottleneck.",
    )
)
# (5), (28).1 and (25).1 lack the same: what dependence of the factors W creates.
FACTORS_GIVEN_W = r"I(e_p; e_M \mid W) \le I(e_p; e_M) + I(e_p, e_M; W \mid \Mp)"
IDENTITY = (
    r"$M$ is a function of the factors, so $I(\Mp, W) + I(e_p, e_M; W \mid \Mp) = I((e_p, e_M), W) = \Bsyn + "
    r"I(e_p; e_M \mid W) - I(e_p; e_M)$ by the chain rule."
)
ROOM = r"H(e_M) - \DI + (\lambda - 1) I(e_p, \Mp)"
NEVER_NEGATIVE = (
    r"$\DI = H(\Mp \mid h(e_p)) \le H(g(e_M) \mid h(e_p)) \le H(e_M)$ and $(\lambda - 1) I(e_p, \Mp) \ge 0$"
)
COVERED = Condition(
    rf"I(e_p; e_M \mid W) \le I(e_p; e_M) + I(e_p, e_M; W \mid \Mp) + {ROOM}",
    CREATED - PAST_M - entropy("e_M") + DELTA_I - EFFICIENCY,
    rf"With $\delta_\varepsilon = I(\Mp, W) - I(\Sg, W)$ the lemma says $I(\Mp, W) \le \Bsyn + {ROOM}$. {IDENTITY} "
    r"Subtract.",
    simple=NO_MODEL_CHAIN,
)
LEMMA_4_5 = register(
    Statement(
        "(5)",
        "Lemma 4.5, section 4.2",
        r"I(\Sg, W) \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}",
        "<=",
        I_GEN,
        BOUND_5,
        terms=FLOW,
        needs=(LAMBDA_EXISTS,),
        note=(
            r"The information-flow upper bound, with $\delta_{\varepsilon,p} = (\lambda - 1) I(e_p, \Mp) - "
            r"\delta_\varepsilon$ from (29) and $\delta_\varepsilon = I(\Mp, W) - I(\Sg, W)$ from (19). The smallest "
            r"$\lambda$ makes it strongest."
        ),
        proofs={
            "chains_only": rf"{BY_MODEL_CHAIN}, and the other terms add up to no less than zero: {NEVER_NEGATIVE}. "
            r"Subtract $\delta_\varepsilon$ on both sides."
        },
        condition=COVERED,
        correction=Correction(
            r"I(\Sg, W) \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p} + I(e_p; e_M \mid W) - I(e_p; e_M)",
            I_GEN,
            BOUND_5 + CREATED,
            rf"{IDENTITY} Its right side bounds $I(\Mp, W)$; add what is not negative ({NEVER_NEGATIVE}) and subtract "
            r"$\delta_\varepsilon$.",
        ),
    )
)
NOISE_LEARNT = information("S_gen", "W", "M")
ENTROPY_GAIN = conditional("S_gen", "M") - conditional("M", "S_gen")
CURATED_BY_MAP = r"$\Sg$ is a function of $\Mp$"
EQ17 = _line(
    "(17)",
    r"H(\Sg) \le H(\Mp)",
    entropy("S_gen"),
    entropy("M"),
    note=r"Said to follow from $\Mp \to \Sg \to W$. A noise that is added raises the entropy instead.",
    condition=Condition(
        r"H(\Sg \mid \Mp) \le H(\Mp \mid \Sg)",
        ENTROPY_GAIN,
        r"$H(\Sg) - H(\Mp) = H(\Sg \mid \Mp) - H(\Mp \mid \Sg)$: both are the joint entropy less one of the two.",
        simple=CURATED_BY_MAP,
    ),
    correction=Correction(
        r"H(\Sg) \le H(\Mp) + H(\Sg \mid \Mp)",
        entropy("S_gen"),
        entropy("M") + conditional("S_gen", "M"),
        r"$H(\Sg) \le H(\Sg, \Mp)$, which is the right side.",
    ),
)
NO_NOISE_LEARNT = Condition(
    r"I(\Sg; W \mid \Mp) = 0",
    NOISE_LEARNT,
    r"$I(\Sg, W) - I(\Mp, W) = I(\Sg; W \mid \Mp)$ in the chain $\Mp \to \Sg \to W$, and this is never negative.",
    simple=CURATED_BY_MAP,
)
NOISE_ADDED = Correction(
    r"I(\Sg, W) \le I(\Mp, W) + I(\Sg; W \mid \Mp)",
    I_GEN,
    I_OUT + NOISE_LEARNT,
    r"$I(\Sg, W) \le I((\Mp, \Sg), W)$ and the chain rule; in the chain $\Mp \to \Sg \to W$ the sides are equal.",
)
_line(
    "(18)",
    r"I(\Sg, W) \le I(\Mp, W)",
    I_GEN,
    I_OUT,
    note=(
        r"Data processing in $\Mp \to \Sg \to W$ gives the reverse, $I(\Mp, W) \le I(\Sg, W)$: a learner can store "
        r"the noise."
    ),
    condition=NO_NOISE_LEARNT,
    correction=NOISE_ADDED,
)
_line(
    "(19).1",
    r"I(\Sg, W) = I(\Mp, W) - \delta_\varepsilon",
    I_GEN,
    I_OUT - DELTA_EPS,
    relation="=",
    kind="definition",
    note=r"Defines $\delta_\varepsilon$.",
)
_line(
    "(19).2",
    r"I(\Mp, W) - \delta_\varepsilon \le I(\Mp, W)",
    I_OUT - DELTA_EPS,
    I_OUT,
    note=r"That $\delta_\varepsilon$, “the information loss due to the noise”, is not negative; it is "
    r"never positive.",
    condition=NO_NOISE_LEARNT,
    correction=Correction(
        r"I(\Mp, W) - \delta_\varepsilon \le I(\Mp, W) + I(\Sg; W \mid \Mp)",
        I_OUT - DELTA_EPS,
        I_OUT + NOISE_LEARNT,
        NOISE_ADDED.proof,
    ),
)
_line(
    "(20)",
    r"H(h(e_p)) \le H(e_p), \quad H(g(e_M)) \le H(e_M)",
    maximum(entropy("h") - entropy("e_p"), entropy("g") - entropy("e_M")),
    ZERO,
    note="For discrete variables; of differential entropies it is false.",
    proofs={"structure": "The entropy of a function of a discrete variable is no larger."},
)
for _number, _factor, _image, _name, _output in (
    ("(21)", "e_p", "h", "h(e_p)", "h"),
    ("(22)", "e_M", "g", "g(e_M)", "g"),
):
    _line(
        f"{_number}.1",
        rf"I({_name}, W) = H({_name}) - H({_name} \mid W)",
        information(_image, "W"),
        entropy(_image) - conditional(_image, "W"),
        relation="=",
        kind="definition",
    )
    _line(
        f"{_number}.2",
        rf"H({_name}) - H({_name} \mid W) \le H({_factor}) - H({_factor} \mid W)",
        entropy(_image) - conditional(_image, "W"),
        entropy(_factor) - conditional(_factor, "W"),
        proofs={"structure": f"Data processing: ${_name}$ is a function of ${_factor}$."},
    )
    _line(
        f"{_number}.3",
        rf"H({_factor}) - H({_factor} \mid W) = I({_factor}, W)",
        entropy(_factor) - conditional(_factor, "W"),
        information(_factor, "W"),
        relation="=",
        kind="definition",
    )
_line(
    "(23).1",
    r"I(\Mp, W) = I(h(e_p) + g(e_M), W)",
    I_OUT,
    I_OUT,
    relation="=",
    kind="definition",
    note="Definition 4.1 put in.",
)
_line(
    "(23).2",
    r"I(h(e_p) + g(e_M), W) \le I(h(e_p), W) + I(g(e_M), W)",
    I_OUT,
    information("h", "W") + information("g", "W"),
    terms={
        r"I(h(e_p), W)": information("h", "W"),
        r"I(g(e_M), W)": information("g", "W"),
        r"I(h; g \mid W)": information("h", "g", "W"),
    },
    note="The parity of two fair bits tells one bit of their sum and nothing of either.",
    condition=Condition(
        r"I(h; g \mid W) \le I(h; g) + I(h, g; W \mid \Mp)",
        CREATED_OUTPUTS - PAST_M_OUTPUTS,
        r"$M$ is a function of $(h, g)$, so $I(\Mp, W) + I(h, g; W \mid \Mp) = I((h, g), W) = I(h, W) + I(g, W) + "
        r"I(h; g \mid W) - I(h; g)$.",
        simple="$W$ is one part seen from $h(e_p)$ and one seen from $g(e_M)$, which are independent",
    ),
    correction=Correction(
        r"I(\Mp, W) \le I(h(e_p), W) + I(g(e_M), W) + I(h; g \mid W) - I(h; g)",
        I_OUT,
        information("h", "W") + information("g", "W") + CREATED_OUTPUTS,
        r"$I(\Mp, W) \le I((h, g), W)$, since $M$ is a function of $(h, g)$; split it by the chain rule.",
    ),
)
_line(
    "(23).3",
    r"I(h(e_p), W) + I(g(e_M), W) \le I(e_p, W) + I(e_M, W)",
    information("h", "W") + information("g", "W"),
    B_SYN,
    proofs={"structure": "(21) and (22): data processing."},
)
register(
    Statement(
        "(24)",
        "Lemma E.1, appendix E",
        r"H(e_p) \le \lambda I(e_p, \Mp)",
        "<=",
        entropy("e_p"),
        LAMBDA_SHARED,
        "assumption",
        note=(
            r"Called both an assumption and a lemma; $\lambda \ge 1$ is a number for which it holds. There "
            r"is none where "
            r"$\Mp$ tells nothing of an $e_p$ that varies; such worlds are left out of what needs $\lambda$."
        ),
    )
)
SPLIT = Condition(FACTORS_GIVEN_W, CREATED - PAST_M, f"{IDENTITY} Subtract $\\Bsyn$.", simple=NO_MODEL_CHAIN)
_line(
    "(25).1",
    r"I(\Mp, W) \le I(e_p, W) + I(e_M, W)",
    I_OUT,
    B_SYN,
    terms=FLOW,
    note="The end of (23).",
    proofs={"chains_only": rf"{BY_MODEL_CHAIN}."},
    condition=SPLIT,
    correction=Correction(
        r"I(\Mp, W) \le I(e_p, W) + I(e_M, W) + I(e_p; e_M \mid W) - I(e_p; e_M)",
        I_OUT,
        B_SYN + CREATED,
        f"{IDENTITY} The term that is left out is not negative.",
    ),
)
_SECOND = entropy("e_p") - conditional("e_p", "W") + I_EM
_line(
    "(25).2",
    r"I(e_p, W) + I(e_M, W) = H(e_p) - H(e_p \mid W) + I(e_M, W)",
    B_SYN,
    _SECOND,
    relation="=",
    kind="definition",
)
_line(
    "(25).3",
    r"H(e_p) - H(e_p \mid W) + I(e_M, W) = H(\Mp) - H(\Mp) + H(e_p) - H(e_p \mid W) + I(e_M, W)",
    _SECOND,
    _SECOND,
    relation="=",
    kind="definition",
    note="Adds and subtracts the same.",
)
_FOURTH = LAMBDA_SHARED - conditional("e_p", "W") + I_EM
_line(
    "(25).4",
    r"H(\Mp) - H(\Mp) + H(e_p) - H(e_p \mid W) + I(e_M, W) \le -H(\Mp) + I(e_p, \Mp) - I(e_p, \Mp) + "
    r"\lambda I(e_p, \Mp) + H(\Mp) - H(e_p \mid W) + I(e_M, W)",
    _SECOND,
    _FOURTH,
    needs=(LAMBDA_EXISTS,),
    proofs={"structure": r"(24): $H(e_p) \le \lambda I(e_p, \Mp)$."},
)
_FIFTH = I_EM - DELTA_I + entropy("M") - conditional("e_p", "W") + EFFICIENCY
BEYOND_H = information("e_p", "M", "h")
_line(
    "(25).5",
    r"-H(\Mp) + I(e_p, \Mp) + (\lambda - 1) I(e_p, \Mp) + H(\Mp) - H(e_p \mid W) + I(e_M, W) \le -\DI + I(e_M, W) + "
    r"H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp)",
    _FOURTH,
    _FIFTH,
    needs=(LAMBDA_EXISTS,),
    note=(
        r"Puts $-\DI = -H(\Mp) + I(h(e_p), \Mp)$ for $-H(\Mp) + I(e_p, \Mp)$, which is never smaller: $e_M$ can bring "
        r"to $\Mp$ what $h$ drops of $e_p$."
    ),
    condition=Condition(
        r"I(e_p; \Mp \mid h(e_p)) = 0",
        BEYOND_H,
        r"The sides differ by $I(e_p, \Mp) - I(h(e_p), \Mp) = I(e_p; \Mp \mid h(e_p)) \ge 0$.",
        simple=r"$e_p$ and $e_M$ are independent, or $h$ is one-to-one",
    ),
    correction=Correction(
        r"\text{the same with } + I(e_p; \Mp \mid h(e_p)) \text{ on the right}",
        _FOURTH,
        _FIFTH + BEYOND_H,
        "The two sides are then equal.",
    ),
)
SIXTH = _line(
    "(25).6",
    r"-\DI + I(e_M, W) + H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp) \le -\DI + \Bsyn + H(e_M)",
    _FIFTH,
    B_SYN - DELTA_I + entropy("e_M"),
    terms={
        r"H(\Mp \mid e_p)": conditional("M", "e_p"),
        r"H(e_M)": entropy("e_M"),
        r"\lambda": LAMBDA_SHARED / SHARED,
    },
    needs=(LAMBDA_EXISTS,),
    note=(
        r"The term with $\lambda$ is gone: the line fails by as much as one likes where $\lambda$ is large "
        r"(searched one above the smallest). Where $\lambda$ is the smallest number that (24) allows the line holds "
        r"all the same; the paper does not say that it is."
    ),
    condition=Condition(
        r"(\lambda - \lambda_{\min}) I(e_p, \Mp) \le H(e_M) - H(\Mp \mid e_p)",
        BEYOND - entropy("e_M") + conditional("M", "e_p"),
        r"With $H(e_p) = \lambda_{\min} I(e_p, \Mp)$ the sides differ by $H(\Mp \mid e_p) + (\lambda - \lambda_{\min}) "
        r"I(e_p, \Mp) - H(e_M)$.",
        simple=r"$\lambda$ is the smallest that (24) allows",
    ),
    correction=Correction(
        r"-\DI + I(e_M, W) + H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp) \le -\DI + \Bsyn + H(e_M) + "
        r"(\lambda - \lambda_{\min}) I(e_p, \Mp)",
        _FIFTH,
        B_SYN - DELTA_I + entropy("e_M") + BEYOND,
        r"$H(\Mp \mid e_p) \le H(g(e_M) \mid e_p) \le H(e_M)$.",
    ),
)
charitable(
    SIXTH,
    SIXTH.latex,
    r"$\lambda$ taken to be the smallest number that (24) allows, which the paper does not say.",
    left=_FIFTH - BEYOND,
    proofs={"structure": r"The sides differ by $H(\Mp \mid e_p) - H(e_M)$, and $H(\Mp \mid e_p) \le H(e_M)$."},
    condition=None,
    correction=None,
)
FLOWS_ADD = r"$\Mp$ is a function of $(e_p, e_M)$, and entropy is subadditive."
register(
    Statement(
        "(26)",
        "Lemma E.2, appendix E",
        r"H(\Mp) - H(e_p) \le H(e_M)",
        "<=",
        entropy("M") - entropy("e_p"),
        entropy("e_M"),
        note="For discrete variables; of differential entropies it is false.",
        proofs={"structure": FLOWS_ADD},
    )
)
_line(
    "(27).1",
    r"H(\Mp) - H(e_p) = H(h(e_p) + g(e_M)) - H(e_p)",
    entropy("M"),
    entropy("M"),
    relation="=",
    kind="definition",
    note="Definition 4.1 put in.",
)
_TWO = _line(
    "(27).2",
    r"H(h(e_p) + g(e_M)) - H(e_p) \le H(e(p)) + H(g(e_M)) - H(e_p)",
    entropy("M") - entropy("e_p"),
    entropy("g"),
    note=r"With $e(p)$, a symbol that is defined nowhere, taken for $e_p$.",
    proofs={"structure": r"$H(h + g) \le H(h) + H(g)$ and $H(h(e_p)) \le H(e_p)$."},
)
charitable(
    _TWO,
    r"H(h(e_p) + g(e_M)) - H(e_p) \le H(h(e_p)) + H(g(e_M)) - H(e_p)",
    r"$h(e_p)$ in place of the undefined $e(p)$.",
    right=entropy("h") + entropy("g") - entropy("e_p"),
    proofs={"structure": r"$H(h + g) \le H(h, g) \le H(h) + H(g)$."},
)
_line(
    "(27).3",
    r"H(h(e_p)) + H(g(e_M)) - H(e_p) \le H(e_p) + H(e_M) - H(e_p)",
    entropy("h") + entropy("g") - entropy("e_p"),
    entropy("e_M"),
    proofs={"structure": "(20)."},
)
_line(
    "(27).4",
    r"H(e_p) + H(e_M) - H(e_p) = H(e_M)",
    entropy("e_M"),
    entropy("e_M"),
    relation="=",
    kind="definition",
)
_line(
    "(28).1",
    r"I(\Mp, W) \le -\DI + I(e_M, W) + H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp)",
    I_OUT,
    _FIFTH,
    needs=(LAMBDA_EXISTS,),
    terms=FLOW | {r"I(e_p; \Mp \mid h(e_p))": BEYOND_H},
    note="The end of (25).1 to (25).5. It can fail where Lemma 4.5 holds, because (25).5 can.",
    condition=Condition(
        r"I(e_p; e_M \mid W) + I(e_p; \Mp \mid h(e_p)) \le I(e_p; e_M) + I(e_p, e_M; W \mid \Mp) + "
        r"(\lambda - \lambda_{\min}) I(e_p, \Mp)",
        CREATED - PAST_M + BEYOND_H - BEYOND,
        rf"The right side is $\Bsyn - I(e_p; \Mp \mid h(e_p)) + (\lambda - \lambda_{{\min}}) I(e_p, \Mp)$. {IDENTITY}",
        simple=r"$\Mp \to e_M \to W$ is a Markov chain and $h$ one-to-one",
    ),
    correction=Correction(
        r"I(\Mp, W) \le -\DI + I(e_M, W) + H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp) + I(e_p; e_M \mid W) - "
        r"I(e_p; e_M) + I(e_p; \Mp \mid h(e_p))",
        I_OUT,
        _FIFTH + CREATED + BEYOND_H,
        "(25).1 and (25).5 as corrected, and (25).4.",
    ),
)
_line(
    "(28).2",
    r"\text{right side of (28).1} \le -\DI + \Bsyn - I(e_p, W) + H(\Mp) - H(e_p \mid W) + (\lambda - 1) I(e_p, \Mp)",
    _FIFTH,
    _FIFTH,
    kind="definition",
    note=r"An equality, by (3).",
)
_line(
    "(28).3",
    r"\text{right side of (28).2} = -\DI + \Bsyn + H(\Mp) - H(e_p) + (\lambda - 1) I(e_p, \Mp)",
    _FIFTH,
    B_SYN - DELTA_I + entropy("M") - entropy("e_p") + EFFICIENCY,
    relation="=",
    kind="definition",
)
_line(
    "(28).4",
    r"-\DI + \Bsyn + H(\Mp) - H(e_p) + (\lambda - 1) I(e_p, \Mp) \le -\DI + \Bsyn + H(e_M) + (\lambda - 1) I(e_p, \Mp)",
    entropy("M") - entropy("e_p"),
    entropy("e_M"),
    proofs={"structure": f"(26): {FLOWS_ADD}"},
)
_line(
    "(29).1",
    r"I(\Sg, W) = I(\Mp, W) - \delta_\varepsilon",
    I_GEN,
    I_OUT - DELTA_EPS,
    relation="=",
    kind="definition",
    note="(19).1 again.",
)
_line(
    "(29).2",
    r"I(\Mp, W) - \delta_\varepsilon \le -\DI + \Bsyn + H(e_M) + (\lambda - 1) I(e_p, \Mp) - \delta_\varepsilon",
    I_OUT - DELTA_EPS,
    BOUND_5,
    terms=FLOW,
    needs=(LAMBDA_EXISTS,),
    note="Lemma 4.5 itself, since $I(\\Mp, W) - \\delta_\\varepsilon = I(\\Sg, W)$.",
    proofs=LEMMA_4_5.proofs,
    condition=COVERED,
    correction=Correction(
        r"I(\Mp, W) - \delta_\varepsilon \le -\DI + \Bsyn + H(e_M) + (\lambda - 1) I(e_p, \Mp) - \delta_\varepsilon + "
        r"I(e_p; e_M \mid W) - I(e_p; e_M)",
        I_OUT - DELTA_EPS,
        BOUND_5 + CREATED,
        "As for (5).",
    ),
)
_line(
    "(29).3",
    r"\text{right side of (29).2} \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}",
    BOUND_5,
    BOUND_5,
    kind="definition",
    note=r"An equality: it defines $\delta_{\varepsilon,p} = (\lambda - 1) I(e_p, \Mp) - \delta_\varepsilon$.",
)
