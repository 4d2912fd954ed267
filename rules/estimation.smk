# Estimates of every synthetic set against the real records.
#
# Of every set the records are embedded that its estimates look at, by themselves: their vectors depend on no other set.
# Memory: 25,000 records and their vectors, 50 MB, take 760 MB, 100,000 of them 1,190 MB: 3 MB more a megabyte; estimates
# of 2,000 embedded records of each set 540 MB, of 5,000 1,160, of 10,000 2,260: a quarter of a megabyte more a record.
# Time: 8, 22 and 58 s for these; half a minute of a core to embed 1,000 short records, and ten times as much for long
# ones. Eight sets share a submission, which asks for the time of all.
ESTIMATION_RESOURCES = by_size(
    mem_mb=4000,
    mb_each=4,
    runtime=45,
    minutes_each=0.1,
    minutes=lambda wildcards, input: estimation_of(wildcards).records * 6 / 1000,
    held=lambda wildcards, input: megabytes(input) + estimation_of(wildcards).records / 16,
)
SYNTHETIC = f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}/synthetic.jsonl"
VECTORS = f"{RESULTS}/{{task}}/estimation/embeddings/{{generator}}/{{condition}}/{{curation}}.npz"
# Of a set that is read in shards, which no job reads as a whole.
SAMPLE = f"{RESULTS}/{{task}}/estimation/samples/{{generator}}/{{condition}}/{{curation}}.jsonl"


localrules:
    estimation_tables,
    estimation_truth,
    predictions,
    figure_estimates,


use rule model_step as real_embeddings with:
    input:
        encoder_files,
        train=f"{RESULTS}/{{task}}/anchors/train.jsonl",
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
    output:
        f"{RESULTS}/{{task}}/estimation/real.npz",
    log:
        f"{RESULTS}/logs/embeddings/{{task}}.log",
    resources:
        **ESTIMATION_RESOURCES,
        gpu=encoder_gpus,
        endpoint=embedding_requests,
    params:
        **script_params("embeddings"),
        encoder=lambda w: estimation_of(w).encoder,
        device=lambda w: estimation_of(w).device,
        endpoint=embedding_endpoint,
        # How many texts a request has is no reason to embed anything anew.
        manner=embedding_manner,
        seed=CONFIG.seed,
        records=lambda w: estimation_of(w).records,
        pairing=lambda w: estimation_of(w).pairing,


use rule model_step as set_sample with:
    input:
        SYNTHETIC,
    output:
        SAMPLE,
    log:
        f"{RESULTS}/logs/set_sample/{{task}}-{{generator}}-{{condition}}-{{curation}}.log",
    params:
        **script_params("set_sample"),
        seed=CONFIG.seed,
        records=lambda w: estimation_of(w).records,


use rule real_embeddings as embeddings with:
    input:
        encoder_files,
        synthetic=lambda w: (SAMPLE if shards_of(w) else SYNTHETIC).format(**w),
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
    output:
        VECTORS,
    log:
        f"{RESULTS}/logs/embeddings/{{task}}-{{generator}}-{{condition}}-{{curation}}.log",


use rule model_step as estimates with:
    input:
        entailment_files,
        synthetic=lambda w: (SAMPLE if shards_of(w) else SYNTHETIC).format(**w),
        vectors=VECTORS,
        real=f"{RESULTS}/{{task}}/estimation/real.npz",
        train=f"{RESULTS}/{{task}}/anchors/train.jsonl",
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
    output:
        f"{RESULTS}/{{task}}/estimation/{{generator}}/{{condition}}/{{curation}}.json",
    log:
        f"{RESULTS}/logs/estimates/{{task}}-{{generator}}-{{condition}}-{{curation}}.log",
    resources:
        **ESTIMATION_RESOURCES,
        gpu=entailment_gpus,
    params:
        **script_params("estimates"),
        seed=CONFIG.seed,
        settings=lambda w: estimation_of(w).model_dump(exclude={"encoder", "device", "endpoint", "entailment"}),
        entailment=entailment_of,


use rule model_step as estimation_tables with:
    input:
        lambda w: [f"{RESULTS}/{w.task}/estimation/{'/'.join(place)}.json" for place in estimated_places(w.task)],
    output:
        estimates=report_file(
            f"{RESULTS}/{{task}}/estimation/estimates.csv", "estimates", "Estimation", "{task}", table="Estimates"
        ),
        published=report_file(
            f"{RESULTS}/{{task}}/estimation/published.csv", "estimates", "Estimation", "{task}", table="Tables 2 to 4"
        ),
        curves=report_file(
            f"{RESULTS}/{{task}}/estimation/curves.csv", "estimates", "Estimation", "{task}", table="Does n suffice"
        ),
        claims=report_file(
            f"{RESULTS}/{{task}}/estimation/claims.csv", "estimates", "Estimation", "{task}", table="Claims"
        ),
        provenance=f"{RESULTS}/{{task}}/estimation/estimation.provenance.json",
    log:
        f"{RESULTS}/logs/estimation_tables/{{task}}.log",
    params:
        **script_params("estimation_tables"),
        seed=CONFIG.seed,
        places=lambda w: estimated_places(w.task),
        generators=lambda w: [name for name, settings in TASKS[w.task].generators.items() if settings.kind != "import"],
        conditions=lambda w: [f"{x}-ins" for x in sorted(TASKS[w.task].instances)],


use rule model_step as estimation_truth with:
    input:
        estimates=f"{RESULTS}/{{task}}/estimation/estimates.csv",
        anchors=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
        prompts=lambda w: [f"{RESULTS}/{w.task}/prompts/{x}-ins.jsonl" for x in TASKS[w.task].instances],
        sets=lambda w: synthetic_files(w.task, places_in_world(w.task)),
    output:
        report_file(
            f"{RESULTS}/{{task}}/estimation/truth.csv",
            "estimates",
            "Estimation",
            "{task}",
            table="Estimates against the truth",
        ),
    log:
        f"{RESULTS}/logs/estimation_truth/{{task}}.log",
    params:
        **script_params("estimation_truth"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        conditions=lambda w: [f"{x}-ins" for x in TASKS[w.task].instances],
        places=lambda w: places_in_world(w.task),


use rule model_step as predictions with:
    input:
        estimates=f"{RESULTS}/{{task}}/estimation/estimates.csv",
        ratings=f"{RESULTS}/{{task}}/rating/table1.csv",
        risks=f"{RESULTS}/{{task}}/rating/generalization.csv",
        # Their sizes and lengths are what an estimate has to add to; of few conditions nothing is taken out.
        sets=lambda w: synthetic_files(w.task, estimated_places(w.task)),
    output:
        report_file(
            f"{RESULTS}/{{task}}/estimation/predictions.csv",
            "estimates",
            "Estimation",
            "{task}",
            table="Which estimator predicts the rating",
        ),
    log:
        f"{RESULTS}/logs/predictions/{{task}}.log",
    params:
        **script_params("predictions"),
        seed=CONFIG.seed,
        places=lambda w: estimated_places(w.task),
        conditions=lambda w: set_names(w.task),


use rule step as figure_estimates with:
    input:
        f"{RESULTS}/{{task}}/estimation/truth.csv",
    output:
        **figure_files(
            f"{RESULTS}/{{task}}/estimation/figure_estimates",
            "estimates",
            "Estimation",
            "{task}",
            figure="Estimates against the truth",
        ),
    log:
        f"{RESULTS}/logs/figure_estimates/{{task}}.log",
    params:
        **figure_script("estimates.estimates_figure"),
