include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/run.smk"
include: "rules/mixtures.smk"
include: "rules/figures.smk"
include: "rules/terms.smk"


if CONFIG.theory:

    include: "rules/theory.smk"


if CONFIG.tasks:

    include: "rules/world.smk"
    include: "rules/anchors.smk"
    include: "rules/synthesis.smk"
    include: "rules/students.smk"
    include: "rules/finetuning.smk"
    include: "rules/rating.smk"
    include: "rules/estimation.smk"


include: "rules/report.smk"


# Tables, figures and pages take seconds where Snakemake runs, and as long again to be queued; data
# sets come from a network that a cluster's nodes often lack.
localrules:
    anchors,
    prompts,
    resolved_config,
    figure2,
    figure4,
    figure5,
    figure_terms,
    figure_shares,
    figure_losses,
    figure_ratings,
    figure_estimates,
    gaps,
    kl_gap,
    trends,
    accuracy,
    term_tables,
    statements,
    synthesis_tables,
    shares,
    risk_tables,
    ratings,
    estimation_tables,
    estimation_truth,
    predictions,
    theory_page,
    task_page,
    report,


rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",


onstart:
    start_run()


onsuccess:
    logger.info(finished())


onerror:
    explain_failure()
