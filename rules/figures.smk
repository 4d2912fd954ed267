# Figures of the mixture studies; settings under `figures` redraw these and nothing else.
# Memory and time: matplotlib with its fonts takes some 200 MB, and the largest figure ten seconds.


localrules:
    figure2,
    figure4,
    figure5,


use rule step as figure2 with:
    input:
        example_files,
    output:
        **figure_files(
            f"{RESULTS}/{{study}}/figure2",
            "figure2",
            "Gaussian mixtures",
            "{study}",
            figure="One world in the plane (figure 2)",
        ),
    log:
        f"{RESULTS}/logs/figure2/{{study}}.log",
    params:
        **figure_script("mixtures.world_figure", name="figure_example"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=coordinate_of,


use rule step as figure4 with:
    input:
        table=f"{RESULTS}/{{study}}/kl_gap.csv",
        trends=f"{RESULTS}/{{study}}/trends.csv",
    output:
        **figure_files(
            f"{RESULTS}/{{study}}/figure4_{{covariance}}_{{anchors}}",
            "figure4",
            "Gaussian mixtures",
            "{study}",
            figure="KL gap along sweeps (figure 4)",
            variant="{covariance}, {anchors}",
        ),
    log:
        f"{RESULTS}/logs/figure4/{{study}}-{{covariance}}-{{anchors}}.log",
    params:
        **script_params("figure4"),
        title=setting("title"),
        sweeps=lambda w: {a: [c.name for _, c in study_of(w).sweep(a)] for a in AXES},
        figures=CONFIG.figures.model_dump(),


use rule step as figure5 with:
    input:
        example_files,
    output:
        **figure_files(
            f"{RESULTS}/{{study}}/figure5", "figure5", "Gaussian mixtures", "{study}", figure="The setting (figure 5)"
        ),
    log:
        f"{RESULTS}/logs/figure5/{{study}}.log",
    params:
        **figure_script("mixtures.setting_figure", name="figure_example"),
        title=setting("title"),
        condition=unswept_condition,
        coordinate=coordinate_of,
