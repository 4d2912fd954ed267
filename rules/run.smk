# The start and the end of a run.


def start_run():
    """Take the results folder for this run and tell the progress display what is ahead."""
    if not workflow.is_main_process:
        return
    try:
        hold(Path(RESULTS))
        write_manners()
    except UserError as error:
        stop(error)
    titles = {name: study.title for name, study in STUDIES.items()}
    ahead = run_plan(workflow.dag.needrun_jobs(), titles)
    logger.info(f"{len(ahead['jobs'])} jobs ahead", extra={"ggmi_plan": ahead})


def finished():
    """The result in three sentences, and where it is."""
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
    """Repeat mistakes in their own words, and leave with the code for them if there is one."""
    told = mistakes(Path(RESULTS, "logs"), STARTED) or trouble_with_results()
    found = list(dict.fromkeys(told))
    tell(found)
    print(
        "What was finished is kept; run the same command again to go on.",
        file=sys.stderr,
    )
    if found:
        sys.exit(USER_MISTAKE)
