"""What a run's record says of finished, failed and killed runs, and what is told from it."""

import json
import re
import subprocess
import sys
import time

import forked
import pytest
from project import OWN_TABLE, ggmi

from ggmi.cli import main
from ggmi.errors import UserError
from ggmi.workflow.failures import failures_told
from ggmi.workflow.lock import hold
from ggmi.workflow.progress import seconds_left
from ggmi.workflow.queue import NAMES, jobs_in_queue, remember
from ggmi.workflow.record import RECORD, Job, Run, read_run
from ggmi.workflow.status import status

STUDIES = ("digits", "gmm")
LIMITS = {"mem_mb": 1500, "runtime": 20}
KILLED = "slurmstepd: error: StepId=7.0 exceeded memory limit (829714432 > 524288000), being killed\n"
LATE = "slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-21T12:10:31 DUE TO TIME LIMIT ***\n"
ENDED = "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-21T12:10:31 ***\n"


def run_of(jobs):
    return Run({}, 0.0, 0.0, None, jobs)


def failed(tmp_path, text="", **told):
    log = tmp_path / "7.log"
    log.write_text(text)
    return Job(1.0, rule="fit", wildcards={"K": "3"}, limits=LIMITS, state="failed", logs=["own.log", str(log)], **told)


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        (KILLED, "", "was killed for taking more than its 1,500 MB of memory; {mem_mb}"),
        ("", "SLURM status is: 'OUT_OF_MEMORY'", "was killed for taking more than its 1,500 MB of memory; {mem_mb}"),
        (LATE, "", "was stopped at its limit of 20 minutes; {runtime}"),
        ("", "SLURM status is: 'TIMEOUT'", "was stopped at its limit of 20 minutes; {runtime}"),
        (ENDED, "", "was cancelled; run the same command again to make it"),
        ("KeyError: 'K'\n", "SLURM status is: 'FAILED'", "failed"),
    ],
)
def test_a_failure_is_told_with_its_reason_and_what_to_change(tmp_path, text, reason, told):
    change = 'give it more in the profile, such as set-resources: {fit: {%s: "%d * attempt"}}'
    changes = {name: change.replace("%s", name).replace("%d", str(2 * had)) for name, had in LIMITS.items()}
    what = told.replace("{mem_mb}", changes["mem_mb"]).replace("{runtime}", changes["runtime"])
    job = failed(tmp_path, text, reason=reason)
    assert failures_told(run_of({1: job})) == [f"rule fit (K=3) {what}; log: own.log, {tmp_path}/7.log"]


def test_a_refused_submission_is_told_in_slurms_words(tmp_path):
    reason = "SLURM sbatch failed. The error message was 'sbatch: error: no\n such partition'.\n    sbatch call"
    (told,) = failures_told(run_of({1: failed(tmp_path, reason=reason)}))
    assert told == (
        "rule fit (K=3): SLURM took no job (sbatch: error: no such partition); change the profile's resources"
    )


def test_a_refused_group_is_told_once(tmp_path):
    reason = "SLURM sbatch failed. The error message was 'sbatch: error: time limit'."
    jobs = {number: failed(tmp_path, reason=reason, group=[1, 2, 3]) for number in (1, 2, 3)}
    assert failures_told(run_of(jobs)) == [
        "rule fit (K=3) and 2 that share its submission: SLURM took no job (sbatch: error: time limit); "
        "change the profile's resources"
    ]


def test_a_record_whose_first_line_found_no_room_tells_nothing(tmp_path):
    (tmp_path / RECORD).write_text(json.dumps({"event": "ended", "time": 1.0}) + "\n")
    assert read_run(tmp_path) is None


def test_a_persons_mistake_gets_no_further_attempt(fresh_project):
    fresh_project.configure({"mixtures": {"mine": OWN_TABLE, "gmm": None, "digits": None}})
    (fresh_project.path / "mine.csv").write_text("kind,a,b\nred,1,x\n")
    run = fresh_project.run("--cores", "1", "--retries", "2", "results/mine/points.npz", check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 2, said
    assert said.count("ggmi: ") == 1
    assert read_run(fresh_project.path / "results").jobs.popitem()[1].state == "failed"
    assert (fresh_project.path / "results/.run.jsonl").read_text().count('"started"') == 1


def test_a_run_of_another_folder_is_resumed_from_where_it_was_started(fresh_project):
    start = fresh_project.path.parent
    words = ["-s", "project/Snakefile", "-d", "project", "--configfile", "project/tiny.yaml", "--cores", "1"]
    target = "results/gmm/psd/K2_J2_L2/worlds.npz"
    environment = {**fresh_project.environment, "PWD": str(start)}
    command = [forked.python(), "-m", "snakemake", target, *words]
    subprocess.run(command, cwd=start, env=environment, check=True, capture_output=True)
    made = fresh_project.path / target
    made.unlink()
    code = "import sys; from ggmi.cli import main; sys.exit(main(['resume', '--results', 'project/results']))"
    subprocess.run([sys.executable, "-c", code], cwd=start, env=environment, check=True, capture_output=True)
    assert made.exists()


def test_of_a_group_the_member_that_failed_is_told_with_what_the_group_had(tmp_path):
    log = tmp_path / "7.log"
    log.write_text(
        "localrule fit:\n    output: 1.npz\n    log: logs/1.log\n[Sat]\nFinished jobid: 0 (Rule: fit)\n"
        f"localrule fit:\n    output: 2.npz\n    log: logs/2.log\n{LATE}"
    )
    members = {
        number: Job(1.0, rule="fit", wildcards={"K": str(number)}, limits=LIMITS, state="failed", group=[1, 2, 3])
        for number in (1, 2, 3)
    }
    for number, job in members.items():
        job.logs = [f"logs/{number}.log", str(log)]
    (told,) = failures_told(run_of(members))
    assert told.startswith("rule fit (K=2) was stopped at its limit of 60 minutes")
    with log.open("a") as file:
        file.write("Error in rule fit:\n    message: None\n    log: logs/1.log (check)\n")
    (told,) = failures_told(run_of(members))
    assert told.startswith("rule fit (K=1) ")


def test_a_mistake_is_left_to_its_own_sentence(tmp_path):
    job = failed(tmp_path, ENDED)
    (tmp_path / "own.log").write_text("mistake: no such column\n")
    job.logs[0] = str(tmp_path / "own.log")
    assert failures_told(run_of({1: job})) == []


def test_status_of_a_finished_run(finished):
    told = status(finished.path / "results")
    done = len(read_run(finished.path / "results").jobs)
    ended, jobs, *studies = told.splitlines()
    assert re.fullmatch(r"The run ended [\d:]+ ago, after [\d:]+\.", ended)
    assert jobs == f"{done} of {done} jobs done"
    assert sorted(studies) == ["Handwritten digits: 4 of 4 conditions", "Simulated mixtures: 4 of 4 conditions"]


def test_status_and_resume_of_a_killed_run(fresh_project):
    fresh_project.configure({"mixtures": {"gmm": {"anchor_components": ["released"], "estimators": ["forward"]}}})
    results = fresh_project.path / "results"
    command = fresh_project.command("--cores", "1", "results/gmm/kl_gap.csv", python=forked.python())
    process = subprocess.Popen(command, cwd=fresh_project.path, env=fresh_project.environment)
    while not ((run := read_run(results) if results.exists() else None) and run.of("finished")):
        time.sleep(0.05)
    assert "goes on" in status(results)
    with pytest.raises(UserError, match="in use by another run"):
        hold(results)
    forked.kill(process)
    finished = {job.name for job in read_run(results).of("finished")}
    assert "The run was killed" in status(results)
    code = "import sys; from ggmi.cli import main; sys.exit(main(['resume']))"
    subprocess.run([sys.executable, "-c", code], cwd=fresh_project.path, env=fresh_project.environment, check=True)
    again = read_run(results)
    assert {job.state for job in again.jobs.values()} == {"finished"}
    assert finished
    assert finished.isdisjoint(job.name for job in again.jobs.values())


def test_a_failed_run_ends_with_a_sentence_for_each_failed_job(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    script = project.path / "workflow/scripts/trends.py"
    script.write_text(script.read_text() + "raise KeyError('K')\n")
    done = project.run("--cores", "2", "--keep-going", check=False)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("ggmi: ")]
    expected = [f"rule trends (study={study}) failed; log: results/logs/trends/{study}.log" for study in STUDIES]
    assert sorted(told) == [f"ggmi: {sentence}" for sentence in expected]
    assert "failed: rule trends (study=gmm) failed; log:" in ggmi("status", folder=project.path).stdout


def test_the_line_that_a_killed_run_was_writing_is_left_out(tmp_path):
    began = {"event": "began", "time": 1.0, "pid": 7, "host": "here", "jobs": {"3": {"work": 1.0}}}
    (tmp_path / RECORD).write_text(json.dumps(began) + '\n{"event": "finished", "ti')
    assert read_run(tmp_path).of("waiting") == [Job(1.0)]


def test_a_folder_without_a_run_has_no_status_and_nothing_to_resume(tmp_path, capsys):
    for command, told in (("status", "no run has left a record here"), ("resume", "no run to go on with")):
        assert main([command, "--results", str(tmp_path)]) == 2
        assert told in capsys.readouterr().err


def test_runs_on_slurm_cannot_be_asked_for_where_there_is_none(tmp_path, monkeypatch):
    assert jobs_in_queue(tmp_path) == {}
    remember(tmp_path, "ggmi_1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=f"cannot be asked for them .squeue: not found.; .* remove {tmp_path / NAMES}"):
        jobs_in_queue(tmp_path)
    began = {"event": "began", "time": 1.0, "pid": 7, "host": "here", "jobs": {}}
    (tmp_path / RECORD).write_text(json.dumps(began) + "\n")
    assert "\n0 of 0 jobs done\nSLURM cannot be asked: " in status(tmp_path)


def test_time_left_goes_by_the_work_done():
    assert seconds_left(done=25, total=100, failed=0, began=0, advanced=50, now=60) == 140
    assert seconds_left(done=25, total=100, failed=25, began=0, advanced=50, now=60) == 90
    assert seconds_left(done=1, total=100, failed=0, began=0, advanced=50, now=60) is None
    assert seconds_left(done=99, total=100, failed=0, began=0, advanced=99, now=200) is None
