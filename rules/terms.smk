# The terms of Theorem 4.10 in the mixture study, and what the paper claims of them.
#
# Time: 8 ms a condition and round in the largest default condition, memory as for divergences.


localrules:
    term_tables,
    figure_terms,


rule terms:
    input:
        worlds=f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/worlds.npz",
        fits=lambda w: [
            f"{RESULTS}/{w.study}/{w.covariance}/{w.segment}/fit_{source}.npz"
            for source in fits_of(w.study)
        ],
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/terms.npz",
    log:
        f"{RESULTS}/logs/terms/{{study}}-{{covariance}}-{{segment}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **MIXTURE_RESOURCES,
    params:
        code=code("terms"),
        seed=CONFIG.seed,
        settings=setting("terms"),
        anchors_per_component=setting("anchors_per_component"),
        fits=lambda w: fits_of(w.study),
    script:
        "../workflow/scripts/terms.py"


rule term_tables:
    input:
        lambda w: artifacts(w.study, ["terms.npz"]),
    output:
        terms=report(
            f"{RESULTS}/{{study}}/terms.csv",
            caption="../workflow/report/terms.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"table": "Terms of Theorem 4.10"},
        ),
        trends=f"{RESULTS}/{{study}}/term_trends.csv",
        claims=report(
            f"{RESULTS}/{{study}}/claims.csv",
            caption="../workflow/report/claims.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"table": "Claims on the terms"},
        ),
        provenance=f"{RESULTS}/{{study}}/terms.provenance.json",
    log:
        f"{RESULTS}/logs/term_tables/{{study}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **MIXTURE_RESOURCES,
    params:
        code=code("term_tables"),
        seed=CONFIG.seed,
        dimensions=setting("dimensions"),
        covariances=setting("covariances"),
        anchor_components=setting("anchor_components"),
        conditions=conditions_of,
        sweeps=sweeps_of,
    script:
        "../workflow/scripts/term_tables.py"


rule figure_terms:
    input:
        terms=f"{RESULTS}/{{study}}/terms.csv",
        trends=f"{RESULTS}/{{study}}/term_trends.csv",
        claims=f"{RESULTS}/{{study}}/claims.csv",
    output:
        svg=report(
            f"{RESULTS}/{{study}}/terms_{{covariance}}.svg",
            caption="../workflow/report/figure_terms.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={
                "figure": "Terms of Theorem 4.10 along sweeps",
                "variant": "{covariance}",
            },
        ),
        png=f"{RESULTS}/{{study}}/terms_{{covariance}}.png",
        numbers=f"{RESULTS}/{{study}}/terms_{{covariance}}.csv",
    log:
        f"{RESULTS}/logs/figure_terms/{{study}}-{{covariance}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure_terms"),
        title=setting("title"),
        anchors=lambda w: study_of(w).anchor_components[0],
        sweeps=lambda w: {a: [c.name for _, c in study_of(w).sweep(a)] for a in AXES},
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure_terms.py"
