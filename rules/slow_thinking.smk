# Slow thinking: its theory in finite worlds, the exact calculus of search, the published points read again.
#
# Memory: a block of 1,000 chains of three steps takes some 50 MB beside the interpreter's 150 MB.
# Time: a searched statement takes about a second here, the published points five, all other jobs a second or two.
SLOW = CONFIG.slow_thinking
SLOW_FOLDER = f"{RESULTS}/slow_thinking"
SLOW_DATA = f"{workflow.basedir}/workflow/data/slow_thinking"
SLOW_SEARCHES = parts(SLOW_STATEMENTS)
# What further rules of the study add to: claims that are corrected together, tables and figures of the page.
SLOW_CLAIMS = [f"{SLOW_FOLDER}/claims/{name}.csv" for name in ("theory", "published")]
SLOW_TABLES = [
    f"{SLOW_DATA}/math500_accuracy_by_length.csv",
    *(f"{SLOW_FOLDER}/theory/{name}.csv" for name in ("exact", "crossover", "matching")),
    *(f"{SLOW_FOLDER}/published_{name}.csv" for name in ("fits", "totals", "width", "exponents")),
]
SLOW_FIGURES = [f"{SLOW_FOLDER}/figure_{name}" for name in ("exact", "points", "width")]


localrules:
    slow_thinking_verdicts,
    slow_thinking_exact,
    slow_thinking_theory_claims,
    slow_thinking_claims,
    slow_thinking_page,


use rule step as slow_thinking_searches with:
    output:
        f"{SLOW_FOLDER}/theory/searches/{{part}}.json",
    log:
        f"{RESULTS}/logs/slow_thinking_searches/{{part}}.log",
    params:
        **script_params("slow_thinking_searches"),
        seed=CONFIG.seed,
        worlds=SLOW.worlds,
        restarts=SLOW.restarts,
        steps=SLOW.steps,
        statements=lambda w: SLOW_SEARCHES[w.part],


use rule step as slow_thinking_verdicts with:
    input:
        expand(f"{SLOW_FOLDER}/theory/searches/{{part}}.json", part=SLOW_SEARCHES),
    output:
        table=report_file(
            f"{SLOW_FOLDER}/theory/verdicts.csv", "slow_thinking_verdicts", "Slow thinking", table="Verdicts"
        ),
        certificates=directory(f"{SLOW_FOLDER}/theory/certificates"),
        provenance=f"{SLOW_FOLDER}/theory/verdicts.provenance.json",
    log:
        f"{RESULTS}/logs/slow_thinking_verdicts.log",
    params:
        **script_params("slow_thinking_verdicts"),
        seed=CONFIG.seed,
        effort=SLOW.model_dump(include={"worlds", "restarts", "steps"}),


use rule step as slow_thinking_exact with:
    output:
        exact=f"{SLOW_FOLDER}/theory/exact.csv",
        crossover=f"{SLOW_FOLDER}/theory/crossover.csv",
        matching=f"{SLOW_FOLDER}/theory/matching.csv",
    log:
        f"{RESULTS}/logs/slow_thinking_exact.log",
    params:
        **script_params("slow_thinking_exact"),
        log_lambdas=SLOW.log_lambdas,
        lengths=SLOW.lengths,
        widths=SLOW.widths,
        reliabilities=SLOW.reliabilities,


use rule step as slow_thinking_published with:
    input:
        gsm8k=f"{SLOW_DATA}/gsm8k_mi.csv",
        math500=f"{SLOW_DATA}/math500_mi.csv",
        width=f"{SLOW_DATA}/mcts_width.csv",
    output:
        fits=f"{SLOW_FOLDER}/published_fits.csv",
        totals=f"{SLOW_FOLDER}/published_totals.csv",
        width=f"{SLOW_FOLDER}/published_width.csv",
        exponents=f"{SLOW_FOLDER}/published_exponents.csv",
        claims=f"{SLOW_FOLDER}/claims/published.csv",
        provenance=f"{SLOW_FOLDER}/published.provenance.json",
    log:
        f"{RESULTS}/logs/slow_thinking_published.log",
    params:
        **script_params("slow_thinking_published"),
        seed=CONFIG.seed,
        permutations=SLOW.permutations,


use rule step as slow_thinking_theory_claims with:
    input:
        verdicts=f"{SLOW_FOLDER}/theory/verdicts.csv",
        matching=f"{SLOW_FOLDER}/theory/matching.csv",
        exact=f"{SLOW_FOLDER}/theory/exact.csv",
    output:
        f"{SLOW_FOLDER}/claims/theory.csv",
    log:
        f"{RESULTS}/logs/slow_thinking_theory_claims.log",
    params:
        **script_params("slow_thinking_theory_claims"),


use rule step as slow_thinking_claims with:
    input:
        lambda w: SLOW_CLAIMS,
    output:
        report_file(f"{SLOW_FOLDER}/claims.csv", "slow_thinking_claims", "Slow thinking", table="Claims"),
    log:
        f"{RESULTS}/logs/slow_thinking_claims.log",
    params:
        **script_params("judged_claims"),


use rule step as figure_exact with:
    input:
        exact=f"{SLOW_FOLDER}/theory/exact.csv",
        crossover=f"{SLOW_FOLDER}/theory/crossover.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_exact"),
    log:
        f"{RESULTS}/logs/figure_exact.log",
    params:
        **figure_script("slow_thinking.exact_figure"),


use rule step as figure_points with:
    input:
        gsm8k=f"{SLOW_DATA}/gsm8k_mi.csv",
        math500=f"{SLOW_DATA}/math500_mi.csv",
        fits=f"{SLOW_FOLDER}/published_fits.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_points"),
    log:
        f"{RESULTS}/logs/figure_points.log",
    params:
        **script_params("figure_points"),
        figures=CONFIG.figures.model_dump(),


use rule step as figure_width with:
    input:
        f"{SLOW_FOLDER}/published_width.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_width"),
    log:
        f"{RESULTS}/logs/figure_width.log",
    params:
        **figure_script("slow_thinking.width_figure"),


use rule step as slow_thinking_page with:
    input:
        **PAGE_PARTS,
        statements=f"{workflow.basedir}/workflow/report/statements.html.j2",
        claims=f"{workflow.basedir}/workflow/report/claims.html.j2",
        reasoning=f"{workflow.basedir}/workflow/report/reasoning.html.j2",
        real_search=f"{workflow.basedir}/workflow/report/real_search.html.j2",
        study=f"{workflow.basedir}/workflow/report/slow_thinking.html.j2",
        tables=lambda w: [f"{SLOW_FOLDER}/theory/verdicts.csv", f"{SLOW_FOLDER}/claims.csv", *SLOW_TABLES],
        figures=lambda w: [f"{figure}.{kind}" for figure in SLOW_FIGURES for kind in ("svg", "png", "csv")],
        certificates=f"{SLOW_FOLDER}/theory/certificates",
        provenance=f"{SLOW_FOLDER}/theory/verdicts.provenance.json",
    output:
        f"{RESULTS}/slow_thinking.html",
    log:
        f"{RESULTS}/logs/slow_thinking_page.log",
    params:
        **script_params("slow_thinking_page"),
