# How long jobs of models take, and what those of students hold: sizes of weights, sets and prompts are known.


def files_of(*named):
    """Files of a job's named inputs, of which one by itself is no list."""
    return [file for one in named for file in ([one] if isinstance(one, str) else one)]


def writing_minutes(settings, files, answers, max_tokens):
    """Minutes in which the model of a backend, with its files, gives so many answers."""
    if settings.kind == "exact":
        return 0
    if settings.kind in ("openai", "vllm"):
        return answers / min(demand.ANSWERS_A_MINUTE, settings.requests_per_minute or math.inf)
    machine = {"threads": threads_of(settings), "gpus": gpus_of(settings)}
    return demand.model_minutes(demand.bytes_of(files), answers * max_tokens, demand.WRITING, **machine)


def responses_minutes(wildcards, input):
    """Minutes in which a generator answers all prompts."""
    task = TASKS[wildcards.task]
    answers = demand.lines_of([input.prompts]) * task.prompts.draws
    files = files_of(input.model, input.files)
    return writing_minutes(generator_of(wildcards), files, answers, task.sampling.max_tokens)


def verdicts_minutes(wildcards, input):
    """Minutes in which a judge rates all answers."""
    judge = TASKS[wildcards.task].judge
    answers = demand.lines_of(files_of(input.answers)) * judge.verdicts
    return writing_minutes(judge.by, files_of(input.files), answers, judge.sampling.max_tokens)


def calibration_minutes(wildcards, input):
    """Minutes in which it rates the probes, four a question."""
    judge = TASKS[wildcards.task].judge
    return writing_minutes(judge.by, files_of(input.files), 4 * judge.calibration, judge.sampling.max_tokens)


def training_minutes(wildcards, input):
    """Minutes in which a job's students learn."""
    students, rl = students_of(wildcards), rl_of(wildcards)
    if wildcards.condition == "base":
        return 0
    weights, training = demand.bytes_of(files_of(input.base, input.files)), students.training
    operations, passes = demand.TRAINING, training.epochs
    steps = (match_of(wildcards)[1] if match_of(wildcards)[0] == "steps" else None) or training.steps
    tokens = demand.bytes_of([input.records]) / demand.BYTES_PER_TOKEN
    if rl:
        # Each answer is written, then learned from.
        operations, passes, tokens = demand.WRITING + demand.TRAINING, rl.steps, rl.prompts * rl.answers * rl.max_tokens
    elif steps:
        passes = steps * training.batch_size / max(demand.lines_of([input.records]), 1)
    machine = {"threads": training_threads(wildcards), "gpus": training_gpus(wildcards)}
    return len(numbers_of(wildcards.part)) * demand.model_minutes(weights, tokens * passes, operations, **machine)


def scoring_minutes(wildcards, input):
    """Minutes in which the base reads a set and the test records, if its loss says how hard they are."""
    tokens = demand.bytes_of(files_of(input.sets, input.test)) / demand.BYTES_PER_TOKEN
    weights = demand.bytes_of(files_of(input.base, input.files))
    machine = student_machine(wildcards)
    return demand.model_minutes(weights, tokens, demand.READING, **machine) if by_loss(wildcards) else 0


def reading_minutes(wildcards, input):
    """Minutes in which a job's students, all of whose weights are given, read their set and the test records."""
    tokens = demand.bytes_of(files_of(input.records, input.test)) / demand.BYTES_PER_TOKEN
    return demand.model_minutes(demand.bytes_of([input.students]), tokens, demand.READING, **student_machine(wildcards))


def answering_minutes(wildcards, input):
    """Minutes in which they answer the test records."""
    students = students_of(wildcards)
    tokens = (students.test_records or demand.lines_of([input.test])) * students.answers.sampling.max_tokens
    return demand.model_minutes(demand.bytes_of([input.students]), tokens, demand.WRITING, **student_machine(wildcards))


def student_machine(wildcards):
    """What a job of students runs on."""
    return {"threads": student_threads(wildcards), "gpus": student_gpus(wildcards)}


def one_student(wildcards, input):
    """Megabytes of what a job reads, when it holds one student after another."""
    students = demand.bytes_of([input.students]) / 2**20
    return megabytes(input) - students + students / len(numbers_of(wildcards.part))


def pilot_minutes(wildcards):
    """Minutes of a core in which a pilot's trainings read their tokens: of the small GPT 200,000 a minute."""
    pilot, base = pilot_of(wildcards), pilot_base(wildcards)
    if pilot.base is None:
        return pilot.tokens / 200_000
    return demand.model_minutes(demand.bytes_of(base), pilot.tokens, demand.TRAINING, gpus=1)
