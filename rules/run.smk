# The start and the end of a run.


def end_attempts():
    """Let a job that met a person's mistake have had its last attempt: no further one mends what a person has to."""
    for job in tuple(workflow.scheduler.running):
        if any(mistaken(log, STARTED) for log in job.log):
            # A limit of memory given with --resources then gets back what the last attempt would have taken.
            job.attempt = 1 + job.restart_times


RECORDER = Recorder(end_attempts)
if workflow.is_main_process:
    # Now, since SLURM's executor says what it names its jobs before a run starts.
    logger.addHandler(RECORDER)


def start_run():
    """Take the results folder for this run, and tell display and record what is ahead."""
    if not workflow.is_main_process:
        return
    # Its timers look at the queue once a second for every job that has ended (benchmarks/scheduling.py). A limit of
    # a person's own stays; this is the one that Snakemake has where none is given.
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
    results = Path(RESULTS)
    try:
        hold(results)
        refuse_beside(results)
        if RECORDER.slurm_run:
            refuse_unreachable()
        write_manners()
    except UserError as error:
        stop(error)
    if RECORDER.slurm_run:
        remember(results, RECORDER.slurm_run)
    titles = {name: study.title for name, study in STUDIES.items()}
    ahead = run_plan(workflow.dag.needrun_jobs(), titles)
    about = {
        "pid": os.getpid(),
        "host": platform.node(),
        "folder": str(folder_of_command()),
        "command": sys.argv[1:],
        **ahead,
    }
    RECORDER.begin(results, about)
    logger.info(f"{len(ahead['jobs'])} jobs ahead", extra={"ggmi_plan": ahead})
    if not RECORDER.slurm_run:
        start_forks()


FORKS = []


def start_forks():
    """Start the processes whose forks jobs are."""
    rules = {"step": [], "models": []}
    for job in workflow.dag.needrun_jobs():
        rules["models" if "models.yaml" in str(job.rule.conda_env) else "step"].append(job.rule.name)
    FORKS.extend(forks.start(rules))


def folder_of_command():
    """Where the command was given; what it names relative to there is lost once Snakemake follows its `--directory`."""
    before, given = Path(os.environ.get("PWD", ".")), workflow.overwrite_workdir
    followed = given is not None and (before / given).resolve() == Path.cwd()
    return before if followed else Path.cwd()


def finished():
    """The answers of the front page, and where it is."""
    RECORDER.end()
    summary = Path(RESULTS, "summary.txt")
    if not summary.exists():
        return f"Made in {RESULTS}/."
    return f"{summary.read_text().strip()}\nReport: {RESULTS}/report.html (tables and figures beside it, by study)"


def trouble_with_results():
    """Why nothing more can be written to the results; a job cannot say so in a log there."""
    if not Path(RESULTS, ".lock").exists():
        return [f"{RESULTS}: was deleted during the run"]
    try:
        with tempfile.TemporaryFile(dir=RESULTS, buffering=0) as probe:
            probe.write(bytes(2**16))
    except OSError as error:
        return [f"{RESULTS}: cannot be written ({error.strerror})"]
    return []


def explain_failure():
    """Repeat mistakes in their own words, tell what else failed, and leave with the code for mistakes if there is one."""
    RECORDER.end()
    told = mistakes(Path(RESULTS, "logs"), STARTED) or trouble_with_results()
    found = list(dict.fromkeys(told))
    run = read_run(Path(RESULTS))
    tell([*found, *(failures_told(run) if run else [])])
    print("What was finished is kept; run the same command again to go on.", file=sys.stderr)
    if found:
        sys.exit(USER_MISTAKE)
