# What jobs have in common: a frame, an environment, and what they ask of the machine or the cluster.

# Jobs that ask endpoints follow one another, so that rates and budgets hold; each asks many things at once.
workflow.register_resource("endpoint", 1)


def growing(mem_mb, runtime):
    """Memory and minutes of a job: of its first attempt, and as much again for every further one."""
    return {
        "mem_mb": lambda wildcards, attempt: mem_mb * attempt,
        "runtime": lambda wildcards, attempt: runtime * attempt,
    }


def gpus_of(settings):
    """GPUs that a backend asks the cluster for: the world's models are too small to gain from one."""
    if settings.kind == "vllm":
        return settings.gpus
    return int(settings.kind in ("local", "reward") and settings.device != "cpu")


def threads_of(settings):
    """CPU threads of a backend: those that a person gives a model in the job's own process."""
    return getattr(settings, "threads", 1)


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
