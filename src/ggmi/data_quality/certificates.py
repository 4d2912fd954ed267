"""Exact rational instances that decide what the paper's formulas say, for the standard library to recheck."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ggmi.data_quality.recheck import CHECKS, Results


@dataclass(frozen=True)
class Certificate:
    """A rational instance and what follows from it.

    Parameters
    ----------
    slug
        Name of its file.
    statement
        What it is about, with its place in the paper.
    says
        What the instance shows, in a sentence.
    check
        Key of `ggmi.data_quality.recheck.CHECKS`.
    inputs
        What JSON can hold, fractions as text.
    """

    slug: str
    statement: str
    says: str
    check: str
    inputs: dict[str, Any]

    @property
    def results(self) -> Results:
        """What the check computes, exactly."""
        return CHECKS[self.check](self.inputs)

    def as_json(self) -> dict[str, Any]:
        """What the file holds."""
        results = {name: str(value) for name, value in self.results.items()}
        said = {"statement": self.statement, "says": self.says, "check": self.check}
        return {**said, "inputs": self.inputs, "results": results, "units": "squared errors of weights of variance one"}


CERTIFICATES = {
    certificate.slug: certificate
    for certificate in (
        Certificate(
            "theorem-4.1-many-prompts",
            "Theorem 4.1, three prompts in two dimensions",
            "The gradient in V vanishes at (V*, I), the one in W does not, and a step along it lowers the loss.",
            "joint minimum",
            {
                "inputs": [[["1", "0"], ["1", "1"]], [["2", "1"], ["0", "1"]], [["1", "-1"], ["1", "2"]]],
                "weights": [["1", "1"], ["1", "-1"], ["0", "1"]],
                "eta": "1/2",
                "k": 2,
                "step": "1/10",
            },
        ),
        Certificate(
            "theorem-4.1-few-prompts",
            "Theorem 4.1, two prompts in two dimensions",
            "Both gradients and the loss vanish at (V*, I).",
            "joint minimum",
            {
                "inputs": [[["1", "0"], ["1", "1"]], [["2", "1"], ["0", "1"]]],
                "weights": [["1", "1"], ["1", "-1"]],
                "eta": "1/2",
                "k": 2,
                "step": "1/10",
            },
        ),
        Certificate(
            "remark-4.1-near-the-limit",
            "Remark 4.1, one step size below the limit of both k",
            "The larger k converges more slowly.",
            "convergence",
            {"phi": ["2", "1"], "eta": "1/2", "rate": "3/4", "ks": [0, 1]},
        ),
        Certificate(
            "remark-4.1-far-from-the-limit",
            "Remark 4.1, one small step size",
            "The larger k converges faster.",
            "convergence",
            {"phi": ["2", "1"], "eta": "1/2", "rate": "1/4", "ks": [0, 1]},
        ),
        Certificate(
            "theorem-B.1-projector",
            "Theorem B.1, T_var and T_varS for a projector of rank one in two dimensions",
            "The corrected last term gives the trace, the printed one does not.",
            "projector trace",
            {"span": [["1"], ["2"]], "blocks": [0, 1], "g": ["-2", "-1"], "step": ["1", "-1"], "x": ["3", "1"]},
        ),
        Certificate(
            "proposition-5.1",
            "Proposition 5.1, prompts of three examples in two dimensions",
            "The formula is the expectation over normal inputs.",
            "one step",
            {"v": [["-1/2", "1/3"], ["0", "-1"]], "sigma": [["2", "1/2"], ["1/2", "1"]], "n": 3},
        ),
        Certificate(
            "F-at-endless-data",
            "F(∞) and Proposition 4.3 in the proportional limit, the parameters of figure 5 with n = 1000",
            "They are different numbers.",
            "endless data",
            {"mu": "1/2", "rho": "1/10", "eta": "1/5", "r": "1/10", "gamma": "3/5"},
        ),
        Certificate(
            "equation-B.3-first-order",
            "(B.3), one prompt in two dimensions",
            "V* changes with the noise as the form with the missing term says, up to the square of the step.",
            "first-order term",
            {
                **{"omega": [["1"], ["1"]], "noise": [["1"], ["-1"]], "tuning": ["1/2", "1"], "start": ["-2", "-1"]},
                **{"eta": "1/5", "h": "1/1000"},
            },
        ),
    )
}


def result(slug: str, name: str) -> Fraction:
    """Return one of a certificate's results.

    Parameters
    ----------
    slug
        Key of `CERTIFICATES`.
    name
        Key of its results.
    """
    return CERTIFICATES[slug].results[name]
