import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from ggmi.reporting import page as pages
from ggmi.reporting import tables, terms
from ggmi.reporting.page import render

# What a section on a mixture study shows; other sections describe their own in the same place.
TABLES = ("kl_gap", "trends", "fits", "divergences")
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
def html(two_studies, make_page, parts):
    return render(make_page(*two_studies), *parts)


def test_the_page_is_the_same_every_time(html, two_studies, make_page, parts):
    assert render(make_page(*two_studies), *parts) == html


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


def test_a_style_that_would_end_early_is_refused(two_studies, make_page, parts):
    with pytest.raises(ValueError, match="closing tag"):
        render(make_page(*two_studies), parts[0], "a{}</style>", parts[2])
    with pytest.raises(ValueError, match="closing tag"):
        render(make_page(*two_studies), parts[0], parts[1], "'</script>'")


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


def test_an_axis_that_is_not_swept_says_so(make_study, make_page, parts):
    text = render(make_page(make_study(axes=("K",))), *parts)
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
    names = [*TABLES, *terms.COLUMNS, "terms"]
    assert {f"{study.name}/{name}.csv" for study in two_studies for name in names} <= links


def test_tables_hold_every_row_and_explain_every_column(html, two_studies):
    read = Reader(html)
    described = {**{name: tables.COLUMNS[name] for name in TABLES}, **terms.COLUMNS}
    rows = sum(len(getattr(study, name)) for study in two_studies for name in described)
    assert read.all("tr").__len__() > rows
    for study in two_studies:
        for name, columns in described.items():
            assert set(getattr(study, name)) == {column.key for column in columns}
            assert all(column.meaning for column in columns)


def test_numbers_are_rounded_and_keep_their_full_value(make_study, make_page, parts):
    study = make_study()
    study.kl_gap.loc[0, "mean_nats"] = -1234.5678912
    text = render(make_page(study), *parts)
    assert '<td class="n" data-v="-1234.567891">−1,234.57</td>' in text
    assert '<td class="n">–</td>' in text


def test_how_numbers_were_made_is_told(html):
    text = " ".join(Reader(html).text)
    for part in ("python 3.11.7", "numpy 2.4.6", "0123456789abcdef", "fedcba9876543210", "seed: 7", "ab" * 32):
        assert part in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_wherever_it_stands(text, make_study, make_page, parts, html):
    study = make_study(title=text, anchors=("released", "text"))
    for table in (study.kl_gap, study.trends, study.fits, study.divergences, study.term_trends, study.claims):
        column = next(c for c in ("fit", "anchor_components", "unit", "claimed") if c in table)
        table.loc[table.index[-1], column] = text
    made = render(replace(make_page(study), kicker=text, verdict=text, findings=[(text, text)]), *parts)
    read = Reader(made)
    allowed = {tag for tag, _ in Reader(html).tags}
    assert {tag for tag, _ in read.tags} <= allowed
    assert not any(name.startswith("on") or name == "autofocus" for _, attributes in read.tags for name in attributes)
    assert all(a["href"].startswith(("#", "https://", "gmm/")) for a in read.all("a"))
    assert len(read.all("script")) == 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", made)
    if "{{" in text:
        assert "{{ 7 * 7 }}" in "".join(read.text)


def test_a_column_nobody_described_is_shown_under_its_name():
    table = tables.data_table(pd.DataFrame({"K": [2], "novel": [0.5]}), tables.COLUMNS["fits"], caption="c")
    assert [column.key for column in table.columns] == ["K", "novel"]
    assert [cell.text for cell in table.rows[0]] == ["2", "0.500"]


def test_long_tables_are_cut_and_say_so(make_study, make_page, parts, monkeypatch):
    whole = render(make_page(make_study()), *parts)
    assert "the file has them all" not in whole
    monkeypatch.setattr(pages, "TABLE_CELLS", 900)
    text = render(make_page(make_study()), *parts)
    assert text.count("rows; the file has them all.") == 5
    assert 600 < text.count("<td") < 920 < whole.count("<td")


def test_large_figures_give_way_to_pictures_and_then_to_links(make_study, make_page, parts, monkeypatch):
    small, large = b"p" * 100, b'<svg viewBox="0 0 4 2"/>' + b" " * 3000
    forms = {}
    for budget in (10**6, 8000, 300):
        monkeypatch.setattr(pages, "PICTURE_BYTES", budget)
        text = render(make_page(make_study(), svg=large, png=small), *parts)
        found = [image["src"] for image in Reader(text).all("img")]
        forms[budget] = (sum("svg+xml" in s for s in found), sum("/png" in s for s in found), text.count("too large"))
        assert sum(map(len, found)) <= budget + 100
    assert forms == {10**6: (4, 0, 0), 8000: (1, 3, 0), 300: (0, 2, 2)}
