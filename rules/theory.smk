# The theory study: every statement in random finite worlds of each regime, a search for violations, all small worlds.
#
# Memory: a block of 1,000 worlds takes some 200 MB beside the interpreter's 150 MB.
# Time: a family takes about 1 s and a searched statement 3 s here at the default effort, all small
# worlds 20 s; ten minutes are dozens of times what five of them need.
THEORY = CONFIG.theory
THEORY_RESOURCES = growing(mem_mb=1500, runtime=10)
THEORY_WORLDS = parts(THEORY.families)
THEORY_SEARCHES = parts(SEARCHED)


localrules:
    continuous_examples,
    statements,
    theory_page,


rule theory_worlds:
    output:
        f"{RESULTS}/theory/worlds/{{part}}.csv",
    log:
        f"{RESULTS}/logs/theory_worlds/{{part}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("theory_worlds"),
        seed=CONFIG.seed,
        worlds=THEORY.worlds,
        families=lambda w: THEORY_WORLDS[w.part],
    script:
        "../workflow/scripts/theory_worlds.py"


rule counterexamples:
    output:
        f"{RESULTS}/theory/counterexamples/{{part}}.json",
    log:
        f"{RESULTS}/logs/counterexamples/{{part}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("counterexamples"),
        seed=CONFIG.seed,
        restarts=THEORY.restarts,
        steps=THEORY.steps,
        statements=lambda w: THEORY_SEARCHES[w.part],
    script:
        "../workflow/scripts/counterexamples.py"


rule small_worlds:
    output:
        f"{RESULTS}/theory/enumeration.csv",
    log:
        f"{RESULTS}/logs/small_worlds.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("small_worlds"),
    script:
        "../workflow/scripts/small_worlds.py"


rule example_sets:
    output:
        table=f"{RESULTS}/theory/examples.csv",
        certificates=f"{RESULTS}/theory/examples.json",
    log:
        f"{RESULTS}/logs/example_sets.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("example_sets"),
        seed=CONFIG.seed,
        worlds=THEORY.worlds,
    script:
        "../workflow/scripts/example_sets.py"


rule continuous_examples:
    output:
        f"{RESULTS}/theory/continuous.csv",
    log:
        f"{RESULTS}/logs/continuous_examples.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("continuous_examples"),
    script:
        "../workflow/scripts/continuous_examples.py"


rule statements:
    input:
        examples=f"{RESULTS}/theory/examples.json",
        worlds=expand(f"{RESULTS}/theory/worlds/{{part}}.csv", part=THEORY_WORLDS),
        searches=expand(
            f"{RESULTS}/theory/counterexamples/{{part}}.json", part=THEORY_SEARCHES
        ),
    output:
        table=report(
            f"{RESULTS}/theory/statements.csv",
            caption="../workflow/report/statements.rst",
            category="Theory",
            labels={"table": "Statements by family"},
        ),
        verdicts=report(
            f"{RESULTS}/theory/verdicts.csv",
            caption="../workflow/report/verdicts.rst",
            category="Theory",
            labels={"table": "Verdicts"},
        ),
        certificates=directory(f"{RESULTS}/theory/certificates"),
        provenance=f"{RESULTS}/theory/statements.provenance.json",
    log:
        f"{RESULTS}/logs/statements.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("statements"),
        seed=CONFIG.seed,
        study=THEORY.model_dump(),
    script:
        "../workflow/scripts/statements.py"


rule theory_page:
    input:
        **PAGE_PARTS,
        statements=f"{workflow.basedir}/workflow/report/statements.html.j2",
        theory=f"{workflow.basedir}/workflow/report/theory.html.j2",
        table=f"{RESULTS}/theory/statements.csv",
        verdicts=f"{RESULTS}/theory/verdicts.csv",
        enumeration=f"{RESULTS}/theory/enumeration.csv",
        examples=f"{RESULTS}/theory/examples.csv",
        continuous=f"{RESULTS}/theory/continuous.csv",
        certificates=f"{RESULTS}/theory/certificates",
        provenance=f"{RESULTS}/theory/statements.provenance.json",
    output:
        f"{RESULTS}/theory.html",
    log:
        f"{RESULTS}/logs/theory_page.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **THEORY_RESOURCES,
    params:
        code=code("theory_page"),
    script:
        "../workflow/scripts/theory_page.py"
