# Searches with real models: problems, steps and scores, accuracy at matched cost.
#
# Every raw step and score is kept in a store below `stores`, as raw responses are (synthesis.smk): a search that
# was cut off asks for the rest only. Memory: as of responses. Time: what a search asks depends on what it is answered, so
# hours are for the profile to say. Policy and verifier of one job share its GPUs; a server takes most of one unless
# its command says otherwise.
REAL = SLOW.real
REAL_FOLDER = f"{SLOW_FOLDER}/real"
REAL_JOBS = [f"{name}/searches/{job}" for name, s in REAL.items() for job in s.jobs()]
SLOW_CLAIMS += [f"{SLOW_FOLDER}/claims/real_search.csv"]
SLOW_TABLES += [f"{REAL_FOLDER}/{name}.csv" for name in ("real_searches", "real_matched")]
SLOW_FIGURES += [f"{SLOW_FOLDER}/figure_real_searches"]


localrules:
    real_search_tables,


def real_models(wildcards):
    """Settings of the models that a job asks, by part."""
    return REAL[wildcards.name].models_of(wildcards.job)


def real_templates(wildcards):
    """A person's own prompts."""
    plan = REAL[wildcards.name].plan(wildcards.job)
    return [plan[key] for key in ("template", "judge_template") if plan.get(key) is not None]


use rule model_step as real_problems with:
    input:
        lambda w: REAL[w.name].problems.watched,
    output:
        problems=f"{REAL_FOLDER}/{{name}}/problems.jsonl",
        report=f"{REAL_FOLDER}/{{name}}/problems.json",
    log:
        f"{RESULTS}/logs/real_problems/{{name}}.log",
    params:
        **script_params("real_problems"),
        seed=CONFIG.seed,
        source=lambda w: REAL[w.name].problems.read_settings(),
        answer=lambda w: REAL[w.name].problems.answer,
        most=lambda w: REAL[w.name].problems.most,


use rule model_step as real_search with:
    input:
        problems=f"{REAL_FOLDER}/{{name}}/problems.jsonl",
        templates=real_templates,
        files=lambda w: [f for s in real_models(w).values() for f in files_of_model(s)],
    output:
        searches=f"{REAL_FOLDER}/{{name}}/searches/{{job}}.jsonl",
        counts=f"{REAL_FOLDER}/{{name}}/searches/{{job}}.json",
    log:
        f"{RESULTS}/logs/real_search/{{name}}-{{job}}.log",
    threads: lambda w: max(threads_of(s) for s in real_models(w).values())
    resources:
        **by_size(mem_mb=4000, mb_each=2, runtime=240),
        gpu=lambda w: max(gpus_of(s) for s in real_models(w).values()),
        endpoint=lambda w: int(any(s.kind == "openai" for s in real_models(w).values())),
    params:
        **script_params("real_search"),
        seed=CONFIG.seed,
        models=lambda w: {part: s.model_dump(exclude=MANNER) for part, s in real_models(w).items()},
        plan=lambda w: REAL[w.name].plan(w.job),
        # How fast and for how much is asked is no reason to make anything anew.
        manner=f"{REAL_FOLDER}/{{name}}/manner.json",


use rule step as real_search_tables with:
    input:
        searches=expand(f"{REAL_FOLDER}/{{job}}.jsonl", job=REAL_JOBS),
        counts=expand(f"{REAL_FOLDER}/{{job}}.json", job=REAL_JOBS),
    output:
        searches=report_file(
            f"{REAL_FOLDER}/real_searches.csv", "real_searches", "Slow thinking", table="Searches with real models"
        ),
        matched=f"{REAL_FOLDER}/real_matched.csv",
        claims=f"{SLOW_FOLDER}/claims/real_search.csv",
        provenance=f"{REAL_FOLDER}/real_searches.provenance.json",
    log:
        f"{RESULTS}/logs/real_search_tables.log",
    params:
        **script_params("real_search_tables"),
        searches={
            name: {
                "title": search.title,
                "answer": search.problems.answer,
                "methods": search.methods,
                "prices": {
                    part: s.prices.model_dump() if hasattr(s, "prices") else {} for part, s in search.models().items()
                },
            }
            for name, search in REAL.items()
        },


use rule step as figure_real_searches with:
    input:
        f"{REAL_FOLDER}/real_searches.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_real_searches"),
    log:
        f"{RESULTS}/logs/figure_real_searches.log",
    params:
        **figure_script("reasoning.real_searches_figure"),
