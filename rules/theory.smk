# The theory study: every statement in random finite worlds of each regime, a search for violations, all small worlds.
#
# Memory: a block of 1,000 worlds takes some 200 MB beside the interpreter's 150 MB.
# Time: a family takes about 1 s and a searched statement 3 s here at the default effort, all small
# worlds 20 s; ten minutes are dozens of times what five of them need.
THEORY = CONFIG.theory
THEORY_WORLDS = parts(THEORY.families)
THEORY_SEARCHES = parts(SEARCHED)


localrules:
    continuous_examples,
    statements,
    theory_page,


use rule step as theory_worlds with:
    output:
        f"{RESULTS}/theory/worlds/{{part}}.csv",
    log:
        f"{RESULTS}/logs/theory_worlds/{{part}}.log",
    params:
        **script_params("theory_worlds"),
        seed=CONFIG.seed,
        worlds=THEORY.worlds,
        families=lambda w: THEORY_WORLDS[w.part],


use rule step as counterexamples with:
    output:
        f"{RESULTS}/theory/counterexamples/{{part}}.json",
    log:
        f"{RESULTS}/logs/counterexamples/{{part}}.log",
    params:
        **script_params("counterexamples"),
        seed=CONFIG.seed,
        restarts=THEORY.restarts,
        steps=THEORY.steps,
        statements=lambda w: THEORY_SEARCHES[w.part],


use rule step as small_worlds with:
    output:
        f"{RESULTS}/theory/enumeration.csv",
    log:
        f"{RESULTS}/logs/small_worlds.log",
    params:
        **script_params("small_worlds"),


use rule step as example_sets with:
    output:
        table=f"{RESULTS}/theory/examples.csv",
        certificates=f"{RESULTS}/theory/examples.json",
    log:
        f"{RESULTS}/logs/example_sets.log",
    params:
        **script_params("example_sets"),
        seed=CONFIG.seed,
        worlds=THEORY.worlds,


use rule step as continuous_examples with:
    output:
        f"{RESULTS}/theory/continuous.csv",
    log:
        f"{RESULTS}/logs/continuous_examples.log",
    params:
        **script_params("continuous_examples"),


use rule step as statements with:
    input:
        examples=f"{RESULTS}/theory/examples.json",
        worlds=expand(f"{RESULTS}/theory/worlds/{{part}}.csv", part=THEORY_WORLDS),
        searches=expand(f"{RESULTS}/theory/counterexamples/{{part}}.json", part=THEORY_SEARCHES),
    output:
        table=report_file(f"{RESULTS}/theory/statements.csv", "statements", "Theory", table="Statements by family"),
        verdicts=report_file(f"{RESULTS}/theory/verdicts.csv", "verdicts", "Theory", table="Verdicts"),
        certificates=directory(f"{RESULTS}/theory/certificates"),
        provenance=f"{RESULTS}/theory/statements.provenance.json",
    log:
        f"{RESULTS}/logs/statements.log",
    params:
        **script_params("statements"),
        seed=CONFIG.seed,
        study=THEORY.model_dump(),


use rule step as theory_page with:
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
    params:
        **script_params("theory_page"),
