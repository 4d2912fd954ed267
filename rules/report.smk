# The page a person reads first, its answers for the terminal, the page of the mixture studies, and the configuration
# in full. The pages of the smoke preset take 240 MB and a second.
REPORT_TABLES = [*("kl_gap", "trends", "fits", "divergences"), *("terms", "term_trends", "claims")]
REPORT_RECORDS = ["kl_gap", "trends", "accuracy", "terms"]


REPORT_FIGURES = {
    name: [
        "figure2",
        *(f"figure4_{covariance}_{anchors}" for covariance in study.covariances for anchors in study.anchor_components),
        "figure5",
        *(f"terms_{covariance}" for covariance in study.covariances),
    ]
    for name, study in STUDIES.items()
}
REPORT_SETTINGS = {"title", "truth", "covariances", "anchor_components", "estimators"}


localrules:
    resolved_config,
    mixtures_page,
    report,


use rule step as resolved_config with:
    output:
        f"{RESULTS}/config.resolved.yaml",
    log:
        f"{RESULTS}/logs/resolved_config.log",
    params:
        **script_params("resolved_config"),
        config=ggmi_config.resolved(CONFIG),


# Settings of mixture studies that their page and the front page need.
REPORT_STUDIES = {
    name: {**study.model_dump(include=REPORT_SETTINGS), "base": {axis: getattr(study, axis) for axis in AXES}}
    for name, study in STUDIES.items()
}
REPORT_TASKS = {
    name: {"title": task.title, "files": [*task_tables(name), f"{RESULTS}/{name}/anchors/split.json"]}
    for name, task in TASKS.items()
}
# Tables of verdicts of the studies that are not left out.
REPORT_CLAIMS = {
    study: f"{RESULTS}/{study}/{table}.csv"
    for study, table, asked in (
        ("theory", "verdicts", CONFIG.theory),
        ("slow_thinking", "claims", CONFIG.slow_thinking),
        ("data_quality", "claims", CONFIG.data_quality),
        ("language", "claims", CONFIG.language),
    )
    if asked
}


use rule step as mixtures_page with:
    input:
        **PAGE_PARTS,
        study=f"{workflow.basedir}/workflow/report/mixtures.html.j2",
        tables=expand(f"{RESULTS}/{{study}}/{{table}}.csv", study=STUDIES, table=REPORT_TABLES),
        records=expand(f"{RESULTS}/{{study}}/{{record}}.provenance.json", study=STUDIES, record=REPORT_RECORDS),
        figures=[
            f"{RESULTS}/{study}/{figure}.{kind}"
            for study, names in REPORT_FIGURES.items()
            for figure in names
            for kind in ("svg", "png", "csv")
        ],
    output:
        f"{RESULTS}/mixtures.html",
    log:
        f"{RESULTS}/logs/mixtures_page.log",
    resources:
        **growing(mem_mb=1000, runtime=10),
    params:
        **script_params("mixtures_page"),
        studies=REPORT_STUDIES,


use rule step as report with:
    input:
        **PAGE_PARTS,
        answers=f"{workflow.basedir}/workflow/report/answers.html.j2",
        front=f"{workflow.basedir}/workflow/report/front.txt.j2",
        study=f"{workflow.basedir}/workflow/report/report.html.j2",
        mixtures=expand(f"{RESULTS}/{{study}}/{{table}}.csv", study=STUDIES, table=REPORT_TABLES),
        claims=list(REPORT_CLAIMS.values()),
        tasks=[file for task in TASKS for file in REPORT_TASKS[task]["files"]],
        pages=[f"{RESULTS}/{study}.html" for study in [*(["mixtures"] if STUDIES else []), *REPORT_CLAIMS, *TASKS]],
        pilots=[f"{RESULTS}/{name}/pilot/pilot.html" for name, task in TASKS.items() if task.pilot],
        configuration=f"{RESULTS}/config.resolved.yaml",
    output:
        page=f"{RESULTS}/report.html",
        summary=f"{RESULTS}/summary.txt",
    log:
        f"{RESULTS}/logs/report.log",
    resources:
        **growing(mem_mb=1000, runtime=10),
    params:
        **script_params("report"),
        seed=CONFIG.seed,
        tasks=REPORT_TASKS,
        studies=REPORT_STUDIES,
        claims=REPORT_CLAIMS,
