import pandas as pd
import pytest
from browser import VARIABLE, chromium, launched

from ggmi.project import REPORT_PARTS
from ggmi.reporting.front import front_page
from ggmi.reporting.page import parts_of, render

TITLE = "Does synthetic data bring a student closer to the truth?"
HOSTILE = "<script>window.ran=1</script><svg onload='window.ran=1'><img src=x onerror='window.ran=1'>{{ 7*7 }}\u202e"
HOSTILE_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 700" width="720pt" height="700pt" onload="top.ran=1">'
    b'<script>top.ran=1;fetch("https://example.com/a")</script><image href="https://example.com/b.png" width="9"/>'
    b'<rect width="720" height="700" fill="#0072B2"/></svg>'
)
WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")

CONTRASTS = """selector => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(selector)].map((node) => {
    const pair = [light(channels(getComputedStyle(node).color)), light(ground(node))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
}"""


@pytest.fixture(scope="module")
def report(make_study, make_page, tmp_path_factory):
    """A page of the default's size, with hostile text in titles and figures."""
    main = make_study(
        {("psd", "released", "forward", axis): verdict for axis, verdict in (("K", "against"), ("L", "undecided"))},
        title=HOSTILE,
        covariances=("psd", "released"),
        anchors=("released", "text"),
        values=range(2, 16),
    )
    # Values whose order as text differs from their order as numbers.
    main.kl_gap["mean_nats"] = [(-1) ** i * 1.5 * i for i in range(len(main.kl_gap))]
    main.trends.loc[2, "p_value"] = float("nan")
    real = make_study(
        name="digits",
        title="Handwritten digits",
        truth="data",
        covariances=("empirical",),
        anchors=("released", "text"),
    )
    svg = HOSTILE_SVG.replace(b"</svg>", b"<!--" + b"figure" * 55_000 + b"--></svg>")
    place = tmp_path_factory.mktemp("results") / "mixtures.html"
    place.write_text(make_page(main, real, svg=svg), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser():
    with launched() as program:
        yield program


@pytest.fixture
def open_page(browser, report):
    """Opens the page; what it asks for and what it complains of are collected on it."""
    contexts = []

    def opened(width=1280, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=False, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(report.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")


def table_of(page, caption):
    """The box around a table, opened."""
    page.evaluate("document.querySelectorAll('details.fold').forEach((fold) => (fold.open = true))")
    return page.locator("#gmm div.table").filter(has=page.locator("caption", has_text=caption))


def column(box, label):
    """Texts of the visible cells of a column, from its first sixty rows."""
    return box.evaluate(
        """(box, label) => {
          const heads = [...box.querySelectorAll("thead th")];
          const at = heads.findIndex((head) => head.textContent === label);
          const rows = [...box.querySelectorAll("tbody tr")].filter((row) => !row.hidden).slice(0, 60);
          return rows.map((row) => row.cells[at].textContent);
        }""",
        label,
    )


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def test_it_opens_from_disk_and_asks_for_nothing(open_page, report):
    page = open_page()
    unfold(page)
    page.wait_for_timeout(200)
    assert page.complaints == []
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.title() == TITLE


def test_it_is_below_five_megabytes(report):
    assert 1_000_000 < report.stat().st_size < 5_000_000


def test_hostile_titles_and_figures_do_not_run(open_page):
    page = open_page()
    unfold(page)
    assert page.evaluate("window.ran") is None
    assert page.locator("#gmm h2").inner_text() == HOSTILE.replace("\u202e", "⟨U+202E⟩")
    assert page.locator("iframe, object, embed, body img:not([src^='data:'])").count() == 0


def test_every_picture_is_shown(open_page):
    page = open_page()
    unfold(page)
    sizes = page.evaluate(
        "[...document.images].map((image) => [image.complete, image.naturalWidth, image.clientWidth])"
    )
    assert len(sizes) == 4 + 2 + 2 + 2 + 1
    assert all(complete and natural > 0 and shown > 300 for complete, natural, shown in sizes)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_sideways(open_page, width):
    page = open_page(width)
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") == width
        unfold(page)
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_text_stands_out_from_its_ground(open_page, width, scheme):
    page = open_page(width, scheme)
    unfold(page)
    for selector, least in (
        ("body, main p:not(.note), dd, td, th, h1, h2, h3, pre", 7),
        ("main p.note, figcaption, nav a, .statement, a, .tools output", 4.5),
    ):
        found = page.evaluate(CONTRASTS, selector)
        assert len(found) > 10
        assert min(found) >= least


def test_light_and_dark_differ(open_page):
    grounds = {s: open_page(scheme=s).evaluate("getComputedStyle(document.body).backgroundColor") for s in SCHEMES}
    assert grounds["light"] != grounds["dark"]


def test_a_click_sorts_numbers_as_numbers(open_page):
    box = table_of(open_page(), "KL gap of every condition")
    before = column(box, "mean")
    head = box.locator("th", has=box.page.get_by_role("button", name="mean", exact=True))
    assert head.get_attribute("aria-sort") == "none"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = [number(text) for text in column(box, "mean")]
    assert values == sorted(values)
    assert values[0] < -900
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    values = [number(text) for text in column(box, "mean")]
    assert values == sorted(values, reverse=True)
    assert values[0] > 900
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "none"
    assert column(box, "mean") == before


def test_the_keyboard_sorts_and_one_column_at_a_time(open_page):
    page = open_page()
    box = table_of(page, "Trends of the KL gap")
    box.get_by_role("button", name="divergence", exact=True).focus()
    page.keyboard.press("Enter")
    names = column(box, "divergence")
    assert names == sorted(names)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert box.locator("th[aria-sort='ascending']").inner_text() == "swept"
    assert box.locator("th[aria-sort='none']").count() == box.locator("th").count() - 1
    assert column(box, "swept") == sorted(column(box, "swept"))


def test_missing_numbers_stay_last(open_page):
    box = table_of(open_page(), "Trends of the KL gap")
    button = box.get_by_role("button", name="p", exact=True)
    for _ in range(2):
        button.click()
        assert [text == "–" for text in column(box, "p")].index(True) == len(column(box, "p")) - 1


def test_the_filter_finds_words_and_columns(open_page):
    box = table_of(open_page(), "KL gap of every condition")
    field = box.get_by_role("searchbox", name="Filter")
    assert box.locator("output").inner_text() == "640 of 640 rows"
    for query, shown in (
        ("forward", 160),
        ("FORWARD k=3", 4),
        ("covariance=released anchor_components=text divergence=reverse L=15", 1),
        ("mean_nats=-1.5", 1),
        ("nothing like it", 0),
        ("(.*", 0),
        ("", 640),
    ):
        field.fill(query)
        assert box.locator("output").inner_text() == f"{shown} of 640 rows"
        assert box.locator("tbody tr:visible").count() == shown
    field.fill("forward K=3")
    assert set(column(box, "divergence")) == {"forward"}
    box.get_by_role("button", name="mean", exact=True).click()
    assert len(column(box, "mean")) == 4


def test_heads_of_tables_stay_in_sight(open_page):
    box = table_of(open_page(), "KL gap of every condition")
    scroll = box.locator(".scroll")
    scroll.evaluate("(node) => node.scrollTo(0, 2000)")
    assert scroll.evaluate("(node) => node.scrollTop") > 1000
    top = box.locator("thead th").first.bounding_box()["y"]
    assert abs(top - scroll.bounding_box()["y"]) < 3


def test_it_reads_without_scripts(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator(".tools:visible").count() == 0
    assert page.locator("#verdict .statement").is_visible()
    assert page.locator("#gmm table.data tbody tr").first.is_visible()


def test_links_of_the_contents_lead_to_their_sections(open_page):
    page = open_page()
    names = page.evaluate("[...document.querySelectorAll('nav a[href^=\"#\"]')].map((link) => link.hash.slice(1))")
    assert len(names) == len(set(names)) >= 7
    assert all(page.locator(f"section#{name}").count() == 1 for name in names)


@pytest.fixture(scope="module")
def hub(make_study, tmp_path_factory):
    """The front page of a run with mixtures and a paper's claims."""
    rows = [("At equal samples the framework does not matter", "arXiv 2501.15602, section 4.2", "contradicted")] * 9
    rows += [("Accuracy rises with the width k", "ours, of figure 5", "undecided")] * 90
    claims = pd.DataFrame(rows, columns=["claim", "source", "verdict"])
    files = parts_of("answers", "report")
    templates = [*files, REPORT_PARTS / "front.txt.j2"]
    real = make_study(name="digits", title="Digits", truth="data", covariances=("empirical",))
    shown = front_page(templates, [make_study(title=HOSTILE), real], [], None, {"slow_thinking": claims})
    place = tmp_path_factory.mktemp("hub") / "report.html"
    place.write_text(render(files, **shown, configuration="seed: 7", code="c0de", seed=7), encoding="utf-8")
    return place


@pytest.mark.parametrize("width", WIDTHS)
def test_the_front_page_answers_on_one_screen(browser, hub, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(hub.as_uri())
    assert page.evaluate("[window.ran, document.documentElement.scrollWidth]") == [None, width]
    assert page.locator("article h2 a").all_inner_texts() == [
        "Does synthetic data bring a student closer to the truth?",
        "Does thinking longer pay?",
    ]
    counts = page.locator("article").last.locator("dd").all_inner_texts()
    assert [text.split() for text in counts] == [["✓", "0", "✗", "9", "?", "0"], ["✓", "0", "✗", "0", "?", "90"]]
    found = page.evaluate(CONTRASTS, ".answers p, .answers a, .answers dt, .answers dd span")
    assert min(found) >= 4.5
    # Two answers take at most a third of a wide screen, and six all of it.
    assert page.locator("article").last.bounding_box()["y"] < (1000 if width < 400 else 270)
    page.close()


def test_a_missing_browser_is_a_clear_sentence(monkeypatch):
    monkeypatch.setenv(VARIABLE, "/no/such/program")
    with pytest.raises(RuntimeError, match="which is no program"):
        chromium()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("browser.PLACES", ())
    with pytest.raises(RuntimeError, match=f"install Debian's package chromium .* or set {VARIABLE}"):
        chromium()
