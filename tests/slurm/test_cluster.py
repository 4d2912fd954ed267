"""The workflow on a real SLURM, by SLURM's own records of what ran, with what, and when."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from models.tiny import make_model
from project import Project
from slurm.cluster import wait_for

from ggmi.text.jsonl import write_rows
from ggmi.workflow.record import read_run

WORDS = ("red", "blue", "green", "white", "black", "pink", "grey", "brown", "gold", "teal")
ON_GPU = {"kind": "local", "model": "./tiny_model"}
MINE = {
    "title": "Mine",
    "anchors": {"source": "mine.jsonl", "near_duplicate": 0.99},
    "instances": [3],
    "prompts": {"prompts": 3},
    "sampling": {"max_tokens": 24},
    "generators": {"gpu": ON_GPU, "cpu": {**ON_GPU, "device": "cpu"}},
    "students": {"base": "./tiny_model", "training": {"epochs": 1}, "seeds": 1, "match": None},
}
# A set of two files, each read and curated by jobs of its own.
CUT = {
    "title": "Cut",
    "anchors": {"source": "mine.jsonl", "near_duplicate": 0.99},
    "generators": {"parts": {"kind": "import", "path": "parts", "shards": 2}},
    "estimation": None,
}
# Three segments, which share a submission.
GMM = {"sweeps": {"K": [2, 3], "J": [2, 3], "L": [2, 3]}, "anchor_components": ["released"], "estimators": ["forward"]}
STUDY = {"mixtures": {"gmm": GMM, "digits": None}}
WHOLE = {**STUDY, "tasks": {"mine": MINE, "cut": CUT}}
# A job that takes longer than anything else here.
LONG = "results/extra/slow-30.txt"
SECONDS = 300


def prepared(project, settings):
    if "tasks" in settings:
        rows = [{"id": f"r{i}", "instruction": f"w{i} {w}", "response": f"w{i + 1}"} for i, w in enumerate(WORDS * 3)]
        write_rows(project.path / "mine.jsonl", rows)
        (project.path / "parts").mkdir()
        for name, part in (("a", rows[:20]), ("b", rows[10:])):
            write_rows(project.path / f"parts/{name}.jsonl", part)
        make_model(project.path / "tiny_model", window=8192)
    project.configure(settings)
    return project


def started(project, *arguments):
    return subprocess.Popen(
        project.command(*arguments),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ggmi(project, *words):
    command = [str(Path(sys.executable).with_name("ggmi")), *words]
    return subprocess.run(
        command, cwd=project.path, env=project.environment, capture_output=True, text=True, check=False
    )


def rule_of(job):
    """What SLURM's comment on a job says it makes."""
    return job["Comment"].removeprefix("rule_")


def is_running(project, rule):
    return any(rule_of(job).startswith(rule) and job["JobState"] == "RUNNING" for job in project.jobs())


@pytest.fixture(scope="session", autouse=True)
def faulty(project_on):
    """A run whose jobs ask for too little; it takes minutes of waiting, so it begins with the session."""
    project = prepared(project_on("faulty"), STUDY)
    files = ("hungry-600", "hungry-1500", "slow-75", "slow-400", "crowd-1", "crowd-1500", "crowd-2")
    targets = [f"results/extra/{name}.txt" for name in files]
    arguments = ["--retries", "1", "--group-components", "crowd=3", "--", *targets]
    process = started(project, *arguments)
    yield project, process
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    project = prepared(Project.fresh(tmp_path_factory.mktemp("local") / "project"), WHOLE)
    project.run("--cores", "2")
    return project


@pytest.fixture(scope="session")
def whole(project_on):
    project = prepared(project_on("whole"), WHOLE)
    project.run()
    return project


def test_results_through_slurm_are_the_bytes_of_a_local_run(whole, local):
    expected = local.tables()
    assert whole.tables().keys() == expected.keys()
    assert [name for name, content in whole.tables().items() if expected[name] != content] == []
    assert {job["JobState"] for job in whole.jobs()} == {"COMPLETED"}
    assert whole.planned() == set()


def test_short_jobs_share_submissions_and_tables_are_made_without_any(whole):
    made = [job for job in read_run(whole.path / "results").jobs.values() if "shard" not in job.rule]
    submitted = [job for job in whole.jobs() if "shard" not in rule_of(job)]
    assert len(made) > 3 * len(submitted)
    assert not [job for job in whole.jobs() if re.match(r"(kl_gap|figure|report|anchors)", rule_of(job))]


def test_every_shard_of_a_set_has_submissions_of_its_own(whole):
    alone = {rule_of(job) for job in whole.jobs() if re.match(r"shard|joined", rule_of(job))}
    steps = ("screened", "index", "pairs")
    assert alone == {
        *(f"shard_rows_wildcards_cut_parts_{shard}" for shard in range(2)),
        *(f"shard_{step}_wildcards_cut_parts_standard_{shard}" for step in steps for shard in range(2)),
        *(f"{rule}_wildcards_cut_parts_standard" for rule in ("shards_merged", "joined_index")),
    }


def test_rules_that_run_a_model_on_a_gpu_hold_one_and_no_others_do(whole):
    held = {rule_of(job): job.get("JOB_GRES") for job in whole.jobs()}
    assert set(held.values()) == {"gpu:h200:1", "(null)"}
    with_gpu = {rule for rule, gpus in held.items() if gpus == "gpu:h200:1"}
    assert "responses_wildcards_mine_gpu_3-ins" in with_gpu
    # The base is copied, not trained.
    assert {"responses_wildcards_mine_cpu_3-ins", "students_wildcards_mine_base_0-0"} <= held.keys() - with_gpu
    assert {re.match(r"responses|students|evaluations|", rule)[0] for rule in with_gpu} == {
        *("responses", "students", "evaluations")
    }
    assert {rule for rule in held if re.match(r"students(?!.*_base_)|evaluations", rule)} <= with_gpu


def test_a_refused_group_is_one_sentence_with_what_slurm_said(project_on):
    project = prepared(project_on("refused"), STUDY)
    nowhere = ["--set-resources", "worlds:slurm_partition=nowhere", "--retries", "0"]
    run = project.run("results/gmm/kl_gap.csv", *nowhere, check=False)
    told = re.findall(r"^ggmi: (.*)$", run.stdout + run.stderr, re.MULTILINE)
    assert run.returncode == 1
    assert told
    assert all("share its submission: SLURM took no job (" in sentence for sentence in told), told
    assert all("partition" in sentence for sentence in told), told


def test_a_slurm_that_does_not_answer_is_told_before_any_job(project_on):
    project = prepared(project_on("unreachable"), STUDY)
    # The same cluster, at a port where nobody listens.
    configuration = (project.cluster.folder / "slurm.conf").read_text()
    (project.path / "slurm.conf").write_text(re.sub(r"(?<=SlurmctldPort=)\d+", "1", configuration))
    nowhere = {**project.environment, "SLURM_CONF": str(project.path / "slurm.conf")}
    command = project.command("--", "results/gmm/kl_gap.csv")
    run = subprocess.run(command, cwd=project.path, env=nowhere, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr[-2000:]
    assert "ggmi: SLURM cannot be asked for jobs here (squeue: " in run.stderr
    assert not (project.path / "results/.slurm-runs").exists()


def test_a_cancelled_job_is_told_the_others_complete_and_a_rerun_makes_just_that(project_on):
    project = prepared(project_on("cancelled"), STUDY)
    targets = ["results/extra/slow-40.txt", "results/extra/slow-6.txt"]
    process = started(project, "--retries", "0", "--", *targets)
    wait_for(lambda: is_running(project, "slow_wildcards_40"), SECONDS)
    (job,) = [job for job in project.jobs() if rule_of(job) == "slow_wildcards_40"]
    project.cluster.ask("scancel", job["JobId"])
    told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    (sentence,) = re.findall(r"^ggmi: (.*)$", told, re.MULTILINE)
    assert sentence.startswith("rule slow (seconds=40) was cancelled; run the same command again to make it; log: ")
    assert "results/logs/extra/slow-40.log" in sentence
    assert (project.path / targets[1]).read_text() == "slept\n"
    assert project.planned(*targets) == {"slow 40"}


def test_after_kill_9_jobs_go_on_and_resume_ends_them_and_continues(project_on, local):
    project = prepared(project_on("killed"), STUDY)
    process = started(project, "--group-components", "segments=1", "--", "all", LONG)
    results = project.path / "results"
    wait_for(lambda: is_running(project, "slow") and (run := read_run(results)) and run.of("finished"), SECONDS)
    assert re.search(r"process \d+ .* goes on.*\n\d+ of \d+ jobs done, \d+ under way", ggmi(project, "status").stdout)
    assert "is in use by another run" in ggmi(project, "resume").stderr
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {job.name for job in read_run(results).of("finished")}
    time.sleep(3)
    assert is_running(project, "slow")
    assert "The run was killed" in (told := ggmi(project, "status").stdout)
    assert re.search(r"in SLURM: \d+ jobs? \(.*running", told)
    beside = project.run("--", "all", LONG, check=False)
    assert beside.returncode == 2
    assert "of an earlier run are still in SLURM; `make resume` goes on" in beside.stderr
    resumed = ggmi(project, "resume")
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    assert re.search(r"Cancelled \d+ jobs? \(.*\) of a run that is gone\.", resumed.stderr)
    assert (project.path / LONG).read_text() == "slept\n"
    again = read_run(results)
    assert finished
    assert finished.isdisjoint(job.name for job in again.jobs.values())
    assert {job.state for job in again.jobs.values()} == {"finished"}
    no_job_of_one_run_beside_one_of_another(project)
    expected = local.tables()
    assert {name: content for name, content in project.tables().items() if name.startswith("gmm/")} == {
        name: content for name, content in expected.items() if name.startswith("gmm/")
    }
    assert "The run ended" in ggmi(project, "status").stdout


def no_job_of_one_run_beside_one_of_another(project):
    """The first job of the second run began after the last of the first had ended."""
    completed = project.cluster.completed()
    runs = {}
    for job in project.jobs():
        ended = completed[job["JobId"]]
        runs.setdefault(job["JobName"], []).append((ended["StartTime"], ended["EndTime"]))
    first, second = sorted(runs.values())
    assert max(end for _, end in first) <= min(start for start, _ in second)


def test_too_little_memory_or_time_is_asked_for_again_with_more_and_then_told(faulty):
    project, process = faulty
    told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    asked = {}
    for job in sorted(project.jobs(), key=lambda job: int(job["JobId"])):
        asked.setdefault(rule_of(job), []).append((job["MinMemoryNode"], job["TimeLimit"], job["JobState"]))
    twice = [("500M", "00:01:00"), ("1000M", "00:02:00")]
    assert {rule: [job[:2] for job in jobs] for rule, jobs in asked.items() if "crowd" not in rule} == {
        f"{rule}_wildcards_{value}": twice
        for rule, value in (("hungry", 600), ("hungry", 1500), ("slow", 75), ("slow", 400))
    }
    assert {rule: jobs[-1][2] for rule, jobs in asked.items()} == {
        **{"hungry_wildcards_600": "COMPLETED", "hungry_wildcards_1500": "FAILED"},
        **{"slow_wildcards_75": "COMPLETED", "slow_wildcards_400": "TIMEOUT", "crowd_crowd": "FAILED"},
    }
    sentences = sorted(re.findall(r"^ggmi: (.*)$", told, re.MULTILINE))
    logs = r"log: results/logs/extra/{}\.log, \S+/slurm_logs/\S+/\d+\.log"
    for sentence, rule, value, what, more in zip(
        sentences,
        ("crowd", "hungry", "slow"),
        ("size=1500", "size=1500", "seconds=400"),
        (*["was killed for taking more than its 1,000 MB of memory"] * 2, "was stopped at its limit of 2 minutes"),
        (*['mem_mb: "2000 * attempt"'] * 2, 'runtime: "4 * attempt"'),
        strict=True,
    ):
        change = re.escape(f"give it more in the profile, such as set-resources: {{{rule}: {{{more}}}}}")
        log = logs.format(f"{rule}-{value.partition('=')[2]}")
        assert re.fullmatch(rf"rule {rule} \({value}\) {what}; {change}; {log}", sentence)
