from pathlib import Path

from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.document import statements_markdown

PAGE = Path(__file__).parents[2] / "docs/theory.md"


def test_the_page_of_statements_is_what_the_code_prints():
    assert PAGE.read_text(encoding="utf-8") == statements_markdown()


def test_every_statement_and_what_is_said_of_it_stands_on_the_page_without_macros():
    page = statements_markdown()
    for statement in STATEMENTS.values():
        assert f"**{statement.label}**" in page
        for added in (statement.condition, statement.correction):
            assert added is None or added.proof.split(".")[0].split("$")[0] in page
    assert "\\Sg" not in page
    assert "\\Sa" not in page
