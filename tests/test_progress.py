"""What a person sees while the workflow runs; every test reads the output of a real Snakemake run."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import forked
import pytest

SNAKEFILE = """
STUDIES = {"worlds": "Simulated mixtures", "prompts": "Prompt ladder"}

if config["warn"]:
    logger.warning("The seed is not set.")

rule all:
    input: "figure.txt"

onstart:
    jobs = {}
    for job in sorted(workflow.dag.needrun_jobs(), key=lambda job: job.jobid):
        study = STUDIES.get(job.wildcards.get("study"))
        conditions = [f"K{job.wildcards.k}"] if study else []
        jobs[job.jobid] = {"study": study, "conditions": conditions, "work": 2.0 if study else 0.5}
    logger.info(f"{len(jobs)} jobs planned", extra={"ggmi_plan": {"jobs": None if config["broken"] else jobs}})

onsuccess:
    logger.info("Read figure.txt.")

rule world:
    output: "{study}/{k}.world"
    wildcard_constraints: study="worlds|prompts"
    input: lambda w: expand("worlds/{k}.fit", k=[1, 2]) if w.study == "prompts" else []
    shell: "sleep {config[seconds]}; touch {output}"

rule fit:
    output: "{study}/{k}.fit"
    input: "{study}/{k}.world"
    log: "logs/{study}-{k}.log"
    shell:
        '''
        if [ {wildcards.study}{wildcards.k} = "{config[bad]}" ]; then
            echo singular covariance > {log}
            exit 3
        fi
        touch {output}
        '''

rule figure:
    output: "figure.txt"
    input: expand("{study}/{k}.fit", study=STUDIES, k=[1, 2])
    shell: "touch {output}"
"""
SETTINGS = {"seconds": "0.1", "bad": "none", "warn": "", "broken": ""}
SCREEN_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Run:
    """How a run ended and what it printed, `text` without the codes that only a terminal understands."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        return SCREEN_CONTROL.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")


def command(*options: str, **settings: str) -> list[str]:
    config = [f"{key}={value}" for key, value in (SETTINGS | settings).items()]
    snakemake = [sys.executable, "-m", "snakemake", "--logger", "ggmi", "--cores", "1"]
    return [*snakemake, *options, "--config", *config]


def environment(**variables: str) -> dict[str, str]:
    unwanted = ("SNAKEMAKE_", "COV_", "PYTEST_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted) and k not in ("NO_COLOR", "FORCE_COLOR")}
    return kept | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | variables


def in_a_file(folder: Path, *options: str, **settings: str) -> Run:
    (folder / "Snakefile").write_text(SNAKEFILE)
    with (folder / "stderr.txt").open("w") as file:
        arguments = [forked.python(), *command(*options, **settings)[1:]]
        ended = subprocess.run(arguments, cwd=folder, stdout=file, stderr=file, env=environment(), check=False)
    return Run(ended.returncode, (folder / "stderr.txt").read_text())


# A shell without job control starts what runs in the background with Ctrl-C ignored, and children inherit that.
HEARS_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def in_a_terminal(folder: Path, *options: str, interrupt_at: str = "", colour: bool = True, **settings: str) -> Run:
    (folder / "Snakefile").write_text(SNAKEFILE)
    ours, theirs = pty.openpty()
    raw = b""
    with subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, *command(*options, **settings)],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**({} if colour else {"NO_COLOR": "1"})),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # how Linux says that nobody has the terminal open any more
            while received := os.read(ours, 4096):
                raw += received
                if interrupt_at and interrupt_at in raw.decode(errors="replace"):
                    interrupt_at = ""
                    os.killpg(process.pid, signal.SIGINT)
        os.close(ours)
    return Run(process.returncode, raw.decode())


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return in_a_file(tmp_path_factory.mktemp("lines"), seconds="1.2", warn="yes")


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return in_a_terminal(tmp_path_factory.mktemp("bars"), seconds="1.2", warn="yes")


@pytest.fixture(scope="module", params=[in_a_file, in_a_terminal])
def failure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return request.param(tmp_path_factory.mktemp("failure"), "--keep-going", bad="worlds2")


def test_a_file_gets_one_line_at_the_end_of_each_study_and_of_the_run(lines):
    assert lines.code == 0
    told = lines.text.splitlines()
    assert told[:2] == ["The seed is not set.", "10 jobs planned"]
    assert re.fullmatch(r"Simulated mixtures: 2 of 2 conditions, 0:00:\d\d left in total", told[2])
    ends = [line for line in told if ": 2 of 2 conditions" in line]
    assert [line.split(":")[0] for line in ends] == ["Simulated mixtures", "Prompt ladder"]
    assert re.fullmatch(r"Total: 4 of 4 conditions, finished in 0:00:\d\d", told[-2])
    assert told[-1] == "Read figure.txt."


def test_a_terminal_shows_every_study_with_its_counts_and_the_time_left(bars):
    assert bars.code == 0
    assert "The seed is not set." in bars.text
    for study in ("Simulated mixtures", "Prompt ladder"):
        counts = re.findall(rf"{study} .* (\d/2) conditions", bars.text)
        assert (counts[0], counts[-1]) == ("0/2", "2/2")
    assert re.search(r"Total .* 0:00:\d\d elapsed, estimating time left", bars.text)
    assert re.search(r"Total .* 0:00:\d\d elapsed, 0:00:\d\d left", bars.text)
    final = bars.text[bars.text.rindex("Total") :]
    assert re.search(r"Total .* finished in 0:00:\d\d\s+Read figure.txt.", final)


@pytest.mark.parametrize("mode", ["lines", "bars"])
def test_nothing_else_is_said_when_all_goes_well(mode, request):
    text = request.getfixturevalue(mode).text
    allowed = "The seed is not set|10 jobs planned|Read figure|Simulated mixtures|Prompt ladder|Total"
    assert [line for line in text.splitlines() if line.strip() and not re.match(allowed, line)] == []


def test_a_terminal_gets_its_cursor_back(bars):
    assert bars.raw.rindex("\x1b[?25h") > bars.raw.rindex("\x1b[?25l")


def test_a_failed_job_is_named_with_its_wildcards_its_reason_and_its_log(failure):
    assert failure.code == 1
    rule, wildcards, reason, log = failure.text[failure.text.index("Error in rule") :].splitlines()[:4]
    assert rule == "Error in rule fit"
    assert wildcards == "    wildcards: study=worlds, k=2"
    assert reason.startswith("    reason: CalledProcessError")
    assert reason.endswith("returned non-zero exit status 3.")
    assert log == "    log: logs/worlds-2.log"


def test_a_failed_job_is_told_once_in_four_lines_without_its_code(failure):
    assert failure.text.count("Error in rule fit") == 1
    assert len([line for line in failure.text.splitlines() if line.startswith("    ")]) == 3
    assert "Traceback" not in failure.text
    assert "exit 3" not in failure.text
    assert "set -euo pipefail" not in failure.text


def test_what_follows_a_failure_still_comes_through(failure):
    assert "Exiting because a job execution failed." in failure.text
    assert "At least one job did not complete successfully." in failure.text
    assert re.search(r"Complete log\(s\): \S+\.snakemake\.log", failure.text)


def test_a_run_that_stops_early_says_how_far_it_came(failure):
    assert re.search(r"Simulated mixtures.* 1( of |/)2 conditions", failure.text)
    assert re.search(r"Prompt ladder.* 0( of |/)2 conditions", failure.text)
    assert re.search(r"Total.* stopped after 0:00:\d\d", failure.text)


def test_the_log_of_a_failed_job_is_printed_when_asked_for(tmp_path):
    run = in_a_file(tmp_path, "--show-failed-logs", bad="worlds1")
    assert run.text.index("Logfile logs/worlds-1.log:") < run.text.index("singular covariance")


def test_a_terminal_without_colour_gets_none(tmp_path):
    run = in_a_terminal(tmp_path, colour=False, bad="worlds1", warn="yes")
    assert "Error in rule fit" in run.text
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9][0-9;]*m", run.raw)


def test_an_interrupted_run_leaves_counts_and_a_clean_terminal(tmp_path):
    run = in_a_terminal(tmp_path, interrupt_at="0:00:01 elapsed", seconds="60")
    assert run.code == 1
    assert "Terminating processes on user request" in run.text
    assert re.search(r"Total .* stopped after", run.text)
    assert "Traceback" not in run.text
    assert run.raw.rindex("\x1b[?25h") > run.raw.rindex("\x1b[?25l")


@pytest.mark.parametrize("option", ["--dry-run", "--printshellcmds", "--verbose"])
def test_details_asked_for_are_shown_as_snakemake_shows_them(tmp_path, option):
    run = in_a_file(tmp_path, "worlds/1.world", option)
    assert run.code == 0
    assert "rule world:" in run.text
    assert "wildcards: study=worlds, k=1" in run.text
    assert "Job stats:" in run.text
    assert "conditions" not in run.text


def test_a_dry_run_looks_as_it_does_without_this_display(tmp_path):
    with_it = in_a_file(tmp_path, "--dry-run")
    without = command("--dry-run")
    del without[without.index("--logger") : without.index("--cores")]
    plain = subprocess.run(without, cwd=tmp_path, capture_output=True, text=True, env=environment(), check=True)

    def words(text: str) -> list[str]:
        # jobs of the same rank, lists of files and the time of day differ from run to run
        lines = [line for line in text.splitlines() if not re.match(r"\[|  (Date|Workflow ID|Command):", line)]
        return sorted(" ".join(lines).replace(",", " ").split())

    assert words(with_it.raw) == words(plain.stdout + plain.stderr)


def test_quiet_asked_for_is_kept(tmp_path):
    run = in_a_file(tmp_path, "--quiet", "all")
    assert run.code == 0
    assert run.raw == ""


def test_a_run_with_nothing_to_do_says_so_and_no_more(tmp_path):
    in_a_file(tmp_path, seconds="0")
    run = in_a_file(tmp_path, seconds="0")
    assert run.text.splitlines() == ["Nothing to be done (all requested files are present and up to date)."]


def test_a_target_nobody_makes_is_an_error_that_names_it(tmp_path):
    run = in_a_file(tmp_path, "no_such_figure.svg")
    assert run.code == 1
    assert "No rule to produce no_such_figure.svg" in run.text
    assert "Traceback" not in run.text


def test_a_run_without_a_plan_counts_steps(tmp_path):
    run = in_a_file(tmp_path, "--no-hooks", seconds="0")
    assert run.code == 0
    assert "10 of 10 steps (100%) done" in run.text
    assert "Select jobs" not in run.text


def test_a_broken_plan_does_not_stop_the_run(tmp_path):
    run = in_a_file(tmp_path, seconds="0", broken="yes")
    assert run.code == 0
    assert "--- Logging error ---" in run.text
    assert (tmp_path / "figure.txt").exists()
