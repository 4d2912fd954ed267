# Used with `--sdm apptainer` only; envs/ggmi.def says how it is built.
container: "envs/ggmi.sif"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/step.smk"
include: "rules/run.smk"
include: "rules/mixtures.smk"
include: "rules/figures.smk"
include: "rules/terms.smk"


if CONFIG.theory:

    include: "rules/theory.smk"


if CONFIG.slow_thinking:

    include: "rules/slow_thinking.smk"

    if CONFIG.slow_thinking.reasoning:

        include: "rules/reasoning.smk"

    if CONFIG.slow_thinking.real:

        include: "rules/real_search.smk"


if CONFIG.data_quality:

    include: "rules/data_quality.smk"

    if CONFIG.data_quality.trained:

        include: "rules/trained.smk"


if CONFIG.language:

    include: "rules/language.smk"


if CONFIG.tasks:

    include: "rules/world.smk"
    include: "rules/anchors.smk"
    include: "rules/shards.smk"
    include: "rules/minutes.smk"
    include: "rules/synthesis.smk"
    include: "rules/students.smk"
    include: "rules/finetuning.smk"
    include: "rules/rating.smk"
    include: "rules/encoders.smk"
    include: "rules/estimation.smk"
    include: "rules/pilot.smk"


include: "rules/report.smk"


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
