# Answers of students to the test set, a judge's verdicts on them, and Table 1.
#
# Raw answers and verdicts are kept in stores below `stores`, as raw responses are (synthesis.smk).


localrules:
    ratings,
    figure_ratings,


rule answers:
    input:
        students=f"{RESULTS}/{{task}}/students/{{condition}}/{{part}}",
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
    output:
        f"{RESULTS}/{{task}}/answers/{{condition}}/{{part}}.jsonl",
    log:
        f"{RESULTS}/logs/answers/{{task}}-{{condition}}-{{part}}.log",
    conda:
        "../envs/models.yaml"
    threads: student_threads
    resources:
        **EVALUATION_RESOURCES,
        gpu=student_gpus,
    params:
        code=code("answers"),
        seed=CONFIG.seed,
        form=form_keys,
        test_records=lambda w: students_of(w).test_records,
        sampling=lambda w: students_of(w).answers.sampling.model_dump(),
        local=lambda w: {
            "batch_size": students_of(w).answers.batch_size,
            "device": students_of(w).training.device,
            "threads": students_of(w).training.threads,
        },
        store=f"{CONFIG.stores}/{{task}}/answers/{{condition}}/{{part}}.jsonl",
    script:
        "../workflow/scripts/answers.py"


rule calibration:
    input:
        files=judge_files,
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        template=judge_template,
    output:
        verdicts=f"{RESULTS}/{{task}}/verdicts/probes.jsonl",
        means=report(
            f"{RESULTS}/{{task}}/rating/calibration.csv",
            caption="../workflow/report/calibration.rst",
            category="Ratings",
            subcategory="{task}",
            labels={"table": "Calibration of the judge"},
        ),
        separations=f"{RESULTS}/{{task}}/rating/separations.csv",
        warnings=f"{RESULTS}/{{task}}/rating/calibration.json",
    log:
        f"{RESULTS}/logs/calibration/{{task}}.log",
    conda:
        "../envs/models.yaml"
    threads: lambda w: threads_of(TASKS[w.task].judge.by)
    resources:
        **SYNTHESIS_RESOURCES,
        gpu=judge_gpus,
        endpoint=judge_requests,
    params:
        code=code("calibration"),
        seed=CONFIG.seed,
        test_records=lambda w: students_of(w).test_records,
        judge=judge_params,
        manner=f"{RESULTS}/{{task}}/manner/{JUDGE_MANNER}.json",
        questions=lambda w: TASKS[w.task].judge.calibration,
    script:
        "../workflow/scripts/calibration.py"


rule verdicts:
    input:
        answers=lambda w: of_parts(
            w.task, "{results}/{task}/answers/{condition}/{part}.jsonl", [w.condition]
        ),
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        template=judge_template,
        files=judge_files,
        # A judge that returns no rating is found out before it is paid for.
        tested=f"{RESULTS}/{{task}}/rating/calibration.json",
    output:
        f"{RESULTS}/{{task}}/verdicts/{{condition}}.jsonl",
    log:
        f"{RESULTS}/logs/verdicts/{{task}}-{{condition}}.log",
    conda:
        "../envs/models.yaml"
    threads: lambda w: threads_of(TASKS[w.task].judge.by)
    resources:
        **SYNTHESIS_RESOURCES,
        gpu=judge_gpus,
        endpoint=judge_requests,
    params:
        code=code("verdicts"),
        seed=CONFIG.seed,
        test_records=lambda w: students_of(w).test_records,
        judge=judge_params,
        manner=f"{RESULTS}/{{task}}/manner/{JUDGE_MANNER}.json",
    script:
        "../workflow/scripts/verdicts.py"


rule ratings:
    input:
        verdicts=lambda w: [
            f"{RESULTS}/{w.task}/verdicts/{name}.jsonl"
            for name in STUDENT_CONDITIONS[w.task]
        ],
        warnings=f"{RESULTS}/{{task}}/rating/calibration.json",
    output:
        ratings=f"{RESULTS}/{{task}}/rating/ratings.csv",
        table=report(
            f"{RESULTS}/{{task}}/rating/table1.csv",
            caption="../workflow/report/table1.rst",
            category="Ratings",
            subcategory="{task}",
            labels={"table": "Table 1"},
        ),
        agreement=f"{RESULTS}/{{task}}/rating/agreement.csv",
        notes=f"{RESULTS}/{{task}}/rating/notes.json",
        provenance=f"{RESULTS}/{{task}}/rating/ratings.provenance.json",
    log:
        f"{RESULTS}/logs/ratings/{{task}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **TABLE_RESOURCES,
    params:
        code=code("ratings"),
        seed=CONFIG.seed,
        conditions=lambda w: list(STUDENT_CONDITIONS[w.task]),
        seeds=lambda w: students_of(w).seeds,
        judge=lambda w: described(TASKS[w.task].judge.by),
    script:
        "../workflow/scripts/ratings.py"


rule figure_ratings:
    input:
        table=f"{RESULTS}/{{task}}/rating/table1.csv",
        ratings=f"{RESULTS}/{{task}}/rating/ratings.csv",
    output:
        svg=report(
            f"{RESULTS}/{{task}}/rating/figure_ratings.svg",
            caption="../workflow/report/table1.rst",
            category="Ratings",
            subcategory="{task}",
            labels={"figure": "Table 1"},
        ),
        png=f"{RESULTS}/{{task}}/rating/figure_ratings.png",
        csv=f"{RESULTS}/{{task}}/rating/figure_ratings.csv",
    log:
        f"{RESULTS}/logs/figure_ratings/{{task}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **TABLE_RESOURCES,
    params:
        code=code("figure_ratings"),
        title=lambda w: TASKS[w.task].title,
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_ratings.py"
