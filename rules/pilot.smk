# Small trainings on every set of a task, which say which one should get the large training.
#
# Memory: a training of the small GPT takes some 700 MB, one of a base what finetuning.smk says. Time: four million
# tokens of the small GPT take ten minutes of two cores. What was trained is kept in pilot/results, which is no output:
# Snakemake removes the outputs of a job that failed, and trainings that are done are not to be done again.
PILOT = f"{RESULTS}/{{task}}/pilot"


localrules:
    figure_pilot,
    pilot_page,


use rule model_step as pilot with:
    input:
        pilot_base,
        train=f"{RESULTS}/{{task}}/anchors/train.jsonl",
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        sets=lambda w: synthetic_files(w.task, estimated_places(w.task)),
        judge=of_pilot_judge(judge_files, []),
        template=of_pilot_judge(judge_template, []),
    output:
        found=f"{PILOT}/pilot.json",
        trainings=f"{PILOT}/trainings.csv",
        curves=f"{PILOT}/predicted_curves.csv",
        arms=report_file(f"{PILOT}/arms.csv", "pilot", "Pilot", "{task}", table="Which set should get the training"),
    log:
        f"{RESULTS}/logs/pilot/{{task}}.log",
    threads: lambda w: pilot_of(w).processes
    resources:
        mem_mb=lambda w, input, attempt: round(3000 + pilot_of(w).processes * (1000 + 8 * megabytes(input))) * attempt,
        runtime=lambda w, attempt: round(120 + pilot_minutes(w)) * attempt,
        gpu=lambda w: max(int(pilot_of(w).base is not None), of_pilot_judge(judge_gpus, 0)(w)),
        endpoint=of_pilot_judge(judge_requests, 0),
    params:
        **script_params("pilot"),
        seed=CONFIG.seed,
        title=lambda w: TASKS[w.task].title,
        names=lambda w: set_names(w.task),
        settings=lambda w: pilot_of(w).model_dump(exclude={"processes", "judge"}),
        judge=of_pilot_judge(judge_params, None),
        manner=of_pilot_judge(lambda w: f"{RESULTS}/{w.task}/manner/{JUDGE_MANNER}.json", None),


use rule step as figure_pilot with:
    input:
        f"{PILOT}/trainings.csv",
        f"{PILOT}/predicted_curves.csv",
        f"{PILOT}/arms.csv",
    output:
        **figure_files(f"{PILOT}/curves", "pilot", "Pilot", "{task}", figure="Learning curves"),
    log:
        f"{RESULTS}/logs/figure_pilot/{{task}}.log",
    params:
        **figure_script("pilot.pilot_figure"),


use rule step as pilot_page with:
    input:
        **PAGE_PARTS,
        study=f"{workflow.basedir}/workflow/report/pilot.html.j2",
        found=f"{PILOT}/pilot.json",
        figure=f"{PILOT}/curves.svg",
    output:
        f"{PILOT}/pilot.html",
    log:
        f"{RESULTS}/logs/pilot_page/{{task}}.log",
    params:
        **script_params("pilot_page"),
