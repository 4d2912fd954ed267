"""What can be said of the theory as a whole: theorems about it that are ours, each with its proof and a check.

A check is an excess that is at most zero in every world that meets the stated assumptions; the tests
evaluate it in all families.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ggmi.exact.statement import Assumption
from ggmi.exact.trees import Term, absolute
from ggmi.theory import terms
from ggmi.theory.flow import B_SYN, BOUND_5, DELTA_I, I_GEN, I_OUT, LEMMA_4_5, NEVER_NEGATIVE
from ggmi.theory.gain import ANCHOR_OUT, BOUND_10, GGMI
from ggmi.theory.laws import Array
from ggmi.theory.needs import ALPHA_EXISTS, ANCHOR_EXAMPLES, EXAMPLES, LAMBDA_EXISTS, LAYERED, LAYERED_ANCHOR
from ggmi.theory.regimes import MODEL_CHAIN, PROMPT_CHAIN
from ggmi.theory.risks import ANCHOR_GAP, BIT, GAP, I_ANCHOR, WITH_SIGN, flow_bound
from ggmi.theory.terms import entropy, information, mean
from ggmi.theory.world import World


@dataclass(frozen=True)
class Consequence:
    """A theorem about the theory.

    Parameters
    ----------
    title
        What it says, in words.
    latex
        The same as a formula.
    proof
        In a few lines; formulas between dollar signs.
    checks
        Trees that are at most zero wherever `needs` hold.
    needs
        Assumptions.
    note
        What follows for a reader of the paper.
    """

    title: str
    latex: str
    proof: str
    checks: tuple[Term, ...]
    needs: tuple[Assumption, ...] = ()
    note: str = ""

    def excess(self, world: World) -> Array:
        """The largest check in every world that the theorem speaks of, -inf in others, shape (B,)."""
        applies = np.all([a.holds(world) for a in self.needs] or [np.ones(len(world), dtype=bool)], axis=0)
        values = np.max([terms.evaluate(check, world) for check in self.checks], axis=0)
        return np.where(applies, values, -np.inf)


def _independence(world: World) -> Array:
    """I(e_p, e_M), in nats."""
    return np.maximum(world.mutual_information("e_p", "e_M"), 0.0)


def _curation_of_outputs(world: World) -> Array:
    """I(S_anchor, e_p, e_M; S_gen | M), in nats."""
    return np.maximum(world.mutual_information(["S_anchor", "e_p", "e_M"], "S_gen", "M"), 0.0)


INDEPENDENT_FACTORS = Assumption("e_p and e_M are independent", "$e_p$ and $e_M$ are independent", _independence)
CURATION_OF_OUTPUTS = Assumption(
    "S_gen depends on M alone", r"$\Sg$ is drawn from $\Mp$ alone, whatever $p$ is", _curation_of_outputs
)

CONSEQUENCES: Sequence[Consequence] = (
    Consequence(
        "Where section 4.1's chain holds, Lemma 4.5 is true and idle",
        r"I(\Mp, W) \le I(e_M, W) \le \Bsyn \le -\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p}",
        LEMMA_4_5.proofs["chains_only"]
        + r" Data processing in $\Mp \to \Sg \to W$ makes $-\delta_\varepsilon \ge 0$, so "
        r"the right side of (5) is at least $\Bsyn$.",
        (I_OUT - information("e_M", "W"), B_SYN - BOUND_5),
        (MODEL_CHAIN, LAMBDA_EXISTS),
        r"However large the information gain $\DI$ is, it never lowers the bound below what $\Bsyn$ alone gives for "
        r"$I(\Mp, W)$. The second inequality needs no chain: it holds in every world.",
    ),
    Consequence(
        "The chain does not follow from Definition 4.1, and with independent factors, and noise that ignores the "
        "prompt, it blinds the student to the prompt",
        r"I(e_p, W) = I(\Sa, W) = 0",
        r"Two fair bits $e_p$ and $e_M$, $\Sg = \Mp = e_p + e_M$ and $W$ their parity meet Definition 4.1, "
        r"but $I(\Mp; W "
        r"\mid e_M) = \log 2$. Where the chain holds, $W$ is independent of $\Mp$ given $e_M$; it is "
        r"independent of $e_p$ "
        r"given $(\Mp, e_M)$ because it sees only $\Mp$; so it is independent of $e_p$ given $e_M$, and "
        r"$I(e_p, W) \le I(e_p; e_M) + I(e_p; W \mid e_M) = 0$; and $I(\Sa, W) \le I(e_p, W)$ in $\Sa \to e_p \to W$.",
        (information("e_p", "W"), information("S_anchor", "W")),
        (MODEL_CHAIN, PROMPT_CHAIN, INDEPENDENT_FACTORS, CURATION_OF_OUTPUTS),
        "So under the chain the synthetic data teach of the prompt what the dependence of the factors carries, or what "
        "the noise itself is told of the prompt.",
    ),
    Consequence(
        "Theorem 4.10 is its step (32).2, no more and no less",
        r"\left(\DI - (\alpha + 1) H(\Sa \mid W) + 2\DH + H(\Sg \mid W) + \varepsilon_{W,p}\right) - \GGMI = \DI - "
        r"\left(H(\Sg) - I(\Sa, \Mp)\right)",
        r"Write out both sides: $I(\Sa, W') = H(\Sa) - \alpha H(\Sa \mid W)$, and all terms in $W$ and "
        r"$W'$ cancel. The "
        r"algebra of (33) to (37) is right.",
        (absolute(BOUND_10 - GGMI - DELTA_I + entropy("S_gen") - ANCHOR_OUT),),
        (ALPHA_EXISTS,),
        r"What the two students learn drops out: whether the bound holds depends on $\Sa$, $h(e_p)$, $\Mp$ "
        r"and $\Sg$ alone. "
        r"It holds exactly where $H(\Sg) - H(\Mp) \le I(\Sa, \Mp) - I(h(e_p), \Mp)$.",
    ),
    Consequence(
        "With the modulus inside the expectation a bit must be paid",
        r"E \left|R(W) - \widehat R_S(W)\right| \le \eta^{L/2} \sqrt{\frac{2\sigma^2 (I(S, W) + \log 2)}{n}}",
        WITH_SIGN,
        (
            mean(GAP) - flow_bound(I_GEN + BIT),
            mean(absolute(ANCHOR_GAP)) - flow_bound(I_ANCHOR + BIT, "1/m", "anchor contraction"),
        ),
        (LAYERED, LAYERED_ANCHOR, EXAMPLES, ANCHOR_EXAMPLES),
        "In place of (8), and with (5) as corrected in place of (6).",
    ),
    Consequence(
        "The bracket of (6) and (7) is never negative",
        r"-\DI + \Bsyn + H(e_M) + \delta_{\varepsilon,p} \ge \Bsyn \ge 0",
        rf"{NEVER_NEGATIVE}, and $-\delta_\varepsilon = I(\Sg; W \mid \Mp) \ge 0$.",
        (B_SYN - BOUND_5,),
        (LAMBDA_EXISTS,),
        "So the roots are always defined.",
    ),
)
