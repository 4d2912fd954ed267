# Language models: which records, how many and how hard, by fine-tuning and by rewards; balance of skills.
#
# Memory: torch, transformers and TRL take 0.8 GB; the models are tiny. Time: the students of a base and method
# take half a minute here; with the larger preset, hours. All run in one thread, so that bytes do not depend on cores.
LANGUAGE = CONFIG.language
LANGUAGE_FOLDER = f"{RESULTS}/language"
LANGUAGE_RESOURCES = growing(mem_mb=2000, runtime=24 * 60)
LANGUAGE_MODEL = LANGUAGE.model.model_dump()
BALANCES = ["balanced", "unbalanced"]
METHODS = ["sft", "rl"]


localrules:
    language_tables,
    figure_language,
    language_page,


use rule model_step as language_base with:
    output:
        model=directory(f"{LANGUAGE_FOLDER}/bases/{{balance}}"),
        record=f"{LANGUAGE_FOLDER}/bases/{{balance}}.json",
        records=f"{LANGUAGE_FOLDER}/bases/{{balance}}.csv",
    log:
        f"{RESULTS}/logs/language_base/{{balance}}.log",
    wildcard_constraints:
        balance="|".join(BALANCES),
    resources:
        **LANGUAGE_RESOURCES,
    params:
        **script_params("language_base"),
        seed=CONFIG.seed,
        model=LANGUAGE_MODEL,
        test_records=LANGUAGE.test_records,


use rule model_step as language_students with:
    input:
        base=f"{LANGUAGE_FOLDER}/bases/{{balance}}",
        records=f"{LANGUAGE_FOLDER}/bases/{{balance}}.csv",
    output:
        students=f"{LANGUAGE_FOLDER}/{{balance}}/{{method}}/students.csv",
        ratings=f"{LANGUAGE_FOLDER}/{{balance}}/{{method}}/ratings.csv",
    log:
        f"{RESULTS}/logs/language_students/{{balance}}-{{method}}.log",
    wildcard_constraints:
        balance="|".join(BALANCES),
        method="|".join(METHODS),
    resources:
        **LANGUAGE_RESOURCES,
    params:
        **script_params("language_students"),
        seed=CONFIG.seed,
        model=LANGUAGE_MODEL,
        test_records=LANGUAGE.test_records,
        seeds=LANGUAGE.seeds,
        design=LANGUAGE.design(),
        fine_tuning=lambda w: (LANGUAGE.fine_tuning.model_dump() if w.method == "sft" else {}),
        rewards=lambda w: LANGUAGE.rewards.model_dump() if w.method == "rl" else {},


use rule model_step as language_tables with:
    input:
        students=expand(f"{LANGUAGE_FOLDER}/{{balance}}/{{method}}/students.csv", balance=BALANCES, method=METHODS),
        ratings=expand(f"{LANGUAGE_FOLDER}/{{balance}}/{{method}}/ratings.csv", balance=BALANCES, method=METHODS),
    output:
        students=f"{LANGUAGE_FOLDER}/students.csv",
        conditions=f"{LANGUAGE_FOLDER}/conditions.csv",
        claims=report_file(
            f"{LANGUAGE_FOLDER}/claims.csv", "language_claims", "Data quality", table="Claims, language models"
        ),
        provenance=f"{LANGUAGE_FOLDER}/claims.provenance.json",
    log:
        f"{RESULTS}/logs/language_tables.log",
    params:
        **script_params("language_tables"),


use rule step as figure_language with:
    input:
        f"{LANGUAGE_FOLDER}/conditions.csv",
    output:
        expand(f"{LANGUAGE_FOLDER}/figure_language.{{kind}}", kind=("svg", "png", "csv")),
    log:
        f"{RESULTS}/logs/figure_language.log",
    params:
        **figure_script("language.language_figure"),


use rule step as language_page with:
    input:
        **PAGE_PARTS,
        claims=f"{workflow.basedir}/workflow/report/claims.html.j2",
        study=f"{workflow.basedir}/workflow/report/language.html.j2",
        tables=[f"{LANGUAGE_FOLDER}/claims.csv", f"{LANGUAGE_FOLDER}/conditions.csv"],
        records=expand(f"{LANGUAGE_FOLDER}/bases/{{balance}}.csv", balance=BALANCES),
        bases=expand(f"{LANGUAGE_FOLDER}/bases/{{balance}}.json", balance=BALANCES),
        figures=rules.figure_language.output,
        provenance=f"{LANGUAGE_FOLDER}/claims.provenance.json",
    output:
        f"{RESULTS}/language.html",
    log:
        f"{RESULTS}/logs/language_page.log",
    params:
        **script_params("language_page"),
