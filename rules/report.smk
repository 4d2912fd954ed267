# The page a person reads, three sentences for the terminal, and the configuration in full.
# The page of the smoke preset takes 240 MB and a second.
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
    report,


use rule step as resolved_config with:
    output:
        f"{RESULTS}/config.resolved.yaml",
    log:
        f"{RESULTS}/logs/resolved_config.log",
    params:
        **script_params("resolved_config"),
        config=ggmi_config.resolved(CONFIG),


use rule step as report with:
    input:
        **PAGE_PARTS,
        theory=([f"{RESULTS}/theory/verdicts.csv", f"{RESULTS}/theory.html"] if CONFIG.theory else []),
        slow_thinking=(
            [f"{RESULTS}/slow_thinking/claims.csv", f"{RESULTS}/slow_thinking.html"] if CONFIG.slow_thinking else []
        ),
        data_quality=(
            [f"{RESULTS}/data_quality/claims.csv", f"{RESULTS}/data_quality.html"] if CONFIG.data_quality else []
        ),
        language=([f"{RESULTS}/language/claims.csv", f"{RESULTS}/language.html"] if CONFIG.language else []),
        tasks=[
            file
            for task in TASKS
            for file in [*task_tables(task), f"{RESULTS}/{task}/anchors/split.json", f"{RESULTS}/{task}.html"]
        ],
        configuration=f"{RESULTS}/config.resolved.yaml",
        tables=expand(f"{RESULTS}/{{study}}/{{table}}.csv", study=STUDIES, table=REPORT_TABLES),
        records=expand(f"{RESULTS}/{{study}}/{{record}}.provenance.json", study=STUDIES, record=REPORT_RECORDS),
        figures=[
            f"{RESULTS}/{study}/{figure}.{kind}"
            for study, names in REPORT_FIGURES.items()
            for figure in names
            for kind in ("svg", "png", "csv")
        ],
    output:
        page=f"{RESULTS}/report.html",
        summary=f"{RESULTS}/summary.txt",
    log:
        f"{RESULTS}/logs/report.log",
    params:
        **script_params("report"),
        seed=CONFIG.seed,
        tasks={
            name: {"title": task.title, "files": [*task_tables(name), f"{RESULTS}/{name}/anchors/split.json"]}
            for name, task in TASKS.items()
        },
        studies={
            name: {**study.model_dump(include=REPORT_SETTINGS), "base": {axis: getattr(study, axis) for axis in AXES}}
            for name, study in STUDIES.items()
        },
