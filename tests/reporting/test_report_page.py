import base64
import hashlib
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from ggmi.project import REPORT_PARTS
from ggmi.reporting import page as pages
from ggmi.reporting import tables
from ggmi.reporting.page import parts_of, render
from ggmi.reporting.tables import read_columns

COLUMNS = read_columns((REPORT_PARTS / "columns.yaml").read_text(encoding="utf-8"))
# Tables of a mixture study, by the name that columns go by.
TABLES = {
    **{name: name for name in ("kl_gap", "trends", "fits", "divergences", "term_trends")},
    **{"term_claims": "claims"},
}
HOSTILE = (
    "<script>document.title='run'</script>",
    "<svg onload=\"document.title='run'\">",
    "<img src=x onerror=\"document.title='run'\">",
    "</title></style><iframe src=https://example.com>",
    "{{ 7 * 7 }}{% for x in y %}",
    '=HYPERLINK("https://example.com")',
    "\" autofocus onfocus=\"document.title='run'",
    "javascript:alert(1)",
    "abc\u202edef\u2066ghi\x00",
)


class Reader(HTMLParser):
    """Tags with their attributes, and the text of each."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def two_studies(make_study):
    real = make_study(
        {("empirical", "released", "forward", "K"): "undecided"},
        name="digits",
        title="Digits",
        truth="data",
        covariances=("empirical",),
    )
    main = make_study({("psd", "released", "forward", "K"): "against"}, anchors=("released", "text"))
    return main, real


@pytest.fixture(scope="module")
def html(two_studies, make_page):
    return make_page(*two_studies)


def test_the_page_is_the_same_every_time(html, two_studies, make_page):
    assert make_page(*two_studies) == html


def test_nothing_on_the_page_is_fetched(html):
    read = Reader(html)
    assert all(image["src"].startswith("data:image/") for image in read.all("img"))
    assert [link["href"] for link in read.all("link")] == ["data:,"]
    assert len(read.all("script")) == len(read.all("style")) == 1
    assert not any({"src", "style"} & set(attributes) for tag, attributes in read.tags if tag != "img")
    assert not re.search(r"url\(|@import", html)


def test_the_policy_allows_the_pages_own_style_and_script_only(html):
    (policy,) = [m["content"] for m in Reader(html).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("style", "script"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("name", "text"), [("page.css", "a{}</style>"), ("page.js", "'</script>'")])
def test_a_style_that_would_end_early_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    parts = [tmp_path / name if path.name == name else path for path in parts_of("estimate")]
    with pytest.raises(ValueError, match="closing tag"):
        render(parts)


def test_every_verdict_is_in_words_and_symbols(html):
    read = Reader(html)
    cells = [a["class"] for a in read.all("td") if "verdict" in a.get("class", "").split()]
    counts = {word: cells.count(f"verdict {word}") for word in ("as_published", "against", "undecided")}
    assert counts == {"as_published": 34, "against": 1, "undecided": 1}
    # Terms: eight and the gap by four divergences, five cells of them claims.
    counts = {word: cells.count(f"verdict {word}") for word in ("supported", "rises", "falls", "unclear")}
    assert counts["supported"] == 2 * 5
    assert sum(counts.values()) == len(cells) - 36 == 2 * 12 * 3
    text = " ".join(" ".join(read.text).split())
    assert "✓ as published" in text
    assert "✗ against" in text
    assert "? undecided" in text
    assert "✓ supported" in text
    assert "↗ rises" in text
    assert "↘ falls" in text


def test_an_axis_that_is_not_swept_says_so(make_study, make_page):
    text = make_page(make_study(axes=("K",)))
    assert text.count("not swept") == 8 + 2 * 12


def test_figures_have_alternatives_captions_and_files(html, two_studies):
    read = Reader(html)
    assert len(read.all("img")) == len(read.all("figcaption")) == 4 + 3 + 1
    assert all(
        len(image["alt"]) > 40 and image["width"] == "720" and image["height"] == "360" for image in read.all("img")
    )
    links = {a["href"] for a in read.all("a")}
    for name in ("gmm/figure4_psd_released", "gmm/figure4_psd_text", "digits/figure2"):
        assert {f"{name}.{kind}" for kind in ("svg", "png", "csv")} <= links
    names = [*TABLES.values(), "terms"]
    assert {f"{study.name}/{name}.csv" for study in two_studies for name in names} <= links


def test_tables_hold_every_row_and_explain_every_column(html, two_studies):
    rows = sum(len(getattr(study, name)) for study in two_studies for name in TABLES.values())
    assert len(Reader(html).all("tr")) > rows
    for study in two_studies:
        for kind, name in TABLES.items():
            shown = tables.data_table(getattr(study, name), COLUMNS[kind])
            assert {column.key for column in shown.columns} == set(getattr(study, name))
            assert all(column.meaning for column in shown.columns)


def test_columns_have_labels_meanings_and_digits():
    for columns in COLUMNS.values():
        for column in columns.values():
            assert {type(column.label), type(column.meaning)} == {str}
            assert min(len(column.label), len(column.meaning)) > 0
            assert column.decimals in range(7)


def test_the_ends_of_an_interval_follow_what_they_are_of():
    frame = pd.DataFrame({"ci_low_nats": [0.5], "median_ci_high_nats": [2.0], "mean_nats": [1.0], "median_nats": [1.5]})
    shown = tables.data_table(frame, COLUMNS["kl_gap"])
    assert [column.key for column in shown.columns] == [
        "mean_nats",
        "ci_low_nats",
        "median_nats",
        "median_ci_high_nats",
    ]
    assert [column.label for column in shown.columns] == ["mean", "mean, low", "median", "median, high"]
    assert [cell.text for cell in shown.rows[0]] == ["1.00", "0.50", "1.50", "2.00"]


def test_numbers_are_rounded_and_keep_their_full_value(make_study, make_page):
    study = make_study()
    study.kl_gap.loc[0, "mean_nats"] = -1234.5678912
    text = make_page(study)
    assert '<td class="n" data-v="-1234.567891">−1,234.57</td>' in text
    assert '<td class="n">–</td>' in text


def test_how_numbers_were_made_is_told(html):
    text = " ".join(Reader(html).text)
    for part in ("python 3.11.7", "numpy 2.4.6", "0123456789abcdef", "seed 7", "ab" * 32):
        assert part in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_wherever_it_stands(text, make_study, make_page, html):
    study = make_study(title=text, anchors=("released", "text"))
    for table in (study.kl_gap, study.trends, study.fits, study.divergences, study.term_trends, study.claims):
        column = next(c for c in ("fit", "anchor_components", "unit", "claimed") if c in table)
        table.loc[table.index[-1], column] = text
    real = make_study(title=text, name="digits", truth="data", covariances=("empirical",))
    made = make_page(study, real)
    read = Reader(made)
    allowed = {tag for tag, _ in Reader(html).tags}
    assert {tag for tag, _ in read.tags} <= allowed
    assert not any(name.startswith("on") or name == "autofocus" for _, attributes in read.tags for name in attributes)
    assert all(a["href"].startswith(("#", "https://", "gmm/", "digits/", "report.html")) for a in read.all("a"))
    assert len(read.all("script")) == 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", made)
    if "{{" in text:
        assert "{{ 7 * 7 }}" in "".join(read.text)


def test_a_column_nobody_described_is_shown_under_its_name():
    table = tables.data_table(pd.DataFrame({"K": [2], "novel": [0.5]}), COLUMNS["fits"])
    assert [column.key for column in table.columns] == ["K", "novel"]
    assert [cell.text for cell in table.rows[0]] == ["2", "0.500"]


def test_long_tables_are_cut_and_say_so(make_study, make_page, monkeypatch):
    whole = make_page(make_study())
    assert "the file has them all" not in whole
    monkeypatch.setattr(tables, "CELLS", 180)
    text = make_page(make_study())
    assert text.count("rows; the file has them all.") == 3
    assert text.count("<td") < whole.count("<td") - 300


def test_large_figures_give_way_to_pictures_and_then_to_links(make_study, make_page, monkeypatch):
    small, large = b"p" * 100, b'<svg viewBox="0 0 4 2"/>' + b" " * 3000
    forms = {}
    for budget in (10**6, 8000, 300):
        monkeypatch.setattr(pages, "PICTURE_BYTES", budget)
        text = make_page(make_study(), svg=large, png=small)
        found = [image["src"] for image in Reader(text).all("img")]
        forms[budget] = (sum("svg+xml" in s for s in found), sum("/png" in s for s in found), text.count("too large"))
        assert sum(map(len, found)) <= budget + 100
    assert forms == {10**6: (4, 0, 0), 8000: (1, 3, 0), 300: (0, 2, 2)}
