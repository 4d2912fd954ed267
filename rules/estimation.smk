# Estimates of every synthetic set against the real records.
#
# What a condition's parser found is embedded once, whatever is curated from it, and by itself: its
# vectors depend on no other set. Memory: kernels are evaluated in tiles; 2,000 records take some
# 300 MB beside the libraries. Time: a set of 400 records takes seconds, one of 10,000 a minute; eight
# share a submission, which asks for the time of all.
ESTIMATION_RESOURCES = growing(mem_mb=4000, runtime=60)
PARSED = f"{RESULTS}/{{task}}/parsed/{{generator}}/{{condition}}/records.jsonl"
VECTORS = f"{RESULTS}/{{task}}/estimation/embeddings/{{generator}}/{{condition}}.npz"


localrules:
    estimation_tables,
    estimation_truth,
    predictions,
    figure_estimates,


rule real_embeddings:
    input:
        encoder_files,
        sets=[f"{RESULTS}/{{task}}/anchors/{name}.jsonl" for name in ("train", "pool")],
    output:
        f"{RESULTS}/{{task}}/estimation/real.npz",
    log:
        f"{RESULTS}/logs/embeddings/{{task}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
        gpu=encoder_gpus,
        endpoint=embedding_requests,
    params:
        code=code("embeddings"),
        encoder=lambda w: estimation_of(w).encoder,
        device=lambda w: estimation_of(w).device,
        endpoint=embedding_endpoint,
        # How many texts a request has is no reason to embed anything anew.
        manner=embedding_manner,
        names=["train", "pool"],
    script:
        "../workflow/scripts/embeddings.py"


rule embeddings:
    input:
        encoder_files,
        sets=[PARSED],
    output:
        VECTORS,
    log:
        f"{RESULTS}/logs/embeddings/{{task}}-{{generator}}-{{condition}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
        gpu=encoder_gpus,
        endpoint=embedding_requests,
    params:
        code=code("embeddings"),
        encoder=lambda w: estimation_of(w).encoder,
        device=lambda w: estimation_of(w).device,
        endpoint=embedding_endpoint,
        # How many texts a request has is no reason to embed anything anew.
        manner=embedding_manner,
        names=["parsed"],
    script:
        "../workflow/scripts/embeddings.py"


rule estimates:
    input:
        entailment_files,
        synthetic=f"{RESULTS}/{{task}}/synthetic/{{generator}}/{{condition}}/{{curation}}/synthetic.jsonl",
        parsed=PARSED,
        vectors=VECTORS,
        real=f"{RESULTS}/{{task}}/estimation/real.npz",
        train=f"{RESULTS}/{{task}}/anchors/train.jsonl",
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
    output:
        f"{RESULTS}/{{task}}/estimation/{{generator}}/{{condition}}/{{curation}}.json",
    log:
        f"{RESULTS}/logs/estimates/{{task}}-{{generator}}-{{condition}}-{{curation}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
        gpu=entailment_gpus,
    params:
        code=code("estimates"),
        seed=CONFIG.seed,
        settings=lambda w: estimation_of(w).model_dump(
            exclude={"encoder", "device", "endpoint", "entailment"}
        ),
        entailment=entailment_of,
    script:
        "../workflow/scripts/estimates.py"


rule estimation_tables:
    input:
        lambda w: [
            f"{RESULTS}/{w.task}/estimation/{'/'.join(place)}.json"
            for place in estimated_places(w.task)
        ],
    output:
        estimates=report(
            f"{RESULTS}/{{task}}/estimation/estimates.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Estimates"},
        ),
        published=report(
            f"{RESULTS}/{{task}}/estimation/published.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Tables 2 to 4"},
        ),
        curves=report(
            f"{RESULTS}/{{task}}/estimation/curves.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Does n suffice"},
        ),
        claims=report(
            f"{RESULTS}/{{task}}/estimation/claims.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Claims"},
        ),
        provenance=f"{RESULTS}/{{task}}/estimation/estimation.provenance.json",
    log:
        f"{RESULTS}/logs/estimation_tables/{{task}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
    params:
        code=code("estimation_tables"),
        seed=CONFIG.seed,
        places=lambda w: estimated_places(w.task),
        generators=lambda w: [
            name
            for name, settings in TASKS[w.task].generators.items()
            if settings.kind != "import"
        ],
        conditions=lambda w: [f"{x}-ins" for x in sorted(TASKS[w.task].instances)],
    script:
        "../workflow/scripts/estimation_tables.py"


rule estimation_truth:
    input:
        estimates=f"{RESULTS}/{{task}}/estimation/estimates.csv",
        anchors=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
        prompts=lambda w: [
            f"{RESULTS}/{w.task}/prompts/{x}-ins.jsonl"
            for x in TASKS[w.task].instances
        ],
        sets=lambda w: [
            f"{RESULTS}/{w.task}/synthetic/{'/'.join(place)}/synthetic.jsonl"
            for place in places_in_world(w.task)
        ],
    output:
        report(
            f"{RESULTS}/{{task}}/estimation/truth.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Estimates against the truth"},
        ),
    log:
        f"{RESULTS}/logs/estimation_truth/{{task}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
    params:
        code=code("estimation_truth"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        conditions=lambda w: [f"{x}-ins" for x in TASKS[w.task].instances],
        places=lambda w: places_in_world(w.task),
    script:
        "../workflow/scripts/estimation_truth.py"


rule predictions:
    input:
        estimates=f"{RESULTS}/{{task}}/estimation/estimates.csv",
        ratings=f"{RESULTS}/{{task}}/rating/table1.csv",
    output:
        report(
            f"{RESULTS}/{{task}}/estimation/predictions.csv",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"table": "Which estimator predicts the rating"},
        ),
    log:
        f"{RESULTS}/logs/predictions/{{task}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **ESTIMATION_RESOURCES,
    params:
        code=code("predictions"),
        seed=CONFIG.seed,
        places=lambda w: {
            name: [made[part] for part in ("generator", "condition", "curation")]
            for name, made in STUDENT_CONDITIONS[w.task].items()
            if made["kind"] == "synthetic"
        },
    script:
        "../workflow/scripts/predictions.py"


rule figure_estimates:
    input:
        f"{RESULTS}/{{task}}/estimation/truth.csv",
    output:
        svg=report(
            f"{RESULTS}/{{task}}/estimation/figure_estimates.svg",
            caption="../workflow/report/estimates.rst",
            category="Estimation",
            subcategory="{task}",
            labels={"figure": "Estimates against the truth"},
        ),
        png=f"{RESULTS}/{{task}}/estimation/figure_estimates.png",
        csv=f"{RESULTS}/{{task}}/estimation/figure_estimates.csv",
    log:
        f"{RESULTS}/logs/figure_estimates/{{task}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **ESTIMATION_RESOURCES,
    params:
        code=code("figure_estimates"),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_estimates.py"
