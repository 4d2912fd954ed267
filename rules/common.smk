import gc
import math
import os
import platform
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from ggmi import config as ggmi_config
from ggmi.config.estimation import DEFAULT_ENCODER
from ggmi.config.students import BASE_LOSS, JUDGE_TEMPLATES, RANDOM, SKILL, WORLD_BASE
from ggmi.config.tasks import EMBEDDED, MANNER, TEMPLATES
from ggmi.config.world import STUDENT
from ggmi.errors import UserError
from ggmi.io import write_json
from ggmi.mixtures.worlds import AXES
from ggmi.models.directory import DECIDING_FILES, looks_like_path
from ggmi.slow_thinking.catalogue import JUDGED as SLOW_STATEMENTS
from ggmi.text.places import COMPRESSED
from ggmi.theory.catalogue import SEARCHED
from ggmi.workflow.code import script_digest
from ggmi.workflow import demand, forks
from ggmi.workflow.failures import failures_told
from ggmi.workflow.job import RUN_VARIABLE, USER_MISTAKE, mistaken, mistakes
from ggmi.workflow.lock import hold
from ggmi.workflow.progress import run_plan
from ggmi.workflow.queue import refuse_beside, refuse_unreachable, remember
from ggmi.workflow.record import Recorder, read_run
from ggmi.workflow.seeds import BASE_PART, numbers_of, seed_parts
from ggmi.workflow.segments import plan

# Jobs end with the process that started them; see ggmi.workflow.job.
os.environ[RUN_VARIABLE] = str(os.getpid())
# A cluster's job on this machine must not leave its allocation.
if not workflow.is_main_process:
    os.environ.pop(forks.VARIABLE, None)
# glibc hands freed memory back to the kernel at once and fetches it anew for the next temporary
# array; keeping 256 MiB saves a fifth of the time. Other systems ignore these variables.
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**28))
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**28))
# A graph of thousands of jobs is millions of objects that stay. Looked through more rarely than after every 700 new ones,
# it is planned in a seventh less time and no more memory.
gc.set_threshold(50_000, 20, 20)


# Libraries shall neither draw bars into the run's own progress, nor report home.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


STARTED = time.time()


def tell(sentences):
    """Say what went wrong, one sentence a line."""
    for sentence in sentences:
        # In one piece: others write there at the same time.
        sys.stderr.write(f"ggmi: {sentence}\n")


def stop(error):
    """Say what a person did wrong, and leave."""
    tell(str(error).splitlines())
    sys.exit(USER_MISTAKE)


# Read here first, since Snakemake says neither which file is broken nor where.
try:
    if Path("config.yaml").exists():
        ggmi_config.read_yaml(Path("config.yaml"))
except UserError as error:
    stop(error)


configfile: "config.yaml"


try:
    CONFIG = ggmi_config.load(config)
    ggmi_config.check_files(CONFIG)
except UserError as error:
    stop(error)

PAGE_PARTS = {
    part: f"{workflow.basedir}/workflow/report/{name}"
    for part, name in (
        ("template", "page.html.j2"),
        ("parts", "parts.html.j2"),
        ("style", "page.css"),
        ("script", "page.js"),
        ("columns", "columns.yaml"),
    )
}
TASKS = CONFIG.tasks
# No generator can have these names.
JUDGE_MANNER = "_judge"
# A person's own marks around thoughts.
THINKING_MARKS = [list(pair) for pair in CONFIG.thinking_marks]
EMBEDDING = "_embedding"
RESULTS = CONFIG.results.rstrip("/")
STUDIES = CONFIG.mixtures


def script_params(name, *functions):
    """The script that a rule runs, and the digest of that and of the library functions it reaches, as params.

    Functions that the script finds by a name in params are given here. The digest is a function itself, because the
    Snakemake inside a cluster job reads all rules and needs the digest of one.
    """
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{name}.py"
    return {"script": name, "code": lambda wildcards: script_digest(path, *functions)}


def figure_script(draw, arguments=None, name="figure"):
    """The function of ggmi.plotting that draws, what it takes beside tables, and how figures look, as params."""
    settings = {"draw": draw, "figures": CONFIG.figures.model_dump()}
    return {**script_params(name, f"ggmi.plotting.{draw}"), **settings, "arguments": arguments or {}}


def report_file(file, caption, category, subcategory=None, **labels):
    """A file in Snakemake's own report, with its caption of workflow/report and its place there."""
    return report(
        file, caption=f"../workflow/report/{caption}.rst", category=category, subcategory=subcategory, labels=labels
    )


def figure_files(stem, *place, **labels):
    """Files of a figure and of its numbers; the place and labels in Snakemake's report are as for `report_file`."""
    svg = f"{stem}.svg"
    return {"svg": report_file(svg, *place, **labels) if place else svg, "png": f"{stem}.png", "numbers": f"{stem}.csv"}


def study_of(wildcards):
    return STUDIES[wildcards.study]


def setting(key):
    """A params function: the study's value of a key; `{name}` stands for that wildcard's value."""

    def value(wildcards):
        found = getattr(study_of(wildcards), key.format(**wildcards))
        return found.model_dump() if hasattr(found, "model_dump") else found

    return value


def parts(items):
    """Lists of at most `conditions_per_job` items, one a job, by their places such as 1-5."""
    size = CONFIG.conditions_per_job
    cuts = [items[first : first + size] for first in range(0, len(items), size)]
    return {f"{size * i + 1}-{size * i + len(cut)}": list(cut) for i, cut in enumerate(cuts)}


@cache
def segments(study, covariance):
    """How a variant's conditions are cut into jobs, given what had been made when this was first asked."""
    folder = Path(RESULTS) / study / covariance
    existing = [p.name for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []
    return plan(STUDIES[study], sorted(existing), CONFIG.conditions_per_job)


def fits_of(study):
    """Names of the mixtures fitted in every world of a study."""
    return ["synthetic", *(f"anchors_{variant}" for variant in STUDIES[study].anchor_components)]


def in_world(task):
    """Whether a task lives in the embedded world."""
    return task.anchors.source == EMBEDDED


def template_of(wildcards):
    """The prompt template's file."""
    name = TASKS[wildcards.task].prompts.template
    return f"{workflow.basedir}/workflow/templates/{name}.txt" if name in TEMPLATES else name


def generator_of(wildcards):
    """Settings of a task's generator."""
    return TASKS[wildcards.task].generators[wildcards.generator]


def world_model_of(wildcards):
    """The folder of a generator that the workflow trains; nothing for the others."""
    settings = generator_of(wildcards)
    return f"{RESULTS}/world/models/{settings.model}" if settings.kind == "world" else []


def model_files_of(wildcards):
    """Files of a person's own generator."""
    return files_of_model(generator_of(wildcards))


def files_of_model(settings):
    """Files of a person's own model folder; what a hub keeps under an id and revision stays as it is."""
    if settings.kind not in ("local", "vllm", "reward") or not looks_like_path(settings.model):
        return []
    return weights_in(settings.model)


def weights_in(model):
    """Files of a model folder that decide what it writes."""
    folder = Path(model).expanduser()
    return sorted({str(p) for pattern in DECIDING_FILES for p in folder.glob(pattern)})


def write_manners():
    """Write down how generators, judges and encoders are asked: everything that decides no response.

    No rule makes these files and no rule has them as input, so a change of them makes nothing anew.
    (An input that is `ancient` and made anew keeps Snakemake from seeing a rule's other changes.)
    """
    for name, task in TASKS.items():
        asked = {g: s for g, s in task.generators.items() if s.kind != "import"}
        if task.judge:
            asked[JUDGE_MANNER] = task.judge.by
        if task.estimation and task.estimation.endpoint:
            asked[EMBEDDING] = task.estimation.endpoint
        for who, settings in asked.items():
            manner = {
                "settings": settings.model_dump(include=MANNER),
                "missing_allowed": task.missing_allowed,
                "form": record_form(name),
                "stores": CONFIG.stores,
            }
            write_json(Path(RESULTS, name, "manner", f"{who}.json"), manner)
    for name, search in (CONFIG.slow_thinking.real if CONFIG.slow_thinking else {}).items():
        models = search.models().items()
        manner = {
            "settings": {part: s.model_dump(include=MANNER) for part, s in models},
            "missing_allowed": search.missing_allowed,
            "stores": CONFIG.stores,
        }
        write_json(Path(RESULTS, "slow_thinking/real", name, "manner.json"), manner)


def is_generated(wildcards):
    """Whether a set is made here, not imported."""
    return generator_of(wildcards).kind != "import"


def references_of(wildcards):
    """Real records that a curation compares with, if it does."""
    curation = TASKS[wildcards.task].curations[wildcards.curation]
    names = ("train", "test") if curation.contamination is not None else ()
    return [f"{RESULTS}/{wildcards.task}/anchors/{name}.jsonl" for name in names]


def faults_of(wildcards):
    """Faults that a curation puts into a set, by name."""
    faults = TASKS[wildcards.task].curations[wildcards.curation].faults
    return [] if faults is None else [name for name, share in faults.model_dump().items() if share]


def record_form(task):
    """What a task takes for a record."""
    prompts = TASKS[task].prompts
    return {"fields": dict(prompts.fields), "repair": prompts.repair, "thinking_marks": THINKING_MARKS}


def made_by(wildcards):
    """How a synthetic set was made, as its card tells it."""
    task = TASKS[wildcards.task]
    how = {"generator": described(generator_of(wildcards))}
    if is_generated(wildcards):
        how |= {"anchor data": task.anchors.source, "sampling": str(task.sampling.model_dump())}
    curation = task.curations[wildcards.curation].model_dump()
    return {**how, "curation": str(curation), "seed": str(CONFIG.seed)}


def shards_of(wildcards):
    """Shards that an imported set is read and curated in; none where it is in one piece."""
    shards = getattr(generator_of(wildcards), "shards", 1)
    return range(shards) if shards > 1 else range(0)


def shard_files(pattern, wanted=lambda wildcards: True):
    """An input function: a file a shard of a set, where it has shards and they are wanted."""
    return lambda w: [pattern.format(**w, shard=shard) for shard in shards_of(w)] if wanted(w) else []


def of_shards(pattern, wanted=lambda wildcards: True):
    """An input function: what is made of all shards of a set, where it has shards and that is wanted."""
    return lambda w: pattern.format(**w) if shards_of(w) and wanted(w) else []


def drops_near(wildcards):
    """Whether a curation drops near-duplicates."""
    return TASKS[wildcards.task].curations[wildcards.curation].near is not None


def filters_of(wildcards):
    """A curation's filters, without what is done to the records that stay."""
    return TASKS[wildcards.task].curations[wildcards.curation].model_dump(exclude={"records", "faults"})


def made_in_world(wildcards):
    """Generators of the embedded world, with their conditions."""
    task = TASKS[wildcards.task]
    return [(g, condition) for g, condition in task.conditions() if task.generators[g].kind == "world"]


def estimated_places(name):
    """Generator, condition and curation of every synthetic set of a task."""
    task = TASKS[name]
    return [(*made, curation) for made in task.conditions() for curation in task.curations]


def set_names(name):
    """What students and pilots call a task's synthetic sets."""
    return ["_".join(place) for place in estimated_places(name)]


def synthetic_files(name, places):
    """Files of some of a task's synthetic sets."""
    return [f"{RESULTS}/{name}/synthetic/{'/'.join(place)}/synthetic.jsonl" for place in places]


def places_in_world(name):
    """Those of them that generators of the embedded world wrote, and nobody put faults into."""
    task = TASKS[name]
    places = estimated_places(name)
    return [p for p in places if task.generators[p[0]].kind == "world" and task.curations[p[2]].faults is None]


def has_world_generator(name):
    """Whether a generator of the embedded world writes for a task."""
    return any(g.kind == "world" for g in TASKS[name].generators.values())


def estimation_files(name):
    """Tables of a task's estimates."""
    task = TASKS[name]
    if task.estimation is None:
        return []
    tables = ["estimates", "published", "curves", "claims"]
    tables += ["truth"] if places_in_world(name) else []
    tables += ["predictions"] if task.rated else []
    return [f"{RESULTS}/{name}/estimation/{table}.csv" for table in tables]


def task_tables(name):
    """Tables of a task's page."""
    task = TASKS[name]
    tables = [f"{RESULTS}/{name}/{table}.csv" for table in ("validity", "curation")]
    if has_world_generator(name):
        tables += [f"{RESULTS}/{name}/shares.csv", f"{RESULTS}/world/generators.csv"]
    tables += [f"{RESULTS}/{name}/pilot/pilot.json"] if task.pilot else []
    return tables + rating_files(name) + estimation_files(name)


def rating_files(name):
    """Tables and notes of a task's students and ratings."""
    task = TASKS[name]
    files = ["sets.csv", "risks.csv", "generalization.csv"] if task.students else []
    if task.rated:
        files += ["table1.csv", "calibration.csv", "separations.csv"]
        files += ["agreement.csv", "notes.json"]
    return [f"{RESULTS}/{name}/rating/{file}" for file in files]


def task_figures(name):
    """Figures of a task's page, without their suffix."""
    task = TASKS[name]
    shares = has_world_generator(name)
    figures = [
        *(["figure_shares"] if shares else []),
        *(["rating/figure_losses"] if task.students else []),
        *(["rating/figure_ratings"] if task.rated else []),
        *(["estimation/figure_estimates"] if shares and task.estimation else []),
    ]
    return [f"{RESULTS}/{name}/{figure}" for figure in figures]


def task_records(name):
    """Records of how a task's tables were made."""
    task = TASKS[name]
    shares = has_world_generator(name)
    records = [
        "synthesis",
        *(["shares"] if shares else []),
        *(["rating/risks"] if task.students else []),
        *(["rating/ratings"] if task.rated else []),
        *(["estimation/estimation"] if task.estimation else []),
    ]
    places = [*(["world/generators"] if shares else []), *(f"{name}/{r}" for r in records)]
    return [f"{RESULTS}/{place}.provenance.json" for place in places]


def described(settings):
    """A generator or judge as cards and pages name it."""
    if settings.kind == "exact":
        return "exact"
    name = getattr(settings, "model", None) or settings.path
    revision = getattr(settings, "revision", None)
    return f"{name} ({settings.kind}{f', {revision}' if revision else ''})"


def conditions_of(wildcards):
    """Names of a study's conditions."""
    return [condition.name for condition in study_of(wildcards).conditions()]


def sweeps_of(wildcards):
    """Conditions along every sweep of two values or more, by axis and value."""
    return {
        axis: {str(value): condition.name for value, condition in sweep}
        for axis in AXES
        if len(sweep := study_of(wildcards).sweep(axis)) > 1
    }


def artifacts(study, files):
    """These files of every segment of every covariance variant of a study."""
    return [
        f"{RESULTS}/{study}/{covariance}/{segment.name}/{file}"
        for covariance in STUDIES[study].covariances
        for segment in segments(study, covariance)
        for file in files
    ]


def example_files(wildcards):
    """Artifacts of the segment that holds the study's unswept condition, main variants."""
    study = study_of(wildcards)
    unswept = study.conditions()[0]
    covariance = study.covariances[0]
    segment = next(s for s in segments(wildcards.study, covariance) if unswept in s.conditions)
    folder = f"{RESULTS}/{wildcards.study}/{covariance}/{segment.name}"
    files = ["worlds", "synthetic", f"fit_anchors_{study.anchor_components[0]}", "fit_synthetic"]
    return [f"{folder}/{file}.npz" for file in files]


def unswept_condition(wildcards):
    return study_of(wildcards).conditions()[0].name


def coordinate_of(wildcards):
    """What an axis of a plane shows."""
    return "principal component" if study_of(wildcards).truth == "data" else "coordinate"


# Names as ggmi.config.section knows them: no path, so none leads out of the results.
wildcard_constraints:
    study="|".join(STUDIES) or "none",
    generator=r"[a-z][a-z0-9_]*",
    curation=r"[a-z][a-z0-9_]*",
