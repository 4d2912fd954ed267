# The terms of Theorem 4.10 in the mixture study, and what the paper claims of them.
#
# Time: 8 ms a condition and round in the largest default condition, memory as for divergences.


localrules:
    term_tables,
    figure_terms,


use rule step as terms with:
    input:
        worlds=f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/worlds.npz",
        fits=lambda w: [
            f"{RESULTS}/{w.study}/{w.covariance}/{w.segment}/fit_{source}.npz" for source in fits_of(w.study)
        ],
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/terms.npz",
    log:
        f"{RESULTS}/logs/terms/{{study}}-{{covariance}}-{{segment}}.log",
    params:
        **script_params("terms"),
        seed=CONFIG.seed,
        settings=setting("terms"),
        anchors_per_component=setting("anchors_per_component"),
        fits=lambda w: fits_of(w.study),


use rule step as term_tables with:
    input:
        lambda w: artifacts(w.study, ["terms.npz"]),
    output:
        terms=report_file(
            f"{RESULTS}/{{study}}/terms.csv", "terms", "Gaussian mixtures", "{study}", table="Terms of Theorem 4.10"
        ),
        trends=f"{RESULTS}/{{study}}/term_trends.csv",
        claims=report_file(
            f"{RESULTS}/{{study}}/claims.csv", "claims", "Gaussian mixtures", "{study}", table="Claims on the terms"
        ),
        provenance=f"{RESULTS}/{{study}}/terms.provenance.json",
    log:
        f"{RESULTS}/logs/term_tables/{{study}}.log",
    params:
        **script_params("term_tables"),
        seed=CONFIG.seed,
        dimensions=setting("dimensions"),
        covariances=setting("covariances"),
        anchor_components=setting("anchor_components"),
        conditions=conditions_of,
        sweeps=sweeps_of,


use rule step as figure_terms with:
    input:
        terms=f"{RESULTS}/{{study}}/terms.csv",
        trends=f"{RESULTS}/{{study}}/term_trends.csv",
        claims=f"{RESULTS}/{{study}}/claims.csv",
    output:
        **figure_files(
            f"{RESULTS}/{{study}}/terms_{{covariance}}",
            "figure_terms",
            "Gaussian mixtures",
            "{study}",
            figure="Terms of Theorem 4.10 along sweeps",
            variant="{covariance}",
        ),
    log:
        f"{RESULTS}/logs/figure_terms/{{study}}-{{covariance}}.log",
    params:
        **script_params("figure_terms"),
        title=setting("title"),
        anchors=lambda w: study_of(w).anchor_components[0],
        sweeps=lambda w: {a: [c.name for _, c in study_of(w).sweep(a)] for a in AXES},
        figures=CONFIG.figures.model_dump(),
