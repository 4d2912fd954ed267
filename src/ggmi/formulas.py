"""Stub until the pages branch is merged."""


def plain(latex: str) -> str:
    """The formula as text."""
    return latex
