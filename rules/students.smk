# What the rules of students, ratings and pilots ask of the configuration.
STUDENT_CONDITIONS = {name: task.student_conditions() for name, task in TASKS.items()}
# Keys of a task's section `students` that decide how a record is read.
FORM_KEYS = {"form", "template", "max_length", "too_long"}
# Keys of `training` that say nothing of students that learn from rewards.
UNREWARDED = {*("epochs", "steps", "batch_size", "per_device"), *("learning_rate", "batching", "processes")}


def students_of(wildcards):
    """A task's section `students`."""
    return TASKS[wildcards.task].students


def form_keys(wildcards):
    """How a student reads records."""
    return students_of(wildcards).model_dump(include=FORM_KEYS)


def base_input(wildcards):
    """The base as a folder that the workflow makes; nothing for the others."""
    return f"{RESULTS}/world/models/{STUDENT}" if students_of(wildcards).base == WORLD_BASE else []


def base_files(wildcards):
    """Files of a person's own base."""
    base = students_of(wildcards).base
    own = base != WORLD_BASE and looks_like_path(base)
    return weights_in(base) if own else []


def set_files(task, condition):
    """Files that a condition's set is made of, by source."""
    made = STUDENT_CONDITIONS[task][condition]
    if "of" in made:
        return set_files(task, made["of"])
    files = {"real": f"{RESULTS}/{task}/anchors/train.jsonl", "anchors": f"{RESULTS}/{task}/anchors/pool.jsonl"}
    if made["kind"] in files:
        return {made["kind"]: files[made["kind"]]}
    synthetic = f"{RESULTS}/{task}/synthetic/{made['generator']}/{made['condition']}/{made['curation']}/synthetic.jsonl"
    found = {"synthetic": synthetic}
    return {**found, "real": files["real"]} if made["kind"] == "mixture" else found


def subset_of(wildcards):
    """The subset that a condition's students learn or are asked; None where it is a whole set."""
    made = STUDENT_CONDITIONS[wildcards.task][wildcards.condition]
    part = made["set"] if made["kind"] == "rl" else made
    return part if part["kind"] == "subset" else None


def scores_input(wildcards):
    """How hard the records are of the set that a subset is part of; a random one needs no such file."""
    part = subset_of(wildcards)
    if part is None or part["by"] == RANDOM:
        return []
    return f"{RESULTS}/{wildcards.task}/difficulty/{part['of']}/{part['by']}.csv"


def scored_source(wildcards):
    """How a set was read that people have, for a column that the workflow did not keep; null of one made here."""
    task, made = (TASKS[wildcards.task], STUDENT_CONDITIONS[wildcards.task][wildcards.condition])
    if made["kind"] == "synthetic":
        generator = task.generators[made["generator"]]
        return generator.read_settings() if generator.kind == "import" else None
    return None if in_world(task) else task.anchors.read_settings()


def by_loss(wildcards):
    """Whether the base says how hard records are."""
    return wildcards.by in (BASE_LOSS, SKILL)


def whole_sets(task):
    """Conditions that learn a whole set: what others are matched to."""
    return [name for name in learned(task) if "of" not in STUDENT_CONDITIONS[task][name]]


def rl_of(wildcards):
    """Settings of a condition that learns from rewards; null for the others."""
    if STUDENT_CONDITIONS[wildcards.task][wildcards.condition]["kind"] != "rl":
        return None
    return students_of(wildcards).rl


def rl_params(wildcards):
    """What decides how it learns, with the judge if that rewards."""
    rl = rl_of(wildcards)
    if rl is None:
        return None
    judge = judge_params(wildcards) if judges_training(wildcards) else None
    return {**rl.model_dump(exclude={"of", "reward"}), "judge": judge}


def training_params(wildcards):
    """What decides how students learn; null for the base."""
    if wildcards.condition == "base":
        return None
    own = UNREWARDED if rl_of(wildcards) else set()
    return students_of(wildcards).training.model_dump(exclude=own)


def judges_training(wildcards):
    """Whether the task's judge rewards answers while a student learns."""
    rl = rl_of(wildcards)
    return rl is not None and rl.reward == "judge"


def learned(task):
    """Conditions whose students learn something."""
    return [name for name in STUDENT_CONDITIONS[task] if name != "base"]


def match_of(wildcards):
    """What is matched among a task's sets: by what, and to what number, null if that is to be found."""
    match = students_of(wildcards).match
    return ("none", None) if match is None else (match.by, match.to)


def size_input(wildcards):
    """The number that sets are matched to, where no key gives it."""
    by, to = match_of(wildcards)
    found = by != "none" and to is None
    return f"{RESULTS}/{wildcards.task}/students/size.json" if found else []


def size_of_sets(wildcards):
    """The same, where it decides what a set holds."""
    return [] if match_of(wildcards)[0] == "steps" else size_input(wildcards)


def size_of_training(wildcards):
    """The same, where it decides how long a student learns."""
    return size_input(wildcards) if match_of(wildcards)[0] == "steps" else []


@cache
def student_parts(task, condition):
    """How a condition's seeds are cut into jobs, given what had been made when this was first asked."""
    if condition == "base":
        return [BASE_PART]
    folder = Path(RESULTS) / task / "students" / condition
    existing = [p.name for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []
    students = TASKS[task].students
    return seed_parts(students.seeds, existing, students.seeds_per_job)


def of_parts(task, pattern, conditions=None):
    """One file of every part of a task's conditions, or of some of them."""
    return [
        pattern.format(results=RESULTS, task=task, condition=condition, part=part)
        for condition in conditions or STUDENT_CONDITIONS[task]
        for part in student_parts(task, condition)
    ]


def student_gpus(wildcards):
    """GPUs that a job of students asks the cluster for: the world's are too small to gain from one."""
    students = students_of(wildcards)
    return int(students.base != WORLD_BASE and students.training.device != "cpu")


def student_threads(wildcards):
    """CPU threads of a job of students."""
    return students_of(wildcards).training.threads


def training_gpus(wildcards):
    """The same for training, where every process has one of its own; the base is only copied."""
    judging = judge_gpus(wildcards) if judges_training(wildcards) else 0
    if wildcards.condition == "base":
        return 0
    return judging + training_processes(wildcards) * student_gpus(wildcards)


def training_processes(wildcards):
    """Processes that share a training; rewards are learned from in one."""
    return 1 if rl_of(wildcards) else students_of(wildcards).training.processes


def training_threads(wildcards):
    """CPU threads of all processes of a training."""
    return student_threads(wildcards) * training_processes(wildcards)


def judge_template(wildcards):
    """The judging instruction's file; the exact judge has none."""
    judge = TASKS[wildcards.task].judge
    if judge.by.kind == "exact":
        return []
    return (
        f"{workflow.basedir}/workflow/templates/{judge.template}.txt"
        if judge.template in JUDGE_TEMPLATES
        else judge.template
    )


def judge_params(wildcards):
    """What decides a verdict."""
    judge = TASKS[wildcards.task].judge
    by = judge.by.model_dump(exclude=MANNER)
    if judge.by.kind == "exact":
        return {"by": by}
    how = judge.model_dump(exclude={"template", "calibration", "by"})
    return {**how, "by": by, "thinking_marks": THINKING_MARKS}


def judge_files(wildcards):
    """Files of a person's own judge."""
    return files_of_model(TASKS[wildcards.task].judge.by)


def judge_requests(wildcards):
    """Whether a job asks an endpoint."""
    return int(TASKS[wildcards.task].judge.by.kind == "openai")


def judge_gpus(wildcards):
    """GPUs that a judge asks the cluster for."""
    return gpus_of(TASKS[wildcards.task].judge.by)


def pilot_of(wildcards):
    """A task's section `pilot`."""
    return TASKS[wildcards.task].pilot


def pilot_base(wildcards):
    """Files of a person's own base."""
    base = pilot_of(wildcards).base
    return weights_in(base) if base and looks_like_path(base) else []


def of_pilot_judge(asked, otherwise):
    """A function of wildcards: what is asked of a task's judge where it rates the pilot's answers."""
    return lambda wildcards: asked(wildcards) if pilot_of(wildcards).judge else otherwise
