# Real records of a task, split, and the prompts made of them: p = phi_T(S_anchor).
#
# A data set of 15,000 records takes some 300 MB and seconds; an hour leaves room for a download.


wildcard_constraints:
    task="|".join(TASKS),


localrules:
    anchors,
    prompts,


use rule model_step as anchors with:
    input:
        lambda w: TASKS[w.task].anchors.watched,
    output:
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
        train=f"{RESULTS}/{{task}}/anchors/train.jsonl",
        test=f"{RESULTS}/{{task}}/anchors/test.jsonl",
        report=f"{RESULTS}/{{task}}/anchors/split.json",
    log:
        f"{RESULTS}/logs/anchors/{{task}}.log",
    params:
        **script_params("anchors"),
        seed=CONFIG.seed,
        source=lambda w: TASKS[w.task].anchors.read_settings(),
        world=lambda w: ({"sizes": WORLD.sizes(), "counts": WORLD.counts()} if in_world(TASKS[w.task]) else None),


use rule model_step as prompts with:
    input:
        pool=f"{RESULTS}/{{task}}/anchors/pool.jsonl",
        template=template_of,
    output:
        f"{RESULTS}/{{task}}/prompts/{{x}}-ins.jsonl",
    log:
        f"{RESULTS}/logs/prompts/{{task}}-{{x}}-ins.log",
    params:
        **script_params("prompts"),
        seed=CONFIG.seed,
        settings=lambda w: {name: getattr(TASKS[w.task].prompts, name) for name in ("prompts", "count", "draw")},
