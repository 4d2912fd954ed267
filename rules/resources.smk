# What jobs ask of the machine or the cluster.

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
