# Responses of the generators, the records in them, and curation: S_gen = M(p) + epsilon.
#
# Memory: the libraries with a tiny model take 1 GB, and weights of half precision twice their size where there is no GPU.
# Time: 20,000 responses of an endpoint at 100 a minute take 3.3 hours; those of a model here by arithmetic
# (ggmi.workflow.demand).
#
# Every raw response is kept in a store below `stores`, which is no output: Snakemake removes the
# outputs of a job that failed, and nothing that was paid for shall be lost or asked for twice.
ASKING = {"mem_mb": 4000, "mb_each": 2, "runtime": 60}
# Curating 100,000 records takes 490 MB and 8 s, a million 1.5 GB and 190 s; a million of 400 bytes, a file of 640 MB,
# 2.3 GB: 3 MB more a megabyte. Reading takes 3.3 MB a megabyte of a person's file, parsing less. Eight sets share a
# submission.
SET_RESOURCES = by_size(mem_mb=2000, mb_each=8, runtime=20, minutes_each=0.1)


localrules:
    synthesis_tables,
    shares,
    figure_shares,
    task_page,


use rule model_step as responses with:
    input:
        prompts=f"{RESULTS}/{{task}}/prompts/{{condition}}.jsonl",
        model=world_model_of,
        files=model_files_of,
    output:
        responses=f"{RESULTS}/{{task}}/responses/{{generator}}/{{condition}}.jsonl",
        outcome=f"{RESULTS}/{{task}}/responses/{{generator}}/{{condition}}.json",
    log:
        f"{RESULTS}/logs/responses/{{task}}-{{generator}}-{{condition}}.log",
    wildcard_constraints:
        condition=r"\d+-ins",
    threads: lambda w: threads_of(generator_of(w))
    resources:
        **by_size(**ASKING, minutes=responses_minutes),
        gpu=lambda w: gpus_of(generator_of(w)),
        endpoint=lambda w: int(generator_of(w).kind == "openai"),
    params:
        **script_params("responses"),
        backend=lambda w: generator_of(w).model_dump(exclude=MANNER),
        sampling=lambda w: TASKS[w.task].sampling.model_dump(),
        system=lambda w: TASKS[w.task].prompts.system,
        draws=lambda w: TASKS[w.task].prompts.draws,
        # How fast and for how much is asked is no reason to make anything anew.
        manner=f"{RESULTS}/{{task}}/manner/{{generator}}.json",


use rule model_step as parsed_set with:
    input:
        responses=f"{RESULTS}/{{task}}/responses/{{generator}}/{{condition}}.jsonl",
        outcome=f"{RESULTS}/{{task}}/responses/{{generator}}/{{condition}}.json",
        prompts=f"{RESULTS}/{{task}}/prompts/{{condition}}.jsonl",
    output:
        records=f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/records.jsonl",
        failures=f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/failures.jsonl",
        summary=f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/summary.json",
    log:
        f"{RESULTS}/logs/parsed_set/{{task}}-{{generator}}-{{condition}}.log",
    wildcard_constraints:
        condition=r"\d+-ins",
    resources:
        **SET_RESOURCES,
    params:
        **script_params("parsed_set"),
        form=lambda w: record_form(w.task),


use rule model_step as imported_set with:
    input:
        files=lambda w: [] if shards_of(w) else generator_of(w).watched,
        shards=shard_files(ROWS),
    output:
        records=f"{RESULTS}/{{task}}/parsed/{{generator}}/given/records.jsonl",
        failures=f"{RESULTS}/{{task}}/parsed/{{generator}}/given/failures.jsonl",
        summary=f"{RESULTS}/{{task}}/parsed/{{generator}}/given/summary.json",
    log:
        f"{RESULTS}/logs/imported_set/{{task}}-{{generator}}.log",
    resources:
        **either(shards_of, SET_OF_SHARDS_RESOURCES, SET_RESOURCES),
    params:
        **script_params("imported_set"),
        source=lambda w: generator_of(w).read_settings(),


use rule model_step as curated_set with:
    input:
        records=f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/records.jsonl",
        summary=f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/summary.json",
        references=lambda w: [] if shards_of(w) else references_of(w),
        screened=shard_files(SCREENED),
        merged=of_shards(MERGED),
        index=of_shards(JOINED, drops_near),
        pairs=shard_files(PAIRS, drops_near),
        copied=lambda w: [f"{RESULTS}/{w.task}/anchors/train.jsonl"] if "copied" in faults_of(w) else [],
        template=lambda w: template_of(w) if is_generated(w) else [],
    output:
        records=f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}/synthetic.jsonl",
        card=f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}/README.md",
        drops=f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}.drops.jsonl",
        summary=f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}.json",
    log:
        f"{RESULTS}/logs/curated_set/{{task}}-{{generator}}-{{condition}}-{{curation}}.log",
    resources:
        **either(shards_of, SET_OF_SHARDS_RESOURCES, SET_RESOURCES),
    params:
        **script_params("curated_set"),
        title=lambda w: TASKS[w.task].title,
        license=lambda w: TASKS[w.task].license,
        seed=CONFIG.seed,
        curation=lambda w: TASKS[w.task].curations[w.curation].model_dump(),
        sizes=lambda w: WORLD.sizes() if "off_task" in faults_of(w) else None,
        made_by=made_by,


use rule model_step as synthesis_tables with:
    input:
        parsed=lambda w: [
            f"{RESULTS}/{w.task}/parsed/{generator}/{condition}/summary.json"
            for generator, condition in TASKS[w.task].conditions()
        ],
        curated=lambda w: [
            f"{RESULTS}/{w.task}/synthetic/{generator}/{condition}/{curation}.json"
            for generator, condition in TASKS[w.task].conditions()
            for curation in TASKS[w.task].curations
        ],
        split=f"{RESULTS}/{{task}}/anchors/split.json",
    output:
        validity=report_file(f"{RESULTS}/{{task}}/validity.csv", "validity", "Synthesis", "{task}", table="Validity"),
        curation=report_file(f"{RESULTS}/{{task}}/curation.csv", "curation", "Synthesis", "{task}", table="Curation"),
        provenance=f"{RESULTS}/{{task}}/synthesis.provenance.json",
    log:
        f"{RESULTS}/logs/synthesis_tables/{{task}}.log",
    params:
        **script_params("synthesis_tables"),
        conditions=lambda w: TASKS[w.task].conditions(),
        curations=lambda w: list(TASKS[w.task].curations),


use rule model_step as shares with:
    input:
        anchors=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
        prompts=lambda w: [f"{RESULTS}/{w.task}/prompts/{x}-ins.jsonl" for x in TASKS[w.task].instances],
        records=lambda w: [
            f"{RESULTS}/{w.task}/parsed/{generator}/{condition}/records.jsonl"
            for generator, condition in made_in_world(w)
        ],
    output:
        table=report_file(
            f"{RESULTS}/{{task}}/shares.csv", "shares", "Embedded world", "{task}", table="What generators write"
        ),
        provenance=f"{RESULTS}/{{task}}/shares.provenance.json",
    log:
        f"{RESULTS}/logs/shares/{{task}}.log",
    params:
        **script_params("shares"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        conditions=made_in_world,
        instances=lambda w: TASKS[w.task].instances,


use rule step as figure_shares with:
    input:
        f"{RESULTS}/{{task}}/shares.csv",
    output:
        **figure_files(
            f"{RESULTS}/{{task}}/figure_shares", "shares", "Embedded world", "{task}", figure="What generators write"
        ),
    log:
        f"{RESULTS}/logs/figure_shares/{{task}}.log",
    params:
        **figure_script("shares.shares_figure"),


use rule step as task_page with:
    input:
        **PAGE_PARTS,
        answers=f"{workflow.basedir}/workflow/report/answers.html.j2",
        study=f"{workflow.basedir}/workflow/report/task.html.j2",
        tables=lambda w: task_tables(w.task),
        split=f"{RESULTS}/{{task}}/anchors/split.json",
        figures=lambda w: [f"{figure}.{kind}" for figure in task_figures(w.task) for kind in ("svg", "png")],
        records=lambda w: task_records(w.task),
        world=lambda w: [f"{RESULTS}/world/world.json"] if made_in_world(w) else [],
    output:
        f"{RESULTS}/{{task}}.html",
    log:
        f"{RESULTS}/logs/task_page/{{task}}.log",
    params:
        **script_params("task_page"),
        title=lambda w: TASKS[w.task].title,
