"""Hostile text in anchors, in what models write and in verdicts: data in every file, inert on every page."""

import csv
import itertools
import json
import re
import tracemalloc

import pytest
from browser import launched
from models.servers import Endpoint, completion, serving
from starlette.responses import JSONResponse
from workflow.conftest import Project

from ggmi.io import read_csv, write_csv
from ggmi.pipeline.anchors import source_sets
from ggmi.pipeline.ratings import ratings_long
from ggmi.pipeline.sets import curate_file, curation_of, parsed_rows
from ggmi.rating.verdicts import read_verdict
from ggmi.text.jsonl import write_rows
from ggmi.text.parsing import parse

PAGE = "results/hostile.html"
RUN = "window.__pwned=1;alert(1);fetch('https://example.com')"
HOSTILE = [
    f"<script>{RUN}</script>",
    f'</script><svg onload="{RUN}"><animate onbegin="{RUN}" attributeName=x></svg>',
    f"<img src=x onerror=\"{RUN}\"> [x](javascript:{RUN}) <a href='javascript:{RUN}'>go</a>",
    "{{template}} {{ 7*7 }} {% for x in y %} ${x} %s %(x)d {0.__class__} {wildcards.task}",
    "=cmd|'/c calc'!A1",
    "+1+1\t@SUM(1)",
    "-2+3+cmd|'x'",
    "@import url(https://example.com)",
    "a\u202etxt.exe\u202c\u2066b\u200b\x1b[31m\x07\x85",
    "| --- |\n---\n# Title\r\nlicense: evil",
    "--><!--<style>*{display:none}</style>",
]
TITLE = f"a\u202eb{HOSTILE[1]}"[:60]
NUMBERS = itertools.count()
OFF = {"lengths": None, "placeholders": False, "exact": False, "near": None}
# What no page and no card may hold: it turns, hides or rings.
TREACHEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")
FORMULA = re.compile(r"[=+\-@\t\r]")


def written(number):
    """What the generator writes: hostile records, and for some prompts what cannot be read at all."""
    records = [{"instruction": f"{text} {number}", "context": text, "response": text} for text in HOSTILE]
    long = [{"instruction": "Long.", "response": "x" * 10_000_000}]
    nul = [{"instruction": "NUL.", "response": "\x00", "context": f"<script>{RUN}</script>"}]
    deep = '{"instruction": ' + "[" * 100_000
    return [*map(json.dumps, (records, long, nul)), deep][number % 4]


def answer(body, _nth):
    return JSONResponse(completion(body, text=written(next(NUMBERS))))


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A task in which every text is hostile, from its anchors to Table 1 and its page."""
    project = Project.fresh(tmp_path_factory.mktemp("hostile") / "project")
    real = [
        {"id": f"{text} {i}", "instruction": f"Say {i} {text}", "context": text, "response": f"{text} {i}"}
        for i in range(3)
        for text in HOSTILE
    ]
    write_lines(project.path / "real.jsonl", real)
    (project.path / "ask.txt").write_text(f"{HOSTILE[0]}\n{{{{ anchors }}}}\n{{{{ count }}}} {HOSTILE[2]}")
    with serving(Endpoint(answer)) as url:
        far = {"kind": "openai", "base_url": url, "key_env": None}
        task = {
            "title": TITLE,
            "license": HOSTILE[0],
            "anchors": {"source": "real.jsonl", "near_duplicate": 0.5},
            "instances": [2],
            "prompts": {"prompts": 4, "template": "ask.txt", "system": HOSTILE[0]},
            "generators": {"far": {**far, "model": "writer", "concurrency": 1}},
            "estimation": None,
            "curations": {"none": OFF},
        }
        project.configure({"tasks": {"hostile": task}})
        project.run("--cores", "2", PAGE)
    return project


def files(project, *endings):
    return [p for p in sorted((project.path / "results").rglob("*")) if p.name.endswith(endings)]


def test_every_text_is_kept_as_it_is(done):
    folder = done.path / "results/hostile"
    made = rows_of(folder / "synthetic/far/2-ins/none/synthetic.jsonl")
    assert [row["response"] for row in made] == HOSTILE
    failures = rows_of(folder / "parsed/far/2-ins/failures.jsonl")
    assert sorted(row["reason"] for row in failures) == ["bad_character", "too_deep", "too_long"]
    assert max(len(row["excerpt"]) for row in failures) <= 300


def test_nothing_runs_and_nothing_is_asked_for_in_a_real_browser(done):
    asked, complaints, dialogs = [], [], []
    with launched() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        shown = [done.path / PAGE, *files(done, ".svg")]
        for path in shown:
            page.goto(path.as_uri())
            page.wait_for_timeout(100)
            assert page.evaluate("window.__pwned") is None, path
        page.goto(shown[0].as_uri())
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        body = page.inner_text("body")
        assert page.locator("script").count() == page.locator("head script, body > script").count()
        assert page.locator("body [onload], body [onerror], body [onbegin], body animate, body style").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
    assert (complaints, dialogs) == ([], [])
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    # It is shown, as text.
    assert TITLE.replace("\u202e", "⟨U+202E⟩") in body
    assert not TREACHEROUS.search(body)


def test_cards_and_pages_hold_no_character_that_turns_or_hides_text(done):
    found = files(done, ".html", ".md", ".svg", ".txt")
    assert {path.suffix for path in found} == {".html", ".md"}
    for path in found:
        assert not TREACHEROUS.search(path.read_text(encoding="utf-8")), path
    for path in files(done, "README.md"):
        beside_code = re.sub(r"(?ms)^(```+)text$.*?^\1$", "", path.read_text(encoding="utf-8").split("\n---\n", 1)[1])
        assert not re.search(r"<(script|svg|img|a|style)|\]\(|\{\{", beside_code)


def test_no_cell_of_a_table_is_a_formula(done):
    cells = 0
    for path in files(done, ".csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file, strict=True):
                for cell in filter(FORMULA.match, row):
                    float(cell)
                cells += len(row)
    assert cells > 20


def test_ids_and_verdicts_reach_the_table_of_ratings_as_text(tmp_path):
    readings = [read_verdict(f"{text}\nRating: [[7]]") for text in HOSTILE]
    assert {reading.rating for reading in readings} == {7.0}
    assert [read_verdict(text).rating for text in HOSTILE] == [None] * len(HOSTILE)
    rows = [
        {"id": text, "seed": 0, "draw": 0, "rating": 7.0, "verdicts": [{"rating": 7.0}], "problem": None}
        for text in HOSTILE
    ]
    table = ratings_long({"base": rows}, 1)
    write_csv(tmp_path / "ratings.csv", table)
    assert read_csv(tmp_path / "ratings.csv")["item"].tolist() == HOSTILE
    ratings = (tmp_path / "ratings.csv").read_text(encoding="utf-8")
    assert "\"'=cmd|" in ratings


# Sizes that no good answer has.


@pytest.mark.parametrize(
    "text",
    [
        "x" * 3_000_000,
        "[" * 3_000_000,
        '{"a":' * 200_000,
        '{"instruction": "' + "\\" * 3_000_000,
        '{"instruction": "a", "response": "b"},' * 20_000,
        "\x00" * 3_000_000,
        '{"instruction": "a", "response": "' + "\u202e" * 2_000_000 + '"}',
    ],
    ids=["letters", "lists", "objects", "backslashes", "records", "NUL", "bidi"],
)
def test_megabytes_on_one_line_are_read_in_bounded_memory(text):
    tracemalloc.start()
    found = parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.records or found.failures
    assert all(len(f.excerpt) <= 300 for f in found.failures)
    # The text itself may be copied a few times, in four bytes a character.
    assert peak < 40 * len(text)
    assert read_verdict(text).rating is None


def test_a_line_of_ten_megabytes_in_a_file_of_anchors_is_a_record_like_any_other(tmp_path):
    big = "word " * 2_000_000
    rows = [{"instruction": f"Say {i}", "context": "", "response": f"{i} {i + 1}"} for i in range(20)]
    write_lines(tmp_path / "real.jsonl", [*rows, {"instruction": "Long", "response": big}, {"id": big, **rows[0]}])
    source = {
        "source": str(tmp_path / "real.jsonl"),
        "fields": {},
        "encoding": None,
        "invalid": "stop",
        "test_share": 0.2,
    }
    sets, report = source_sets({**source, "near_duplicate": 0.5}, seed=1)
    assert sum(r.response == big for r in (*sets.train, *sets.test)) == 1
    assert report["train"] + report["test"] == 22


def test_a_long_hostile_response_goes_through_parsing_and_curation(tmp_path):
    text = json.dumps([{"instruction": f"{t} {i}", "context": t, "response": t} for i in range(2000) for t in HOSTILE])
    row = {
        **{"key": "0" * 64, "text": text, "finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1},
        **{"log_prob_nats": None, "log_prob_missing": "none", "token_log_probs": None, "model": "m"},
        **{"prompt_id": "p", "draw": 0},
    }
    records, failures, summary = parsed_rows([row], {"p": ["a"]}, "far")
    assert (len(records), failures, summary["validity"]) == (2000 * len(HOSTILE), [], 1.0)
    write_rows(tmp_path / "rows", records)
    filters = curation_of({**OFF, "exact": True, "placeholders": True})
    summary = curate_file(tmp_path / "rows", filters, {}, tmp_path / "kept", tmp_path / "drops")
    assert summary["dropped"] == {"placeholders: template leftover": 2000}
    assert summary["kept"] == 2000 * (len(HOSTILE) - 1)
