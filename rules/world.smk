# The embedded world: its skills and domains, and the models that are trained in it.
#
# Training runs in one thread, so that its bytes do not depend on the machine's cores. The largest
# generator takes about three minutes here; an hour leaves room for the most steps on a slow one.
WORLD = CONFIG.world
WORLD_RESOURCES = growing(mem_mb=2000, runtime=60)


rule world:
    output:
        f"{RESULTS}/world/world.json",
    log:
        f"{RESULTS}/logs/world.log",
    conda:
        "../envs/models.yaml"
    resources:
        **WORLD_RESOURCES,
    params:
        code=code("world"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
    script:
        "../workflow/scripts/world.py"


rule world_model:
    output:
        model=directory(f"{RESULTS}/world/models/{{model}}"),
        curve=f"{RESULTS}/world/models/{{model}}.curve.csv",
        record=f"{RESULTS}/world/models/{{model}}.json",
    log:
        f"{RESULTS}/logs/world_model/{{model}}.log",
    conda:
        "../envs/models.yaml"
    resources:
        **WORLD_RESOURCES,
    params:
        code=code("world_model"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        most_anchors=WORLD.most_anchors,
        further=WORLD.further,
        recipe=lambda w: WORLD.recipe(w.model),
    script:
        "../workflow/scripts/world_model.py"


rule world_truth:
    input:
        models=expand(
            f"{RESULTS}/world/models/{{model}}",
            model=WORLD.generators,
        ),
        records=expand(
            f"{RESULTS}/world/models/{{model}}.json",
            model=[*WORLD.generators, STUDENT],
        ),
    output:
        table=report(
            f"{RESULTS}/world/generators.csv",
            caption="../workflow/report/generators.rst",
            category="Embedded world",
            labels={"table": "Generators against exact Bayes"},
        ),
        provenance=f"{RESULTS}/world/generators.provenance.json",
    log:
        f"{RESULTS}/logs/world_truth.log",
    conda:
        "../envs/models.yaml"
    resources:
        **WORLD_RESOURCES,
    params:
        code=code("world_truth"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        most_anchors=WORLD.most_anchors,
        further=WORLD.further,
        instances=sorted(
            {x for t in TASKS.values() if in_world(t) for x in t.instances}
        ),
    script:
        "../workflow/scripts/world_truth.py"
