# What tells texts apart for a task's estimates: an embedding model or endpoint, and a model of inference.


def estimation_of(wildcards):
    """How a task's sets are estimated."""
    return TASKS[wildcards.task].estimation


def encoder_files(wildcards):
    """Files of a person's own embedding model."""
    folder = Path(estimation_of(wildcards).encoder).expanduser()
    return sorted(str(p) for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []


def embedding_endpoint(wildcards):
    """The endpoint that embeds, if one does."""
    endpoint = estimation_of(wildcards).endpoint
    return endpoint.model_dump(exclude=MANNER) if endpoint else None


def embedding_manner(wildcards):
    """The file that says how it is asked."""
    asked = embedding_requests(wildcards)
    return f"{RESULTS}/{wildcards.task}/manner/{EMBEDDING}.json" if asked else None


def embedding_requests(wildcards):
    """Whether embedding asks an endpoint."""
    return int(estimation_of(wildcards).endpoint is not None)


def encoder_gpus(wildcards):
    """GPUs that embedding asks for: the default model stays on the CPU, an endpoint is elsewhere."""
    settings = estimation_of(wildcards)
    return int(settings.encoder != DEFAULT_ENCODER and settings.device != "cpu")


def entailment_of(wildcards):
    """The model of inference that tells which records say the same, if one does."""
    entailment = estimation_of(wildcards).entailment
    return entailment.model_dump() if entailment else None


def entailment_files(wildcards):
    """Files of a person's own model of inference."""
    entailment = estimation_of(wildcards).entailment
    own = entailment is not None and looks_like_path(entailment.model)
    return weights_in(entailment.model) if own else []


def entailment_gpus(wildcards):
    """GPUs that a model of inference asks for."""
    entailment = estimation_of(wildcards).entailment
    return int(entailment is not None and entailment.device != "cpu")
