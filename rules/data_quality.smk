# Data quality: closed forms, small and hard data, outcome supervision; what is claimed of them.
#
# Memory: a repetition of figure 1 holds nine predictors of 400 x 400 (1.3 MB each) and 2,000 prompts of 400.
# Time: figures 1 and 2 and the limit take some twelve seconds each here, all other jobs five at most.
QUALITY = CONFIG.data_quality
QUALITY_FOLDER = f"{RESULTS}/data_quality"
QUALITY_RESOURCES = growing(mem_mb=1500, runtime=20)
QUALITY_SIZES = {"seed": CONFIG.seed, "seeds": QUALITY.seeds, **QUALITY.model_dump(include={"rho", "eta"})}
# What further rules of the study add to: claims that are corrected together, tables and figures of the page.
QUALITY_CLAIMS = [f"{QUALITY_FOLDER}/claims/theory.csv"]
QUALITY_TABLES = [
    f"{QUALITY_FOLDER}/{name}.csv" for name in ("theorems", "small_sets", "difficulty", "curvature", "outcome")
]
QUALITY_FIGURES = [
    f"{QUALITY_FOLDER}/figure{name}" for name in ("1", "2", "5", "_small_sets", "_difficulty", "_outcome")
]


localrules:
    data_quality_certificates,
    data_quality_theory_claims,
    data_quality_claims,
    data_quality_page,


use rule step as data_quality_certificates with:
    output:
        directory(f"{QUALITY_FOLDER}/certificates"),
    log:
        f"{RESULTS}/logs/data_quality_certificates.log",
    params:
        **script_params("data_quality_certificates"),


use rule step as data_quality_theorems with:
    output:
        f"{QUALITY_FOLDER}/theorems.csv",
    log:
        f"{RESULTS}/logs/data_quality_theorems.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_theorems"),
        seed=CONFIG.seed,
        seeds=QUALITY.seeds,
        d=QUALITY.theorem_d,


use rule step as data_quality_numbers with:
    output:
        f"{QUALITY_FOLDER}/repetitions/figure1.csv",
    log:
        f"{RESULTS}/logs/data_quality_numbers.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_numbers"),
        sizes=QUALITY_SIZES,
        curves=QUALITY.curves.model_dump(
            include={"d", "interferences", "lengths", "prompts", "chained_prompts"} | {"test_steps", "test_prompts"}
        ),


use rule step as data_quality_lengths with:
    output:
        f"{QUALITY_FOLDER}/repetitions/figure2.csv",
    log:
        f"{RESULTS}/logs/data_quality_lengths.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_lengths"),
        sizes=QUALITY_SIZES,
        curves=QUALITY.curves.model_dump(
            include={"d", "interferences", "swept_lengths", "swept_prompts"}
            | {"base_length", "test_steps", "test_prompts"}
        ),


use rule step as data_quality_limit with:
    output:
        f"{QUALITY_FOLDER}/repetitions/figure5.csv",
    log:
        f"{RESULTS}/logs/data_quality_limit.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_limit"),
        sizes=QUALITY_SIZES,
        limit=QUALITY.limit.model_dump(),


use rule step as data_quality_sets with:
    output:
        small_sets=f"{QUALITY_FOLDER}/small_sets.csv",
        difficulty=f"{QUALITY_FOLDER}/difficulty.csv",
    log:
        f"{RESULTS}/logs/data_quality_sets.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_sets"),
        sizes=QUALITY_SIZES,
        sets=QUALITY.small_sets.model_dump(),


use rule step as data_quality_outcome with:
    output:
        curvature=f"{QUALITY_FOLDER}/curvature.csv",
        outcome=f"{QUALITY_FOLDER}/outcome.csv",
    log:
        f"{RESULTS}/logs/data_quality_outcome.log",
    resources:
        **QUALITY_RESOURCES,
    params:
        **script_params("data_quality_outcome"),
        seed=CONFIG.seed,
        seeds=QUALITY.seeds,
        rho=QUALITY.rho,
        outcome=QUALITY.outcome.model_dump(),


use rule step as data_quality_theory_claims with:
    input:
        theorems=f"{QUALITY_FOLDER}/theorems.csv",
        numbers=f"{QUALITY_FOLDER}/repetitions/figure1.csv",
        lengths=f"{QUALITY_FOLDER}/repetitions/figure2.csv",
        limit=f"{QUALITY_FOLDER}/repetitions/figure5.csv",
        small_sets=f"{QUALITY_FOLDER}/small_sets.csv",
        difficulty=f"{QUALITY_FOLDER}/difficulty.csv",
        curvature=f"{QUALITY_FOLDER}/curvature.csv",
        outcome=f"{QUALITY_FOLDER}/outcome.csv",
    output:
        claims=f"{QUALITY_FOLDER}/claims/theory.csv",
        provenance=f"{QUALITY_FOLDER}/theory.provenance.json",
    log:
        f"{RESULTS}/logs/data_quality_theory_claims.log",
    params:
        **script_params("data_quality_theory_claims"),
        sizes=QUALITY_SIZES,
        d=QUALITY.curves.d,
        limit=QUALITY.limit.model_dump(include={"d", "interference"}),


use rule step as data_quality_claims with:
    input:
        lambda w: QUALITY_CLAIMS,
    output:
        report_file(f"{QUALITY_FOLDER}/claims.csv", "data_quality_claims", "Data quality", table="Claims"),
    log:
        f"{RESULTS}/logs/data_quality_claims.log",
    params:
        **script_params("judged_claims"),


use rule step as data_quality_figures with:
    input:
        numbers=f"{QUALITY_FOLDER}/repetitions/figure1.csv",
        lengths=f"{QUALITY_FOLDER}/repetitions/figure2.csv",
        limit=f"{QUALITY_FOLDER}/repetitions/figure5.csv",
        small_sets=f"{QUALITY_FOLDER}/small_sets.csv",
        difficulty=f"{QUALITY_FOLDER}/difficulty.csv",
        curvature=f"{QUALITY_FOLDER}/curvature.csv",
        outcome=f"{QUALITY_FOLDER}/outcome.csv",
    output:
        [
            f"{QUALITY_FOLDER}/figure{name}.{kind}"
            for name in ("1", "2", "5", "_small_sets", "_difficulty", "_outcome")
            for kind in ("svg", "png", "csv")
        ],
    log:
        f"{RESULTS}/logs/data_quality_figures.log",
    params:
        **script_params("data_quality_figures"),
        figures=CONFIG.figures.model_dump(),


use rule step as data_quality_page with:
    input:
        **PAGE_PARTS,
        claims=f"{workflow.basedir}/workflow/report/claims.html.j2",
        trained=f"{workflow.basedir}/workflow/report/trained.html.j2",
        study=f"{workflow.basedir}/workflow/report/data_quality.html.j2",
        tables=lambda w: [f"{QUALITY_FOLDER}/claims.csv", *QUALITY_TABLES],
        figures=lambda w: [f"{figure}.{kind}" for figure in QUALITY_FIGURES for kind in ("svg", "png", "csv")],
        certificates=f"{QUALITY_FOLDER}/certificates",
        provenance=f"{QUALITY_FOLDER}/theory.provenance.json",
    output:
        f"{RESULTS}/data_quality.html",
    log:
        f"{RESULTS}/logs/data_quality_page.log",
    params:
        **script_params("data_quality_page"),
