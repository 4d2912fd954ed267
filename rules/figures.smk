# Figures of the mixture studies; settings under `figures` redraw these and nothing else.
# Memory and time: matplotlib with its fonts takes some 200 MB, and the largest figure ten seconds.
FIGURE_RESOURCES = growing(mem_mb=1000, runtime=10)


localrules:
    figure2,
    figure4,
    figure5,


rule figure2:
    input:
        example_files,
    output:
        svg=report(
            f"{RESULTS}/{{study}}/figure2.svg",
            caption="../workflow/report/figure2.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"figure": "One world in the plane (figure 2)"},
        ),
        png=f"{RESULTS}/{{study}}/figure2.png",
        numbers=f"{RESULTS}/{{study}}/figure2.csv",
    log:
        f"{RESULTS}/logs/figure2/{{study}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure2"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=coordinate_of,
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure2.py"


rule figure4:
    input:
        table=f"{RESULTS}/{{study}}/kl_gap.csv",
        trends=f"{RESULTS}/{{study}}/trends.csv",
    output:
        svg=report(
            f"{RESULTS}/{{study}}/figure4_{{covariance}}_{{anchors}}.svg",
            caption="../workflow/report/figure4.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={
                "figure": "KL gap along sweeps (figure 4)",
                "variant": "{covariance}, {anchors}",
            },
        ),
        png=f"{RESULTS}/{{study}}/figure4_{{covariance}}_{{anchors}}.png",
        numbers=f"{RESULTS}/{{study}}/figure4_{{covariance}}_{{anchors}}.csv",
    log:
        f"{RESULTS}/logs/figure4/{{study}}-{{covariance}}-{{anchors}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure4"),
        title=setting("title"),
        sweeps=lambda w: {a: [c.name for _, c in study_of(w).sweep(a)] for a in AXES},
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure4.py"


rule figure5:
    input:
        example_files,
    output:
        svg=report(
            f"{RESULTS}/{{study}}/figure5.svg",
            caption="../workflow/report/figure5.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"figure": "The setting (figure 5)"},
        ),
        png=f"{RESULTS}/{{study}}/figure5.png",
        numbers=f"{RESULTS}/{{study}}/figure5.csv",
    log:
        f"{RESULTS}/logs/figure5/{{study}}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure5"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=coordinate_of,
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure5.py"
