"""From anchors to synthetic sets through real Snakemake: the embedded world, files, models and endpoints."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import forked
import pandas as pd
import pytest
from browser import launched
from models import asking
from models.servers import Endpoint, completion, name_of, serving
from models.tiny import make_model
from starlette.responses import Response

from ggmi.errors import UserError
from ggmi.models.store import Store

ROOT = Path(__file__).resolve().parents[2]
SEEDS = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared/data")) / "seed_tasks.jsonl"
KEY = "sk-never-to-be-seen-4711"
OFF = {"lengths": None, "placeholders": False, "exact": False, "near": None}
RECIPE = {"layers": 1, "width": 16, "heads": 2, "record_steps": 10}
WORLD = {
    **{"anchored": 4, "unsampled": 1, "irrelevant": 4, "letters": 4, "length": 2, "most_anchors": 4, "further": 3},
    **{"anchor_records": 30, "train_records": 20, "test_records": 10},
    "generators": {"large": {**RECIPE, "list_steps": 10}, "medium": None, "small": None},
    "student": RECIPE,
}
EMBEDDED = {
    "instances": [2, 4],
    "prompts": {"prompts": 3, "count": 3},
    "sampling": {"max_tokens": 27},
    "generators": {"medium": None, "small": None},
    # What comes after synthesis has tests of its own.
    **dict.fromkeys(("students", "judge", "estimation")),
}
HOSTILE = [
    "<script>window.ran=1</script>",
    "<img src=x onerror='window.ran=1'>",
    "{{ anchors }} {{ 7*7 }} {% raw %}",
    "=cmd|'/c calc'!A1",
    "a\u202eb\u200bc\x1b[31m",
    "| --- |\n---\n# Title",
    "wildcards: {task} {config[seed]}",
]


def hosted(address):
    """A task with an endpoint and an imported set."""
    return {
        "title": "Hosted <script>window.ran=1</script>",
        "anchors": {"source": "hosted.jsonl", "near_duplicate": 0.6},
        "instances": [2, 3],
        "prompts": {"prompts": 4, "system": "Be brief."},
        "sampling": {"max_tokens": 50},
        "generators": {
            "far": {"kind": "openai", "model": "m", "base_url": address, "key_env": "GGMI_TEST_KEY", "concurrency": 1},
            "theirs": {"kind": "import", "path": "theirs.jsonl", "fields": {"instruction": "ask", "response": "say"}},
        },
        "curations": {"none": OFF, "strict": {**OFF, "exact": True, "contamination": 0.7}},
        "estimation": None,
    }


SEEDED = {
    "title": "Seed tasks",
    "anchors": {"source": str(SEEDS)},
    "instances": [3],
    "prompts": {"prompts": 3},
    "sampling": {"max_tokens": 24},
    "generators": {"tiny": {"kind": "local", "model": "./tiny_model"}},
    "estimation": None,
}


def answer(body, _nth):
    """Records with hostile text, one that repeats, one that is none, and half a surrogate pair between them."""
    number = sum(name_of(body).encode()) % 97
    hostile = [{"instruction": text, "context": text, "response": text} for text in HOSTILE]
    fine = {"instruction": f"Add {number} and 1.", "context": "", "response": str(number + 1)}
    bad = {"instruction": "Say NUL.", "context": "", "response": "\x00"}
    text = "\n".join(map(json.dumps, [*hostile, fine, fine, bad])) + "\n\ud83d and =1+1"
    return Response(json.dumps(completion(body, text=text)), media_type="application/json")


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def server():
    """A real endpoint on loopback; the key for it is in the environment."""
    endpoint = Endpoint(answer)
    with pytest.MonkeyPatch.context() as patch, serving(endpoint) as address:
        patch.setenv("GGMI_TEST_KEY", KEY)
        patch.setenv("HF_HUB_OFFLINE", "1")
        endpoint.address = address
        yield endpoint


def prepared(project, address):
    """Put the files beside the configuration that its tasks name."""
    words = "red blue green white black pink grey brown gold teal".split()  # noqa: SIM905 - words are read better whole
    plain = [{"id": f"r{i}", "instruction": f"{w} {w}s {i}", "context": "", "response": w} for i, w in enumerate(words)]
    copies = [{**row, "id": f"{HOSTILE[i % 7]} {i}", "context": HOSTILE[i % 7]} for i, row in enumerate(plain)]
    write_lines(project.path / "hosted.jsonl", plain + copies)
    write_lines(project.path / "theirs.jsonl", [{"ask": text, "say": text} for text in [*HOSTILE, HOSTILE[0]]])
    tasks = {"embedded": EMBEDDED, "hosted": hosted(address)}
    if SEEDS.is_file():
        make_model(project.path / "tiny_model", window=8192)
        tasks["seeded"] = SEEDED
    project.settings = {"world": WORLD, "tasks": tasks}
    project.configure(project.settings)
    return project


def pages(project):
    return [f"results/{task}.html" for task in project.settings["tasks"]]


@pytest.fixture(scope="module")
def done(tmp_path_factory, project_at, server):
    """Every task run once to its page."""
    project = prepared(project_at(tmp_path_factory.mktemp("tasks") / "project"), server.address)
    project.said = project.run("--cores", "2", *pages(project)).stderr
    return project


@pytest.fixture
def project(done, tmp_path):
    """A copy of the finished project that may be changed."""
    copied = done.copy(tmp_path / "project")
    copied.settings = done.settings
    return copied


@pytest.fixture(scope="module")
def seeds():
    if not SEEDS.is_file():
        pytest.skip(f"NO REAL ANCHORS at {SEEDS}, so nothing is known of them; SHARED_DATA names another folder")


def table(project, name):
    return pd.read_csv(project.path / "results" / f"{name}.csv")


def set_of(project, task, generator, condition, curation):
    return project.path / f"results/{task}/synthetic/{generator}/{condition}/{curation}"


# What a run makes.


def test_the_worlds_run_makes_every_file_and_tables_with_their_columns(done):
    results = done.path / "results"
    for condition in ("2-ins", "4-ins"):
        made = {
            *(f"prompts/{condition}.jsonl", f"responses/large/{condition}.jsonl", f"responses/large/{condition}.json"),
            *(f"parsed/large/{condition}/{name}" for name in ("records.jsonl", "failures.jsonl", "summary.json")),
            *(f"synthetic/large/{condition}/as_sampled{end}" for end in (".json", ".drops.jsonl", "/README.md")),
        }
        assert [name for name in made if not (results / "embedded" / name).is_file()] == []
    assert len(rows_of(results / "embedded/prompts/4-ins.jsonl")) == 3
    assert [len(rows_of(results / f"embedded/anchors/{n}.jsonl")) for n in ("pool", "train", "test")] == [30, 20, 10]
    validity = table(done, "embedded/validity")
    assert validity[["generator", "condition", "responses", "missing"]].to_numpy().tolist() == [
        ["large", "2-ins", 3, 0],
        ["large", "4-ins", 3, 0],
    ]
    failed = [name for name in validity if name.startswith("failed_")]
    assert (validity[failed].sum(axis=1) == validity["failures"]).all()
    assert table(done, "embedded/shares")["generator"].tolist() == ["ideal", "large"] * 2
    assert set(table(done, "world/generators")["generator"]) == {"large"}
    assert len(json.loads((results / "world/world.json").read_text())["skills"]) == 9


def test_the_worlds_models_are_folders_that_anybody_can_load(done):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = done.path / "results/world/models/large"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    text = rows_of(done.path / "results/embedded/prompts/2-ins.jsonl")[0]["text"]
    ids = tokenizer(text, return_tensors="pt").input_ids
    assert model(ids).logits.shape == (1, 2 * 9 + 1, model.config.vocab_size)
    assert not list((done.path / "results").rglob("*.bin"))


def test_real_anchors_and_a_random_model_give_no_record_and_the_reasons(done, seeds):
    (row,) = table(done, "seeded/validity").to_dict("records")
    assert (row["responses"], row["records"], row["validity"], row["validity_ci_low"]) == (3, 0, 0, 0)
    assert row["failures"] == row["failed_no_json"] == 3
    failures = rows_of(done.path / "results/seeded/parsed/tiny/3-ins/failures.jsonl")
    assert all(f["excerpt"] for f in failures)
    split = json.loads((done.path / "results/seeded/anchors/split.json").read_text())
    assert (split["train"], split["test"]) == (140, 35)
    folder = set_of(done, "seeded", "tiny", "3-ins", "standard")
    assert (folder / "synthetic.jsonl").read_bytes() == b""
    assert "0 synthetic records" in (folder / "README.md").read_text()
    assert "valid records were tiny 0.0\N{NO-BREAK SPACE}%" in (done.path / "results/seeded.html").read_text()


def test_an_imported_set_joins_at_curation(done):
    found = rows_of(set_of(done, "hosted", "theirs", "given", "none") / "synthetic.jsonl")
    assert [row["response"] for row in found] == [*HOSTILE, HOSTILE[0]]
    strict = rows_of(set_of(done, "hosted", "theirs", "given", "strict") / "synthetic.jsonl")
    assert [row["response"] for row in strict] == HOSTILE
    card = (set_of(done, "hosted", "theirs", "given", "none") / "README.md").read_text()
    assert "theirs.jsonl" in card
    assert not any(word in card for word in ("Prompt template", "max&#95;tokens"))


def test_an_endpoint_is_asked_once_for_each_response_one_job_after_another(done, server):
    bodies = [body for body in server.bodies if body["temperature"] == 1.0]
    assert len(bodies) == 2 * 4
    assert {body["messages"][0]["content"] for body in bodies} == {"Be brief."}
    assert server.most == 1
    assert all(headers["authorization"] == f"Bearer {KEY}" for headers in server.headers)
    kept = rows_of(done.path / "stores/hosted/far.jsonl")
    assert len({row["key"] for row in kept}) == len(kept) == 8
    validity = table(done, "hosted/validity").set_index("generator").loc["far"]
    assert validity["records"].tolist() == [4 * 9] * 2
    assert validity["failed_bad_character"].tolist() == [4] * 2


def test_the_key_is_written_nowhere(done):
    assert KEY not in done.said
    searched = 0
    for path in done.path.rglob("*"):
        if path.is_file():
            searched += 1
            assert KEY.encode() not in path.read_bytes(), path
    assert searched > 100


def test_sets_are_loaded_by_datasets_with_hostile_text_as_it_is(done, tmp_path):
    import datasets

    datasets.disable_progress_bars()
    for generator, condition in (("far", "2-ins"), ("theirs", "given")):
        folder = set_of(done, "hosted", generator, condition, "none")
        found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))["train"]
        assert set(HOSTILE) <= set(found["response"][:])
        assert set(found["generator"][:]) == {generator}


def test_hostile_text_is_inert_in_cards_and_tables(done):
    for card in (done.path / "results/hosted").rglob("README.md"):
        text = card.read_text(encoding="utf-8")
        assert "<script" not in text.split("\n---\n", 1)[1]
        assert not set("\x1b\u202e\u200b\x00") & set(text)
    for path in (done.path / "results").glob("hosted/*.csv"):
        cells = path.read_text(encoding="utf-8").replace("\n", ",").split(",")
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "<")) or "{{" in cell] == []


def test_hostile_text_is_inert_on_the_page_in_a_real_browser(done):
    near = json.loads((done.path / "results/hosted/anchors/split.json").read_text())["near_duplicates_across"]
    ids = [pair[side] for pair in near for side in ("train_id", "test_id")]
    assert any("<script>" in name or "<img" in name for name in ids)
    asked, complaints = [], []
    with launched() as browser:
        for name in pages(done):
            page = browser.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto((done.path / name).as_uri())
            assert page.evaluate("window.ran") is None
            if "hosted" in name:
                page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
                body = page.inner_text("body")
                assert "<script>window.ran=1</script>" in body
                assert any(name in body for name in ids if "<" in name)
                assert not set("\x1b\u202e\u200b") & set(body)
    assert complaints == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}


# Reruns.


def test_nothing_is_planned_when_nothing_changed(done):
    assert done.planned(*pages(done)) == set()


def changed(settings, **tasks):
    """The settings with some tasks' keys laid over."""
    laid = {name: {**settings["tasks"][name], **keys} for name, keys in tasks.items()}
    return {**settings, "tasks": {**settings["tasks"], **laid}}


def test_changes_plan_exactly_the_jobs_that_depend_on_them(project, server, seeds):
    curations = {**hosted("")["curations"], "strict": {**OFF, "exact": True, "near": 0.5}}
    project.configure(
        changed(
            project.settings,
            embedded={"instances": [2, 3, 4]},
            hosted={"curations": curations},
            seeded={"sampling": {"max_tokens": 25}},
        )
    )
    assert project.planned(*pages(project)) == {
        # A new number of instances makes its own jobs, and what gathers them.
        *("prompts embedded 3", "responses embedded large 3-ins", "parsed_set embedded large 3-ins"),
        *("curated_set embedded large 3-ins as_sampled", "synthesis_tables embedded", "shares embedded"),
        *("figure_shares embedded", "task_page embedded", "world_truth"),
        # A curation is made anew for every set, and no other curation is.
        *(f"curated_set hosted {place} strict" for place in ("far 2-ins", "far 3-ins", "theirs given")),
        *("synthesis_tables hosted", "task_page hosted"),
        # Sampling decides the responses and everything after them.
        *("responses seeded tiny 3-ins", "parsed_set seeded tiny 3-ins", "curated_set seeded tiny 3-ins standard"),
        *("synthesis_tables seeded", "task_page seeded"),
    }


def test_how_fast_and_for_how_much_is_asked_makes_nothing_anew(project, server):
    asked = len(server.bodies)
    far = {**project.settings["tasks"]["hosted"]["generators"]["far"], "prices": {"input": 9}, "read_timeout": 7}
    far |= {"concurrency": 3, "attempts": 2, "budget": {"max_requests": 100}}
    generators = {**project.settings["tasks"]["hosted"]["generators"], "far": far}
    project.configure(changed(project.settings, hosted={"generators": generators, "missing_allowed": 0.5}))
    assert project.planned(*pages(project)) <= {"manner hosted far", "manner seeded tiny", "manner embedded large"}
    before = (project.path / "results/hosted/responses/far/2-ins.jsonl").stat().st_mtime_ns
    project.run("--cores", "2", *pages(project))
    assert (project.path / "results/hosted/responses/far/2-ins.jsonl").stat().st_mtime_ns == before
    assert len(server.bodies) == asked


def test_a_model_folder_that_changes_is_asked_again(project, seeds):
    path = project.path / "tiny_model/config.json"
    path.write_text(path.read_text().replace("8192", "8191"))
    assert "responses seeded tiny 3-ins" in project.planned("results/seeded/validity.csv")


# Sameness and crashes.


def content(project, *folders):
    """Bytes of what was made below some folders of the results."""
    return {
        str(path.relative_to(project.path)): path.read_bytes()
        for folder in folders
        for path in sorted((project.path / "results" / folder).rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


def test_another_folder_and_other_cores_give_the_same_bytes(done, fresh_project, server):
    made = content(done, "embedded/synthetic", "embedded/responses", "embedded/anchors", "world/models/large")
    again = prepared(fresh_project, server.address)
    targets = [f"results/embedded/synthetic/large/{x}-ins/as_sampled.json" for x in (4, 2)]
    again.run("--cores", "1", *targets, again=True)
    folders = ("embedded/synthetic", "embedded/responses", "embedded/anchors", "world/models/large")
    assert content(again, *folders) == made
    # With what is kept, they are the same too, and nothing is asked of the model.
    stores = {path: path.read_bytes() for path in (again.path / "stores").rglob("*.jsonl")}
    shutil.rmtree(again.path / "results/embedded")
    again.run("--cores", "2", *targets)
    assert content(again, *folders) == made
    assert {path: path.read_bytes() for path in (again.path / "stores").rglob("*.jsonl")} == stores


def wait_until_free(store):
    """Wait until a job has noticed that its run is gone, and writes no more."""
    until = time.monotonic() + 60
    while True:
        try:
            with Store(store).writing():
                return
        except UserError:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_run_that_is_killed_while_it_asks_goes_on_where_it_was(project, server, tmp_path):
    targets = [f"results/hosted/parsed/far/{x}-ins/records.jsonl" for x in (2, 3)]
    undisturbed = project.copy(tmp_path / "undisturbed")
    for each in (project, undisturbed):
        each.configure(changed(project.settings, hosted={"sampling": {"max_tokens": 50, "temperature": 0.5}}))
    undisturbed.run("--cores", "2", *targets)
    store = project.path / "stores/hosted/far.jsonl"
    # However late the kill comes, the job has not ended before.
    server.held = lambda: asking.lines_in(store) >= 8 + 2
    asked = len(server.bodies)
    process = subprocess.Popen(
        project.command("--cores", "2", *targets),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while asking.lines_in(store) < 8 + 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_free(store)
    assert asking.lines_in(store) == 8 + 2
    server.held = lambda: False
    project.run("--cores", "2", *targets)
    for folder in ("hosted/responses", "hosted/parsed"):
        assert content(project, folder) == content(undisturbed, folder)
    keys = Counter(row["key"] for row in rows_of(store))
    assert len(keys) == 16
    assert set(keys.values()) == {1}
    # Only what was under way at the kill was sent again.
    assert len(server.bodies) - asked <= 8 + 1


# Bad input.


def sentences(run):
    said = run.stdout + run.stderr
    assert run.returncode == 2, said
    assert "Traceback" not in said
    return [line.removeprefix("ggmi: ") for line in said.splitlines() if line.startswith("ggmi: ")]


def test_each_mistake_in_files_models_and_endpoints_is_one_sentence(fresh_project, server):
    path = fresh_project.path
    good = [{"instruction": f"Say {i}.", "context": "", "response": str(i)} for i in range(9)]
    files = {"missing": {"instruction": "Add."}, "empty": {**good[0], "response": " "}, "list": [1]}
    for name, row in files.items():
        write_lines(path / f"{name}.jsonl", [good[0], row])
    write_lines(path / "good.jsonl", good)
    (path / "latin.jsonl").write_bytes(json.dumps(good[0]).encode() + b'\n{"instruction": "\xfc"}\n')
    (path / "no_place.txt").write_text("Write tasks.\nMany of them.\n")
    make_model(path / "narrow", window=64)
    asked = len(server.bodies)
    page = Endpoint(lambda _body, _nth: Response("<html>Sign in</html>", media_type="text/html"))
    near = {"kind": "local", "model": "./narrow"}
    far = {"kind": "openai", "model": "m", "base_url": server.address, "key_env": "GGMI_TEST_KEY"}

    def task(source="good.jsonl", generator=near, **changes):
        anchors = {"source": source, "invalid": "stop"}
        values = {"title": "T", "anchors": anchors, "instances": [2], "generators": {"g": generator}}
        return {**values, "prompts": {"prompts": 2}, "sampling": {"max_tokens": 20}, **changes}

    with serving(page) as address:
        html = {**far, "base_url": address, "first_wait": 0.01, "attempts": 3}
        tasks = {
            **{name: task(f"{name}.jsonl") for name in ("missing", "empty", "list", "latin")},
            "few": task(instances=[8]),
            "template": task(prompts={"prompts": 2, "template": "no_place.txt"}),
            "keyless": task(generator={**far, "key_env": "GGMI_NOT_SET"}),
            "unknown": task(generator={"kind": "local", "model": "nobody/nothing"}),
            "page": task(generator=html),
            "narrow": task(),
            "tight": task(generator={**far, "context_window": 100}),
        }
        fresh_project.configure({"tasks": tasks})
        targets = [f"results/{name}/validity.csv" for name in tasks]
        found = sentences(fresh_project.run("--cores", "2", "--keep-going", *targets, check=False))
    expected = [
        r"missing\.jsonl: 1 of 2 rows hold no record: 1 without a response \(line 2\); invalid: drop leaves them out",
        r"empty\.jsonl: 1 of 2 rows hold no record: 1 with an empty response in 'response' \(line 2\); invalid: .*",
        r"list\.jsonl: 1 of 2 rows hold no record: 1 not an object \(line 2: but a list\); invalid: drop .*",
        r"latin\.jsonl: line 2 is not UTF-8 \(its byte 18\); name the file's encoding, such as cp1252 .*",
        r"tasks\.few\.instances: 8 anchors are wanted in a prompt, and .* gives 7 to choose from; allowed: up to 7",
        r"no_place\.txt: none of its lines \(1 to 2\) holds \{\{ anchors \}\}",
        r"key_env: the environment variable GGMI_NOT_SET is not set; the endpoint's key is read from it",
        r"nobody/nothing: cannot be loaded as a model \(.*\)",
        rf"{re.escape(address)}: the endpoint answers no JSON but '<html>.*; is base_url the address of an .*",
        r"\./narrow: the context window holds 64 tokens, but prompt '\w+' has \d+ and max_tokens is 20; put .*",
        r"m: the context window holds 100 tokens, but prompt '\w+' has about \d+ \(by the .*\) and max_tokens is 20.*",
    ]
    assert len(found) == len(expected)
    for pattern in expected:
        assert len([line for line in found if re.fullmatch(pattern, line)]) == 1, (pattern, found)
    assert len(server.bodies) == asked  # the window was too small before anything was asked
    assert KEY not in "".join(found)


# The published set-up.


def test_the_published_set_up_plans_its_whole_graph(fresh_project):
    command = [forked.python(), "-m", "snakemake", "--cores", "1", "-n", "--configfile", "presets/paper.yaml"]
    run = subprocess.run(
        command, cwd=fresh_project.path, env=fresh_project.environment, capture_output=True, text=True, check=True
    )
    counts = dict(re.findall(r"^(\w+) +(\d+)$", run.stdout + run.stderr, re.MULTILINE))
    per_condition = {name: int(counts[name]) for name in ("responses", "parsed_set", "curated_set")}
    assert per_condition == dict.fromkeys(per_condition, 9)
    assert (counts["anchors"], counts["prompts"], counts["task_page"], counts["report"]) == ("1", "3", "1", "1")
    assert "world_model" not in counts


def test_a_larger_set_asks_for_more_memory_and_time(project_at, tmp_path):
    project = project_at(tmp_path)
    row = json.dumps({"instruction": "Say it.", "response": "it " * 600}) + "\n"
    (tmp_path / "real.jsonl").write_text(row * 4)
    (tmp_path / "small.jsonl").write_text(row)
    (tmp_path / "large.jsonl").write_text(row * round(40 * 2**20 / len(row)))
    (tmp_path / "parts").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"parts/{name}.jsonl").symlink_to(tmp_path / "large.jsonl")
    generators = {name: {"kind": "import", "path": f"{name}.jsonl"} for name in ("small", "large")}
    generators["cut"] = {"kind": "import", "path": "parts", "shards": 2}
    task = {"title": "Sizes", "anchors": {"source": "real.jsonl"}, "generators": generators, "estimation": None}
    project.configure({"mixtures": {"gmm": None, "digits": None}, "tasks": {"sized": task}})
    planned = project.run("-n", "--cores", "1").stdout
    jobs = re.split(r"\n(?=(?:local)?rule \w+:)", planned)

    def asked(rule):
        read = [job for job in jobs if job.startswith(f"rule {rule}:")]
        return {
            re.search(r"generator=(\w+)", job)[1]: sorted(map(int, re.findall(r"(?:mem_mb|runtime)=(\d+)", job)))
            for job in read
        }

    whole = {"small": [20, 2000], "large": [24, 2000 + 8 * 40]}
    # The files of shards are there before the run, and count in millions of bytes.
    megabytes = 40 * 2**20 / 1e6
    assert asked("imported_set") == {**whole, "cut": [22, round(2000 + megabytes)]}
    assert asked("shard_rows") == {"cut": [24, round(2000 + 5 * megabytes)]}
