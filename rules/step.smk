# What every rule is but for its files and params: `use rule step as NAME with:`. One script is the frame of all;
# params name the one that it runs.
#
# Memory: the interpreter with its libraries takes 100 to 250 MB, what a job keeps at a time hundreds. Time: jobs take
# seconds to a minute here, and a submission of several asks for the time of all.
rule step:
    log:
        f"{RESULTS}/logs/step.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **growing(mem_mb=2000, runtime=10),
    script:
        "../workflow/scripts/step.py"


# The same with language models' libraries, which take 1 GB.
use rule step as model_step with:
    conda:
        "../envs/models.yaml"
    resources:
        **growing(mem_mb=4000, runtime=60),
