# Reasoners whose right thoughts are known, their verifiers, and searches at matched cost.
#
# All models are trained on the spot and far too small to gain from a GPU; they run in one thread each, so that
# their bytes do not depend on the machine's cores. Memory: a block of 500 searched problems keeps up to some
# 200,000 prefixes of each of three models, half a gigabyte in all. Time: a training takes some 10 s here, the
# searches of a reasoner a minute.
REASONING = SLOW.reasoning
REASONING_FOLDER = f"{SLOW_FOLDER}/reasoning"
REASONING_RESOURCES = growing(mem_mb=2500, runtime=30)
REASONERS = [
    f"{group}/{name}" for group in REASONING.groups for name in REASONING.reasoners
]
SEARCHED_REASONERS = [
    f"{group}/{name}"
    for group in REASONING.groups
    for name in REASONING.search.reasoners
]
SLOW_CLAIMS += [f"{SLOW_FOLDER}/claims/{name}.csv" for name in ("reasoning", "search")]
SLOW_TABLES += [
    f"{REASONING_FOLDER}/{name}.csv"
    for name in ("reasoners", "steps", "lengths", "laws")
]
SLOW_TABLES += [
    f"{REASONING_FOLDER}/{name}.csv" for name in ("searches", "matched", "reliability")
]
SLOW_FIGURES += [
    f"{SLOW_FOLDER}/figure_{name}" for name in ("reasoners", "searches", "costs")
]


localrules:
    reasoning_problems,
    reasoning_tables,
    search_tables,


rule reasoning_problems:
    output:
        f"{REASONING_FOLDER}/problems/{{group}}/{{use}}.npz",
    log:
        f"{RESULTS}/logs/reasoning_problems/{{group}}/{{use}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("reasoning_problems"),
        seed=CONFIG.seed,
        counts=lambda w: REASONING.counts(w.use),
    script:
        "../workflow/scripts/reasoning_problems.py"


rule reasoner:
    output:
        model=directory(f"{REASONING_FOLDER}/models/{{group}}/{{name}}"),
        curve=f"{REASONING_FOLDER}/models/{{group}}/{{name}}.curve.csv",
        record=f"{REASONING_FOLDER}/models/{{group}}/{{name}}.json",
    log:
        f"{RESULTS}/logs/reasoner/{{group}}/{{name}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("reasoner"),
        seed=CONFIG.seed,
        lengths=[REASONING.shortest, REASONING.longest],
        recipe=lambda w: REASONING.reasoners[w.name].model_dump(),
    script:
        "../workflow/scripts/reasoner.py"


rule reasoning_samples:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/samples.npz",
    output:
        f"{REASONING_FOLDER}/samples/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/reasoning_samples/{{group}}/{{name}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("reasoning_samples"),
        seed=CONFIG.seed,
        hot=None,
    script:
        "../workflow/scripts/reasoning_samples.py"


# Half of these chains are drawn hotter, so that verifiers see errors.
use rule reasoning_samples as verifier_samples with:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/training.npz",
    output:
        f"{REASONING_FOLDER}/training/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/verifier_samples/{{group}}/{{name}}.log",
    params:
        code=code("reasoning_samples"),
        seed=CONFIG.seed,
        hot=REASONING.verifiers.temperature,


rule verifier:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/training.npz",
        samples=f"{REASONING_FOLDER}/training/{{group}}/{{name}}.npz",
    output:
        model=directory(f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/{{kind}}"),
        curve=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/{{kind}}.curve.csv",
    log:
        f"{RESULTS}/logs/verifier/{{group}}/{{name}}/{{kind}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("verifier"),
        seed=CONFIG.seed,
        steps=lambda w: getattr(REASONING.verifiers, f"{w.kind}_steps"),
        recipe=REASONING.verifiers.model_dump(include={"rate", "batch"}),
    script:
        "../workflow/scripts/verifier.py"


rule verifier_reliability:
    input:
        reasoner=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        orm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/orm",
        prm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/prm",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/calibration.npz",
    output:
        f"{REASONING_FOLDER}/reliability/{{group}}/{{name}}.csv",
    log:
        f"{RESULTS}/logs/verifier_reliability/{{group}}/{{name}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("verifier_reliability"),
        seed=CONFIG.seed,
        widths=REASONING.search.widths,
    script:
        "../workflow/scripts/verifier_reliability.py"


rule searches:
    input:
        reasoner=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        orm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/orm",
        prm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/prm",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/search.npz",
    output:
        f"{REASONING_FOLDER}/searches/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/searches/{{group}}/{{name}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("searches"),
        seed=CONFIG.seed,
        plan=REASONING.search.model_dump(exclude={"reasoners", "length", "problems"}),
    script:
        "../workflow/scripts/searches.py"


rule reasoning_steps:
    input:
        problems=f"{REASONING_FOLDER}/problems/{{group}}/samples.npz",
        samples=f"{REASONING_FOLDER}/samples/{{group}}/{{name}}.npz",
    output:
        steps=f"{REASONING_FOLDER}/steps/{{group}}/{{name}}.csv",
        lengths=f"{REASONING_FOLDER}/steps/{{group}}/{{name}}.lengths.csv",
    log:
        f"{RESULTS}/logs/reasoning_steps/{{group}}/{{name}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("reasoning_steps"),
        seed=CONFIG.seed,
    script:
        "../workflow/scripts/reasoning_steps.py"


rule reasoning_tables:
    input:
        curves=expand(
            f"{REASONING_FOLDER}/models/{{reasoner}}.curve.csv", reasoner=REASONERS
        ),
        records=expand(
            f"{REASONING_FOLDER}/models/{{reasoner}}.json", reasoner=REASONERS
        ),
        steps=expand(f"{REASONING_FOLDER}/steps/{{reasoner}}.csv", reasoner=REASONERS),
        lengths=expand(
            f"{REASONING_FOLDER}/steps/{{reasoner}}.lengths.csv", reasoner=REASONERS
        ),
        problems=expand(
            f"{REASONING_FOLDER}/problems/{{group}}/samples.npz",
            group=REASONING.groups,
        ),
    output:
        reasoners=f"{REASONING_FOLDER}/reasoners.csv",
        steps=report(
            f"{REASONING_FOLDER}/steps.csv",
            caption="../workflow/report/reasoning_steps.rst",
            category="Slow thinking",
            labels={"table": "Steps of the reasoners"},
        ),
        lengths=f"{REASONING_FOLDER}/lengths.csv",
        laws=f"{REASONING_FOLDER}/laws.csv",
        claims=f"{SLOW_FOLDER}/claims/reasoning.csv",
        provenance=f"{REASONING_FOLDER}/reasoners.provenance.json",
    log:
        f"{RESULTS}/logs/reasoning_tables.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("reasoning_tables"),
        seed=CONFIG.seed,
        reasoners=REASONERS,
        groups=REASONING.groups,
    script:
        "../workflow/scripts/reasoning_tables.py"


rule search_tables:
    input:
        searches=expand(
            f"{REASONING_FOLDER}/searches/{{reasoner}}.npz",
            reasoner=SEARCHED_REASONERS,
        ),
        reliability=expand(
            f"{REASONING_FOLDER}/reliability/{{reasoner}}.csv",
            reasoner=SEARCHED_REASONERS,
        ),
    output:
        searches=report(
            f"{REASONING_FOLDER}/searches.csv",
            caption="../workflow/report/searches.rst",
            category="Slow thinking",
            labels={"table": "Searches"},
        ),
        matched=f"{REASONING_FOLDER}/matched.csv",
        reliability=f"{REASONING_FOLDER}/reliability.csv",
        claims=f"{SLOW_FOLDER}/claims/search.csv",
        provenance=f"{REASONING_FOLDER}/searches.provenance.json",
    log:
        f"{RESULTS}/logs/search_tables.log",
    conda:
        "../envs/models.yaml"
    resources:
        **REASONING_RESOURCES,
    params:
        code=code("search_tables"),
        reasoners=SEARCHED_REASONERS,
    script:
        "../workflow/scripts/search_tables.py"


rule figure_reasoners:
    input:
        steps=f"{REASONING_FOLDER}/steps.csv",
        lengths=f"{REASONING_FOLDER}/lengths.csv",
    output:
        svg=f"{SLOW_FOLDER}/figure_reasoners.svg",
        png=f"{SLOW_FOLDER}/figure_reasoners.png",
        numbers=f"{SLOW_FOLDER}/figure_reasoners.csv",
    log:
        f"{RESULTS}/logs/figure_reasoners.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure_reasoners"),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_reasoners.py"


rule figure_searches:
    input:
        f"{REASONING_FOLDER}/searches.csv",
    output:
        svg=f"{SLOW_FOLDER}/figure_searches.svg",
        png=f"{SLOW_FOLDER}/figure_searches.png",
        numbers=f"{SLOW_FOLDER}/figure_searches.csv",
    log:
        f"{RESULTS}/logs/figure_searches.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure_searches"),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_searches.py"


rule figure_costs:
    input:
        f"{REASONING_FOLDER}/searches.csv",
    output:
        svg=f"{SLOW_FOLDER}/figure_costs.svg",
        png=f"{SLOW_FOLDER}/figure_costs.png",
        numbers=f"{SLOW_FOLDER}/figure_costs.csv",
    log:
        f"{RESULTS}/logs/figure_costs.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure_costs"),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_costs.py"
