# Figures of the mixture studies; settings under `figures` redraw these and nothing else.
FIGURE_RESOURCES = {"mem_mb": 1000, "runtime": 10}
FIGURE_KINDS = ["svg", "png", "csv"]


def example_files(wildcards):
    """Artifacts of the segment that holds the study's unswept condition, main variants."""
    study = study_of(wildcards)
    unswept = study.conditions()[0]
    covariance = study.covariances[0]
    segment = next(
        s for s in segments(wildcards.study, covariance) if unswept in s.conditions
    )
    folder = f"{RESULTS}/{wildcards.study}/{covariance}/{segment.name}"
    files = [
        "worlds",
        "synthetic",
        f"fit_anchors_{study.anchor_components[0]}",
        "fit_synthetic",
    ]
    return [f"{folder}/{file}.npz" for file in files]


def unswept_condition(wildcards):
    return study_of(wildcards).conditions()[0].name


rule figure2:
    input:
        example_files,
    output:
        svg=report(
            RESULTS + "/{study}/figure2.svg",
            caption="../workflow/report/figure2.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"figure": "One world in the plane (figure 2)"},
        ),
        png=RESULTS + "/{study}/figure2.png",
        numbers=RESULTS + "/{study}/figure2.csv",
    log:
        RESULTS + "/logs/figure2/{study}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure2"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=lambda w: (
            "principal component" if study_of(w).truth == "data" else "coordinate"
        ),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure2.py"


rule figure4:
    input:
        table=RESULTS + "/{study}/kl_gap.csv",
        trends=RESULTS + "/{study}/trends.csv",
    output:
        svg=report(
            RESULTS + "/{study}/figure4_{covariance}_{anchors}.svg",
            caption="../workflow/report/figure4.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={
                "figure": "KL gap along sweeps (figure 4)",
                "variant": "{covariance}, {anchors}",
            },
        ),
        png=RESULTS + "/{study}/figure4_{covariance}_{anchors}.png",
        numbers=RESULTS + "/{study}/figure4_{covariance}_{anchors}.csv",
    log:
        RESULTS + "/logs/figure4/{study}-{covariance}-{anchors}.log",
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
            RESULTS + "/{study}/figure5.svg",
            caption="../workflow/report/figure5.rst",
            category="Gaussian mixtures",
            subcategory="{study}",
            labels={"figure": "The setting (figure 5)"},
        ),
        png=RESULTS + "/{study}/figure5.png",
        numbers=RESULTS + "/{study}/figure5.csv",
    log:
        RESULTS + "/logs/figure5/{study}.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **FIGURE_RESOURCES,
    params:
        code=code("figure5"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=lambda w: (
            "principal component" if study_of(w).truth == "data" else "coordinate"
        ),
        figures=CONFIG.figures.model_dump(),
    script:
        "../workflow/scripts/figure5.py"
