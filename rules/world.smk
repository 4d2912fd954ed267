# The embedded world: its skills and domains, and the models that are trained in it.
#
# Training runs in one thread, so that its bytes do not depend on the machine's cores. The largest
# generator takes about three minutes here; an hour leaves room for the most steps on a slow one.
WORLD = CONFIG.world


use rule model_step as world with:
    output:
        f"{RESULTS}/world/world.json",
    log:
        f"{RESULTS}/logs/world.log",
    params:
        **script_params("world"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),


use rule model_step as world_model with:
    output:
        model=directory(f"{RESULTS}/world/models/{{model}}"),
        curve=f"{RESULTS}/world/models/{{model}}.curve.csv",
        record=f"{RESULTS}/world/models/{{model}}.json",
    log:
        f"{RESULTS}/logs/world_model/{{model}}.log",
    # The largest is the longest job of all, and a chain of sets, students and ratings waits for it: begun last, it had
    # the second core of two wait for it three minutes of sixteen.
    priority: 20
    params:
        **script_params("world_model"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        most_anchors=WORLD.most_anchors,
        further=WORLD.further,
        recipe=lambda w: WORLD.recipe(w.model),


use rule model_step as world_truth with:
    input:
        models=expand(f"{RESULTS}/world/models/{{model}}", model=WORLD.generators),
        records=expand(f"{RESULTS}/world/models/{{model}}.json", model=[*WORLD.generators, STUDENT]),
    output:
        table=report_file(
            f"{RESULTS}/world/generators.csv", "generators", "Embedded world", table="Generators against exact Bayes"
        ),
        provenance=f"{RESULTS}/world/generators.provenance.json",
    log:
        f"{RESULTS}/logs/world_truth.log",
    params:
        **script_params("world_truth"),
        seed=CONFIG.seed,
        sizes=WORLD.sizes(),
        most_anchors=WORLD.most_anchors,
        further=WORLD.further,
        instances=sorted({x for t in TASKS.values() if in_world(t) for x in t.instances}),
