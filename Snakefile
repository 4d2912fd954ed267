configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/mixtures.smk"


rule all:
    input:
        expand(RESULTS + "/{study}/{table}.csv", study=STUDIES, table=["kl_gap", "trends", "fits", "divergences"]),
