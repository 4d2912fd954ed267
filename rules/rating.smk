# Answers of students to the test set, a judge's verdicts on them, and Table 1.
#
# Raw answers and verdicts are kept in stores below `stores`, as raw responses are (synthesis.smk).


localrules:
    ratings,
    figure_ratings,


use rule model_step as answers with:
    input:
        students=f"{RESULTS}/{{task}}/students/{{condition}}/{{part}}",
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
    output:
        f"{RESULTS}/{{task}}/answers/{{condition}}/{{part}}.jsonl",
    log:
        f"{RESULTS}/logs/answers/{{task}}-{{condition}}-{{part}}.log",
    threads: student_threads
    resources:
        **by_size(**EVALUATION, held=one_student, minutes=answering_minutes),
        gpu=student_gpus,
    params:
        **script_params("answers"),
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


use rule model_step as calibration with:
    input:
        files=judge_files,
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        template=judge_template,
    output:
        verdicts=f"{RESULTS}/{{task}}/verdicts/probes.jsonl",
        means=report_file(
            f"{RESULTS}/{{task}}/rating/calibration.csv",
            "calibration",
            "Ratings",
            "{task}",
            table="Calibration of the judge",
        ),
        separations=f"{RESULTS}/{{task}}/rating/separations.csv",
        warnings=f"{RESULTS}/{{task}}/rating/calibration.json",
    log:
        f"{RESULTS}/logs/calibration/{{task}}.log",
    threads: lambda w: threads_of(TASKS[w.task].judge.by)
    resources:
        **by_size(**ASKING, minutes=calibration_minutes),
        gpu=judge_gpus,
        endpoint=judge_requests,
    params:
        **script_params("calibration"),
        seed=CONFIG.seed,
        test_records=lambda w: students_of(w).test_records,
        judge=judge_params,
        manner=f"{RESULTS}/{{task}}/manner/{JUDGE_MANNER}.json",
        questions=lambda w: TASKS[w.task].judge.calibration,


use rule model_step as verdicts with:
    input:
        answers=lambda w: of_parts(w.task, "{results}/{task}/answers/{condition}/{part}.jsonl", [w.condition]),
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        template=judge_template,
        files=judge_files,
        # A judge that returns no rating is found out before it is paid for.
        tested=f"{RESULTS}/{{task}}/rating/calibration.json",
    output:
        f"{RESULTS}/{{task}}/verdicts/{{condition}}.jsonl",
    log:
        f"{RESULTS}/logs/verdicts/{{task}}-{{condition}}.log",
    threads: lambda w: threads_of(TASKS[w.task].judge.by)
    resources:
        **by_size(**ASKING, minutes=verdicts_minutes),
        gpu=judge_gpus,
        endpoint=judge_requests,
    params:
        **script_params("verdicts"),
        seed=CONFIG.seed,
        test_records=lambda w: students_of(w).test_records,
        judge=judge_params,
        manner=f"{RESULTS}/{{task}}/manner/{JUDGE_MANNER}.json",


use rule step as ratings with:
    input:
        verdicts=lambda w: [f"{RESULTS}/{w.task}/verdicts/{name}.jsonl" for name in STUDENT_CONDITIONS[w.task]],
        warnings=f"{RESULTS}/{{task}}/rating/calibration.json",
    output:
        ratings=f"{RESULTS}/{{task}}/rating/ratings.csv",
        table=report_file(f"{RESULTS}/{{task}}/rating/table1.csv", "table1", "Ratings", "{task}", table="Table 1"),
        agreement=f"{RESULTS}/{{task}}/rating/agreement.csv",
        notes=f"{RESULTS}/{{task}}/rating/notes.json",
        provenance=f"{RESULTS}/{{task}}/rating/ratings.provenance.json",
    log:
        f"{RESULTS}/logs/ratings/{{task}}.log",
    params:
        **script_params("ratings"),
        seed=CONFIG.seed,
        conditions=lambda w: list(STUDENT_CONDITIONS[w.task]),
        seeds=lambda w: students_of(w).seeds,
        judge=lambda w: described(TASKS[w.task].judge.by),


use rule step as figure_ratings with:
    input:
        table=f"{RESULTS}/{{task}}/rating/table1.csv",
        ratings=f"{RESULTS}/{{task}}/rating/ratings.csv",
    output:
        **figure_files(f"{RESULTS}/{{task}}/rating/figure_ratings", "table1", "Ratings", "{task}", figure="Table 1"),
    log:
        f"{RESULTS}/logs/figure_ratings/{{task}}.log",
    params:
        **script_params("figure_ratings"),
        title=lambda w: TASKS[w.task].title,
        figures=CONFIG.figures.model_dump(),
