import pandas as pd
import pytest
from browser import launched

from ggmi.exact.verdicts import Refutation, states_of
from ggmi.provenance import versions
from ggmi.reporting.page import parts_of, render
from ggmi.reporting.theory import by_statement, findings, theory_page, violation
from ggmi.theory import known
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import certificate
from ggmi.theory.continuous import continuous_table
from ggmi.theory.regimes import REGIMES
from ggmi.theory.study import evaluate_family, family_named, verdicts

FAMILIES = [family_named(name) for name in ("declared: no noise", "without_4.1: no noise", "structure: a channel")]
WIDTHS = (375, 1400)


@pytest.fixture(scope="module")
def refutations():
    """Counterexamples that can be checked by hand, certified, in every regime that they belong to."""
    worlds = [make() for make in known.MADE]
    found = []
    for key, statement in STATEMENTS.items():
        for regime in REGIMES.values() if statement.judged else ():
            proven = [
                certificate(statement, regime, world)
                for world in worlds
                if statement.applies(world).all() and (statement.slack(world) < -statement.tolerance).all()
            ]
            proven = [stored for stored in proven if stored["verdict"] == "violated"]
            smallest = min(proven, key=states_of, default=None)
            found.append(Refutation(key, regime.key, len(worlds), 0.0, smallest, smallest))
    return found


@pytest.fixture(scope="module")
def family_rows():
    return [row for family in FAMILIES for row in evaluate_family(family, 1, worlds=30)]


@pytest.fixture(scope="module")
def table(refutations, family_rows):
    """verdicts.csv of these worlds."""
    return verdicts(family_rows, refutations)


def with_verdict(table, key, regimes, verdict):
    """The table with other verdicts on one statement as printed."""
    changed = table.copy()
    rows = (changed["statement"] == key) & (changed["reading"] == "printed") & changed["regime"].isin(regimes)
    assert rows.sum() == len(regimes)
    changed.loc[rows, "verdict"] = verdict
    return changed


# What sentences are made of.


def test_each_status_names_what_it_is_assumed_under(table):
    found = findings(table)["status"]
    lemma, theorem = found["(5)"], found["(10)"]
    assert lemma["proven"] == ["declared", "chains_only"]
    assert lemma["fails"] == ["without_4.1", "structure"]
    assert (theorem["proven"], theorem["tried"], theorem["fails"]) == ([], [], list(REGIMES))
    assert (theorem["states"], theorem["worst"]) == (2, "0.693 nats")
    assert found["(1) charitable"]["proven"] == list(REGIMES)


def test_findings_change_with_the_verdicts(table):
    everywhere = list(REGIMES)
    changed = findings(with_verdict(table, "(10)", everywhere, "holds"))
    assert changed["status"]["(10)"]["tried"] == everywhere
    assert changed["status"]["(10)"]["worlds"] > 0
    before, after = (findings(t)["failing"] for t in (table, with_verdict(table, "(17)", everywhere, "holds")))
    assert set(before) - set(after) == {"(17)"}
    assert "(25).5" in before
    assert set(findings(table)["lines"]) < set(findings(table)["printed"])


def test_a_violation_is_told_in_its_unit(table):
    rows = by_statement(table)
    assert violation("(10)", rows["(10)"]["declared"]) == "0.693 nats"
    assert violation("(8)", rows["(8)"]["declared"]).endswith("of the loss’s unit")


# The page.


@pytest.fixture(scope="module")
def page_file(table, refutations, family_rows, tmp_path_factory):
    stored = {
        f"certificates/{r.regime}/{STATEMENTS[r.statement].slug}.json": r.smallest for r in refutations if r.smallest
    }
    enumeration = pd.DataFrame(
        [
            {"statement": s.label, "reading": s.reading, "regime": r, "states": n, "worlds": 10, "violated": n > 1}
            for s in STATEMENTS.values()
            for r in REGIMES
            for n in (1, 2)
        ]
    )
    example = {
        **{"statement": "(4)", "reading": "printed", "d_gen": "marginal", "prompts": "one", "n": 2, "m": 2, "eta": "1"},
        **{"eta_anchor": "1", "worlds": 1001, "verdict": "fails", "worst_violation": 0.084, "certificate": None},
    }
    provenance = {"versions": versions(), "parameters": {"code": "abc"}, "inputs": {"a.csv": "00ff"}}
    shown = theory_page(
        *(table, pd.DataFrame(family_rows), enumeration, pd.DataFrame([example]), continuous_table()),
        *(stored, FAMILIES, provenance),
    )
    place = tmp_path_factory.mktemp("theory") / "theory.html"
    place.write_text(render(parts_of("statements", "theory"), **shown), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser():
    with launched() as program:
        yield program


@pytest.fixture
def open_page(browser, page_file):
    opened = []

    def at(width):
        page = browser.new_page(viewport={"width": width, "height": 900})
        opened.append(page)
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(page_file.as_uri())
        return page

    yield at
    for page in opened:
        page.close()


def test_the_table_has_a_row_a_judged_statement_and_a_cell_a_regime(open_page, table):
    page = open_page(1400)
    rows = page.locator(".regime-table tbody tr")
    assert rows.count() == sum(statement.judged for statement in STATEMENTS.values())
    lemma = rows.filter(has_text="Lemma 4.5")
    assert [text.split()[1] for text in lemma.locator("td").all_inner_texts()] == ["holds", "fails", "holds", "fails"]
    charitable = [s for s in STATEMENTS.values() if s.reading == "charitable"]
    assert page.locator(".regime-table tr.ours").count() == len(charitable)
    assert all("ours" in text for text in page.locator(".regime-table tr.ours th").all_inner_texts())
    # Two states are fewest where the enumeration has none of one; a smaller world makes the proof of fewest go.
    assert "2 states*" in rows.filter(has_text="Theorem 4.10").locator("td").first.inner_text()


def test_a_failing_statement_shows_its_smallest_world_and_what_is_true_instead(open_page):
    page = open_page(1400)
    article = page.locator("[id='s10']")
    assert article.get_by_role("heading").inner_text() == "Theorem 4.10, (10)"
    law = article.locator("table.law")
    assert [text.split()[-1] for text in law.locator("tbody tr").all_inner_texts()] == ["1/2", "1/2"]
    assert "Holds exactly where" in article.inner_text()
    assert "True instead" in article.inner_text()
    links = [link.get_attribute("href") for link in article.locator("a").all()]
    assert "theory/certificates/declared/10.json" in links
    assert "theory/certificates/declared/worst/10.json" in links
    names = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))")
    assert all(page.evaluate("name => document.getElementById(name) !== null", name) for name in names)


@pytest.mark.parametrize("width", WIDTHS)
def test_formulas_are_set_and_nothing_widens_the_page(open_page, width):
    page = open_page(width)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Tables and displayed formulas scroll by themselves; all others end within the page.
    wide = "m => !m.closest('.scroll, .display, details') && m.getBoundingClientRect().right > innerWidth"
    assert page.evaluate(f"[...document.querySelectorAll('math')].filter({wide}).length") == 0
    assert page.locator("math").count() > 300
    codes = page.locator("code").all_inner_texts()
    assert all("(" not in code and "≤" not in code for code in codes)
    words = page.evaluate("document.body.innerText")
    assert "\\" not in words
    assert "$" not in words


def test_the_verdict_says_under_what_statements_hold(open_page):
    rows = open_page(1400).locator("#verdict dl > div").all()
    said = {row.locator("dt").inner_text(): " ".join(row.locator("dd").inner_text().split()) for row in rows}
    lemma = said["Lemma 4.5"]
    assert "holds under all that the paper declares and under the declared Markov chains alone, with a proof" in lemma
    assert "fails without section 4.1’s chain" in lemma
    assert "and under the structure alone" in lemma
    assert "Where the chain holds it is idle" in lemma
    assert "fails in every regime (the smallest world has two states" in said["Theorem 4.10"]
    assert "It holds exactly where" in said["Theorem 4.10"]
    assert "With the modulus outside" in said["Lemmas 4.6 and 4.8, Theorem 4.7"]
    assert "the constant is" in said["Lemma 3.1"]
    assert "holds in every regime, with a proof" in said["Lemma 3.1"]
    assert "unsound even where the lemma is true" in said["The proofs"]


def test_a_page_of_prose_sets_formulas_and_prices(make_page, make_study):
    page = make_page(make_study(title=r"Costs $5 or $6, $\DI \le 1$, $\href{x}{y}$"))
    assert '<mi mathvariant="normal">Δ</mi>' in page
    assert "Costs $5 or $6" in page
    assert r"$\href{x}{y}$" in page
    assert '<a href="x"' not in page
