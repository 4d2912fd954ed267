# Students: the sets they learn, their training, what they lose.
#
# Memory: a tiny student takes 1 GB with its libraries. Training keeps weights, gradients and AdamW's two moments in
# float32, 16 bytes a weight: 4 times a base's file of float32, 8 times one of bfloat16.
# Time: by arithmetic (ggmi.workflow.demand). The embedded world's student learns 500 records in seconds; GPT-2 learns
# 12,000 twenty times in two hours of a GPU, in days of a CPU.
# A table reads every student's losses, some 100 KB each.
STUDENT_RESOURCES = by_size(mem_mb=8000, mb_each=8, runtime=60, minutes=training_minutes)
# Risks and answers: one student after another. Four jobs' share a submission, which asks for the time of all eight:
# twelve hours of small models, and a day if it is not enough.
EVALUATION = {"mem_mb": 8000, "mb_each": 2, "runtime": 90, "minutes_each": 0.1}


localrules:
    risk_tables,
    figure_losses,


use rule model_step as matched_size with:
    input:
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        sets=lambda w: sorted({file for name in whole_sets(w.task) for file in set_files(w.task, name).values()}),
        base=base_input,
    output:
        f"{RESULTS}/{{task}}/students/size.json",
    log:
        f"{RESULTS}/logs/matched_size/{{task}}.log",
    params:
        **script_params("matched_size"),
        seed=CONFIG.seed,
        conditions=lambda w: {
            name: [STUDENT_CONDITIONS[w.task][name], set_files(w.task, name)] for name in whole_sets(w.task)
        },
        by=lambda w: match_of(w)[0],
        overlap=lambda w: students_of(w).overlap,
        training=lambda w: students_of(w).training.model_dump(include={"steps", "batch_size", "epochs"}),
        base=lambda w: students_of(w).base,
        revision=lambda w: students_of(w).revision,
        form=form_keys,


use rule model_step as record_scores with:
    input:
        sets=lambda w: list(set_files(w.task, w.condition).values()),
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        base=lambda w: base_input(w) if by_loss(w) else [],
        files=lambda w: base_files(w) if by_loss(w) else [],
    output:
        f"{RESULTS}/{{task}}/difficulty/{{condition}}/{{by}}.csv",
    log:
        f"{RESULTS}/logs/record_scores/{{task}}-{{condition}}-{{by}}.log",
    threads: student_threads
    resources:
        **by_size(**EVALUATION, minutes=scoring_minutes),
        gpu=lambda w: student_gpus(w) if by_loss(w) else 0,
    params:
        **script_params("record_scores"),
        seed=CONFIG.seed,
        made=lambda w: STUDENT_CONDITIONS[w.task][w.condition],
        sources=lambda w: list(set_files(w.task, w.condition)),
        source=scored_source,
        overlap=lambda w: students_of(w).overlap,
        base=lambda w: students_of(w).base,
        revision=lambda w: students_of(w).revision,
        form=form_keys,
        device=lambda w: students_of(w).training.device,
        threads=lambda w: students_of(w).training.threads,
        world=lambda w: WORLD.sizes() if in_world(TASKS[w.task]) else None,


use rule model_step as training_set with:
    input:
        scores=scores_input,
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        sets=lambda w: list(set_files(w.task, w.condition).values()),
        matched=size_of_sets,
        base=lambda w: base_input(w) if match_of(w)[0] == "tokens" else [],
    output:
        records=f"{RESULTS}/{{task}}/students/{{condition}}/set.jsonl",
        summary=f"{RESULTS}/{{task}}/students/{{condition}}/set.json",
    log:
        f"{RESULTS}/logs/training_set/{{task}}-{{condition}}.log",
    params:
        **script_params("training_set"),
        seed=CONFIG.seed,
        made=lambda w: STUDENT_CONDITIONS[w.task][w.condition],
        sources=lambda w: list(set_files(w.task, w.condition)),
        by=lambda w: match_of(w)[0],
        to=lambda w: match_of(w)[1],
        overlap=lambda w: students_of(w).overlap,
        base=lambda w: students_of(w).base if match_of(w)[0] == "tokens" else None,
        revision=lambda w: students_of(w).revision,
        form=lambda w: form_keys(w) if match_of(w)[0] == "tokens" else None,


use rule model_step as students with:
    input:
        records=lambda w: ([] if w.condition == "base" else f"{RESULTS}/{w.task}/students/{w.condition}/set.jsonl"),
        matched=lambda w: [] if w.condition == "base" else size_of_training(w),
        base=base_input,
        files=base_files,
        judge=lambda w: judge_files(w) if judges_training(w) else [],
        template=lambda w: judge_template(w) if judges_training(w) else [],
        # A judge that returns no rating is found out before it is paid for.
        tested=lambda w: (f"{RESULTS}/{w.task}/rating/calibration.json" if judges_training(w) else []),
    output:
        directory(f"{RESULTS}/{{task}}/students/{{condition}}/{{part}}"),
    log:
        f"{RESULTS}/logs/students/{{task}}-{{condition}}-{{part}}.log",
    wildcard_constraints:
        part=r"\d+-\d+",
    threads: training_threads
    resources:
        **STUDENT_RESOURCES,
        gpu=training_gpus,
        endpoint=lambda w: judge_requests(w) if judges_training(w) else 0,
    params:
        **script_params("students"),
        seed=CONFIG.seed,
        base=lambda w: students_of(w).base,
        revision=lambda w: students_of(w).revision,
        form=form_keys,
        training=training_params,
        # Null: the training's own; 0: those of the smallest set.
        steps=lambda w: ((match_of(w)[1] or 0) if match_of(w)[0] == "steps" and w.condition != "base" else None),
        rl=rl_params,
        manner=lambda w: (f"{RESULTS}/{w.task}/manner/{JUDGE_MANNER}.json" if judges_training(w) else None),


use rule model_step as risks with:
    input:
        students=f"{RESULTS}/{{task}}/students/{{condition}}/{{part}}",
        records=lambda w: ([] if w.condition == "base" else f"{RESULTS}/{w.task}/students/{w.condition}/set.jsonl"),
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
    output:
        table=f"{RESULTS}/{{task}}/risks/{{condition}}/{{part}}.csv",
        arrays=f"{RESULTS}/{{task}}/risks/{{condition}}/{{part}}.npz",
    log:
        f"{RESULTS}/logs/risks/{{task}}-{{condition}}-{{part}}.log",
    threads: student_threads
    resources:
        **by_size(**EVALUATION, held=one_student, minutes=reading_minutes),
        gpu=student_gpus,
    params:
        **script_params("risks"),
        seed=CONFIG.seed,
        form=form_keys,
        test_records=lambda w: students_of(w).test_records,
        world=lambda w: WORLD.sizes() if in_world(TASKS[w.task]) else None,
        threads=lambda w: students_of(w).training.threads,


use rule model_step as risk_tables with:
    input:
        students=lambda w: of_parts(w.task, "{results}/{task}/students/{condition}/{part}"),
        risks=lambda w: of_parts(w.task, "{results}/{task}/risks/{condition}/{part}.csv"),
        losses=lambda w: of_parts(w.task, "{results}/{task}/risks/{condition}/{part}.npz"),
        sets=lambda w: [f"{RESULTS}/{w.task}/students/{name}/set.json" for name in learned(w.task)],
    output:
        sets=f"{RESULTS}/{{task}}/rating/sets.csv",
        risks=f"{RESULTS}/{{task}}/rating/risks.csv",
        generalization=report_file(
            f"{RESULTS}/{{task}}/rating/generalization.csv",
            "generalization",
            "Students",
            "{task}",
            table="Generalization error",
        ),
        curves=f"{RESULTS}/{{task}}/rating/losses.csv",
        provenance=f"{RESULTS}/{{task}}/rating/risks.provenance.json",
    log:
        f"{RESULTS}/logs/risk_tables/{{task}}.log",
    params:
        **script_params("risk_tables"),
        conditions=lambda w: list(STUDENT_CONDITIONS[w.task]),
        seeds=lambda w: students_of(w).seeds,


use rule step as figure_losses with:
    input:
        f"{RESULTS}/{{task}}/rating/losses.csv",
    output:
        **figure_files(f"{RESULTS}/{{task}}/rating/figure_losses", "losses", "Students", "{task}", figure="Loss curves"),
    log:
        f"{RESULTS}/logs/figure_losses/{{task}}.log",
    params:
        **figure_script(
            "rating.loss_figure",
            arguments=lambda w: {"title": f"{TASKS[w.task].title}: what students lose while they learn"},
        ),
