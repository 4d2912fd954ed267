"""A set that is imported in shards, through real Snakemake."""

import json

import pytest
from project import refusal

from ggmi.io import read_json

FILTERS = {"lengths": None, "placeholders": True, "exact": True, "contamination": 0.8, "near": 0.7}
SET = "results/sharded/synthetic/{}/given/standard"


def rows(part):
    """Records that repeat others of their file, of the other files, and of T."""
    words = [f"{letter}{part}" for letter in "abcdefghij"]
    own = " ".join(words)
    texts = [own, f"{own} more", "the same everywhere", "[Your Name]", f"real {part} r1 r2 r3 r4 r5 r6 r7 r8"]
    return [{"id": i, "instruction": "Say it.", "response": text} for i, text in enumerate([*texts, *words[:4]])]


@pytest.fixture(scope="module")
def sharded(tmp_path_factory, project_at):
    """A project with one set in one piece and in three shards, of which the latter is estimated."""
    project = project_at(tmp_path_factory.mktemp("shards") / "project")
    real = [{"instruction": "Say it.", "response": f"real {i} r1 r2 r3 r4 r5 r6 r7 r8"} for i in range(6)]
    contents = {"real": real} | {f"parts/{part}": rows(part) for part in range(4)}
    (project.path / "parts").mkdir()
    for name, found in contents.items():
        (project.path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    task = {
        "title": "Sharded",
        "anchors": {"source": "real.jsonl", "test_share": 0.5},
        "generators": {
            "whole": {"kind": "import", "path": "parts"},
            "three": {"kind": "import", "path": "parts", "shards": 3},
        },
        "curations": {"standard": FILTERS, "few": {**FILTERS, "near": None, "records": 5, "faults": {"repeated": 0.4}}},
        "estimation": {"permutations": 49, "records": 12, "published_samples": 3, "published_records": 4},
    }
    project.configure({"tasks": {"sharded": task}})
    made = [SET.format(name) + end for name in ("whole", "three") for end in ("/synthetic.jsonl", ".json")]
    few = [made[0].replace("standard", "few"), made[2].replace("standard", "few")]
    project.run("--cores", "2", *made, *few, "results/sharded/estimation/three/given/standard.json")
    return project


@pytest.mark.parametrize("file", ["standard/synthetic.jsonl", "standard.drops.jsonl", "standard.json"])
def test_shards_make_the_set_that_one_piece_makes(sharded, file):
    whole, three = ((sharded.path / SET.format(name)).parent / file for name in ("whole", "three"))
    assert three.read_text().replace('"generator": "three"', '"generator": "whole"') == whole.read_text()


def test_records_are_dropped_for_what_other_shards_hold(sharded):
    found = read_json(sharded.path / f"{SET.format('three')}.json")["dropped"]
    contaminated = {name: found.pop(name, 0) for name in ("contamination: near test", "contamination: near train")}
    assert sum(contaminated.values()) == 4
    assert found == {"exact: exact duplicate": 3, "near: near-duplicate": 4, "placeholders: bracketed own": 4}


def test_faults_are_put_into_a_set_of_shards(sharded):
    folder = sharded.path / "results/sharded/synthetic/three/given"
    kept = [json.loads(line) for line in (folder / "few/synthetic.jsonl").read_text().splitlines()]
    assert len(kept) == 5
    assert read_json(folder / "few.json")["faults"] == {"repeated": 2}


def test_estimates_of_shards_are_of_a_sample(sharded):
    estimates = read_json(sharded.path / "results/sharded/estimation/three/given/standard.json")
    found = {row["estimator"]: row for row in estimates}
    assert found["vendi"]["n"] == 12
    sample = (sharded.path / "results/sharded/estimation/samples/three/given/standard.jsonl").read_text()
    assert len(set(sample.splitlines())) == 12
    whole = (sharded.path / SET.format("three") / "synthetic.jsonl").read_text()
    assert set(sample.splitlines()) < set(whole.splitlines())


@pytest.mark.parametrize(
    ("path", "said"),
    [("parts", "5 jobs need as many files, and parts holds 4; allowed: 1 to 4"), ("some/set", "is read from the hub")],
)
def test_more_shards_than_files_are_refused(sharded, monkeypatch, path, said):
    generators = {"three": {"kind": "import", "path": path, "shards": 5}}
    monkeypatch.chdir(sharded.path)
    told = refusal(
        {"tasks": {"sharded": {"title": "S", "anchors": {"source": "real.jsonl"}, "generators": generators}}}
    )
    assert told.startswith("config: tasks.sharded.generators.three.shards: ")
    assert said in told
