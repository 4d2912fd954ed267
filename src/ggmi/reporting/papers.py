"""What pages on papers share: claims with their settings, figures, and what the front page says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ggmi.formulas import plain_prose
from ggmi.reporting.page import Links, Picture, Points, Section, embedded
from ggmi.reporting.text import listed

Figures = Mapping[str, tuple[bytes, bytes]]


@dataclass(frozen=True)
class Paper:
    """A paper whose claims a study judges.

    Parameters
    ----------
    key
        The study's name, which is that of its folder and page.
    subject
        What the claims are on.
    title, kicker, asked
        What the front page is called and says where the study is alone.
    contents
        What its own page has.
    """

    key: str
    subject: str
    title: str
    kicker: str
    asked: str
    contents: str

    def sentence(self, claims: pd.DataFrame) -> str:
        """What became of the claims, in a sentence.

        Parameters
        ----------
        claims
            The study's ``claims.csv``.
        """
        own = _is_ours(claims)
        kinds = [("claims of the paper", claims[~own]), ("claims of ours", claims[own])]
        said = [f"of {len(rows)} {whose}, {_counted(rows)}" for whose, rows in kinds if len(rows)]
        return f"On {self.subject}, each claim in a setting of its own: {'; '.join(said)}."

    def section(self, claims: pd.DataFrame) -> Section:
        """What the front page says of the study, and where the rest is.

        Parameters
        ----------
        claims
            The study's ``claims.csv``.
        """
        points = [(word.capitalize(), listed(_claimed(claims, word))) for word in ("supported", "contradicted")]
        name = self.subject.capitalize()
        link = ("Everything", self.contents, f"{self.key}.html")
        return Section(self.key.replace("_", "-"), name, name, [Points(points), Links([link])])


PAPERS = {
    paper.key: paper
    for paper in (
        Paper(
            "slow_thinking",
            "slow thinking",
            "Slow thinking: sample more, search wider, or verify better?",
            "The theory and published points of Gan, Liao & Liu (arXiv 2501.15602), checked",
            "In finite worlds the theory is computed exactly, and its published points are fitted again.",
            "Theory in finite worlds, exact search, published points.",
        ),
        Paper(
            "data_quality",
            "data quality",
            "Data quality: which data, how much and how hard?",
            "The theory and figures of Javanmard, Mirzasoleiman & Mirrokni (arXiv 2603.01293), checked",
            "For linear self-attention everything is computed or simulated, and transformers are trained, beside what "
            "needs no fine-tuning.",
            "Closed forms, figures 1 to 5, small and hard data, outcome supervision, policy gradients.",
        ),
        Paper(
            "language",
            "data quality in language models",
            "Data quality: does it hold for language models?",
            "Claims of Javanmard, Mirzasoleiman & Mirrokni (arXiv 2603.01293), read for small transformers that write",
            "Students learn from few or many, easy or hard records, by fine-tuning or by rewards of an exact judge.",
            "Ratings of all students, curves, verdicts.",
        ),
    )
}


def by_claim(claims: pd.DataFrame) -> list[dict[str, Any]]:
    """Claims, each with its settings by verdict; a form of ours is a claim beside the paper's.

    Parameters
    ----------
    claims
        A study's ``claims.csv``.
    """
    return [
        {
            "claim": claim,
            "source": rows["source"].iloc[0],
            "verdict": rows["verdict"].iloc[0] if rows["verdict"].nunique() == 1 else "undecided",
            "mixed": rows["verdict"].nunique() > 1,
            "settings": rows.to_dict("records"),
        }
        for (claim, _), rows in claims.groupby(["claim", _is_ours(claims)], sort=False)
    ]


def _is_ours(claims: pd.DataFrame) -> pd.Series:
    """Whether each is a form of ours and not the paper's."""
    return claims["source"].str.startswith("ours")


def _counted(claims: pd.DataFrame) -> str:
    """How often each verdict was given, in words."""
    counts = [(int((claims["verdict"] == word).sum()), word) for word in ("supported", "contradicted", "undecided")]
    return listed([f"{count} {'is' if count == 1 else 'are'} {word}" for count, word in counts if count])


def _claimed(claims: pd.DataFrame, verdict: str) -> Sequence[str]:
    """Claims that have one verdict in every setting."""
    same = [rows["claim"] for rows in by_claim(claims) if not rows["mixed"] and rows["verdict"] == verdict]
    return [plain_prose(text) for text in same]


def read_figures(files: Iterable[str], beside: Path) -> dict[str, tuple[bytes, bytes]]:
    """SVG and PNG of each figure, by its path beside a page without suffix.

    Parameters
    ----------
    files
        Of all kinds.
    beside
        The page's folder.
    """
    drawn = [Path(file) for file in files if file.endswith(".svg")]
    return {
        svg.relative_to(beside).with_suffix("").as_posix(): (svg.read_bytes(), svg.with_suffix(".png").read_bytes())
        for svg in drawn
    }


def embedded_figures(figures: Figures) -> dict[str, Picture]:
    """Pictures ready for a template, by the figure's name.

    Parameters
    ----------
    figures
        Of `read_figures`.
    """
    made = [
        Picture(*files, "", "", [(kind.upper(), f"{stem}.{kind}") for kind in ("svg", "png", "csv")])
        for stem, files in figures.items()
    ]
    return {stem.rpartition("/")[2]: picture for stem, picture in zip(figures, embedded(made), strict=True)}
