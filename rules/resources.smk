# What jobs ask of the machine or the cluster.

# Jobs that ask endpoints follow one another, so that rates and budgets hold; each asks many things at once.
workflow.register_resource("endpoint", 1)


def growing(mem_mb, runtime):
    """Memory and minutes of a job: of its first attempt, and as much again for every further one."""
    return {
        "mem_mb": lambda wildcards, attempt: mem_mb * attempt,
        "runtime": lambda wildcards, attempt: runtime * attempt,
    }


def megabytes(files):
    """The size of a job's input, with all that is in folders. Snakemake's own `size_mb` looks into no folder."""
    if any(file.is_storage for file in files):
        return files.size_mb
    return demand.bytes_of(files) / 2**20


def by_size(mem_mb, mb_each, runtime, minutes_each=0, minutes=None, held=None):
    """Memory and minutes of a job by the megabytes that it reads; as much again for every further attempt.

    The growth is what benchmarks/scale.py measures; `minutes`, of wildcards and input, adds what a model takes, and
    `held` tells the megabytes where a job does not hold at once all that it reads. A submission of several jobs knows
    the sizes of files that are there: of a chain that is new, the first job asks for the largest of it.
    """

    def memory(wildcards, input, attempt):
        size = held(wildcards, input) if held else megabytes(input)
        return round(mem_mb + mb_each * size) * attempt

    def time(wildcards, input, attempt):
        further = minutes(wildcards, input) if minutes else 0
        return round(runtime + minutes_each * megabytes(input) + further) * attempt

    return {"mem_mb": memory, "runtime": time}


def by_files(files, mem_mb, mb_each, runtime, minutes_each):
    """As `by_size`, by a person's own files: they are there before anything runs; compressed ones hold five times more."""

    def asked(least, each):
        def value(wildcards, attempt):
            read = sum(
                os.path.getsize(file) / 1e6 * (5 if file.endswith(COMPRESSED) else 1) for file in files(wildcards)
            )
            return round(least + each * read) * attempt

        return value

    return {"mem_mb": asked(mem_mb, mb_each), "runtime": asked(runtime, minutes_each)}


def either(condition, one, other):
    """Resources of a job where a condition holds of its wildcards, and where it does not."""
    return {
        name: lambda wildcards, input, attempt, name=name: (
            one[name](wildcards, attempt) if condition(wildcards) else other[name](wildcards, input, attempt)
        )
        for name in one
    }


def gpus_of(settings):
    """GPUs that a backend asks the cluster for: the world's models are too small to gain from one."""
    if settings.kind == "vllm":
        return settings.gpus
    return int(settings.kind in ("local", "reward") and settings.device != "cpu")


def threads_of(settings):
    """CPU threads of a backend: those that a person gives a model in the job's own process."""
    return getattr(settings, "threads", 1)
