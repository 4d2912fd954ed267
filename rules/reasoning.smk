# Reasoners whose right thoughts are known, their verifiers, and searches at matched cost.
#
# All models are trained on the spot and far too small to gain from a GPU; they run in one thread each, so that
# their bytes do not depend on the machine's cores. Memory: a block of 500 searched problems keeps up to some
# 200,000 prefixes of each of three models, half a gigabyte in all. Time: a training takes some 10 s here, the
# searches of a reasoner a minute.
REASONING = SLOW.reasoning
REASONING_FOLDER = f"{SLOW_FOLDER}/reasoning"
REASONERS = [f"{group}/{name}" for group in REASONING.groups for name in REASONING.reasoners]
SEARCHED_REASONERS = [f"{group}/{name}" for group in REASONING.groups for name in REASONING.search.reasoners]
SLOW_CLAIMS += [f"{SLOW_FOLDER}/claims/{name}.csv" for name in ("reasoning", "search")]
SLOW_TABLES += [f"{REASONING_FOLDER}/{name}.csv" for name in ("reasoners", "steps", "lengths", "laws")]
SLOW_TABLES += [f"{REASONING_FOLDER}/{name}.csv" for name in ("searches", "matched", "reliability")]
SLOW_FIGURES += [f"{SLOW_FOLDER}/figure_{name}" for name in ("reasoners", "searches", "costs")]


localrules:
    reasoning_problems,
    reasoning_tables,
    search_tables,


use rule model_step as reasoning_problems with:
    output:
        f"{REASONING_FOLDER}/problems/{{group}}/{{use}}.npz",
    log:
        f"{RESULTS}/logs/reasoning_problems/{{group}}/{{use}}.log",
    params:
        **script_params("reasoning_problems"),
        seed=CONFIG.seed,
        counts=lambda w: REASONING.counts(w.use),


use rule model_step as reasoner with:
    output:
        model=directory(f"{REASONING_FOLDER}/models/{{group}}/{{name}}"),
        curve=f"{REASONING_FOLDER}/models/{{group}}/{{name}}.curve.csv",
        record=f"{REASONING_FOLDER}/models/{{group}}/{{name}}.json",
    log:
        f"{RESULTS}/logs/reasoner/{{group}}/{{name}}.log",
    params:
        **script_params("reasoner"),
        seed=CONFIG.seed,
        lengths=[REASONING.shortest, REASONING.longest],
        recipe=lambda w: REASONING.reasoners[w.name].model_dump(),


use rule model_step as reasoning_samples with:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/samples.npz",
    output:
        f"{REASONING_FOLDER}/samples/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/reasoning_samples/{{group}}/{{name}}.log",
    params:
        **script_params("reasoning_samples"),
        seed=CONFIG.seed,
        hot=None,


# Half of these chains are drawn hotter, so that verifiers see errors.
use rule reasoning_samples as verifier_samples with:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/training.npz",
    output:
        f"{REASONING_FOLDER}/training/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/verifier_samples/{{group}}/{{name}}.log",
    params:
        **script_params("reasoning_samples"),
        seed=CONFIG.seed,
        hot=REASONING.verifiers.temperature,


use rule model_step as verifier with:
    input:
        model=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/training.npz",
        samples=f"{REASONING_FOLDER}/training/{{group}}/{{name}}.npz",
    output:
        model=directory(f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/{{kind}}"),
        curve=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/{{kind}}.curve.csv",
    log:
        f"{RESULTS}/logs/verifier/{{group}}/{{name}}/{{kind}}.log",
    params:
        **script_params("verifier"),
        seed=CONFIG.seed,
        steps=lambda w: getattr(REASONING.verifiers, f"{w.kind}_steps"),
        recipe=REASONING.verifiers.model_dump(include={"rate", "batch"}),


use rule model_step as verifier_reliability with:
    input:
        reasoner=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        orm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/orm",
        prm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/prm",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/calibration.npz",
    output:
        f"{REASONING_FOLDER}/reliability/{{group}}/{{name}}.csv",
    log:
        f"{RESULTS}/logs/verifier_reliability/{{group}}/{{name}}.log",
    params:
        **script_params("verifier_reliability"),
        seed=CONFIG.seed,
        widths=REASONING.search.widths,


use rule model_step as searches with:
    input:
        reasoner=f"{REASONING_FOLDER}/models/{{group}}/{{name}}",
        orm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/orm",
        prm=f"{REASONING_FOLDER}/verifiers/{{group}}/{{name}}/prm",
        problems=f"{REASONING_FOLDER}/problems/{{group}}/search.npz",
    output:
        f"{REASONING_FOLDER}/searches/{{group}}/{{name}}.npz",
    log:
        f"{RESULTS}/logs/searches/{{group}}/{{name}}.log",
    params:
        **script_params("searches"),
        seed=CONFIG.seed,
        plan=REASONING.search.model_dump(exclude={"reasoners", "length", "problems"}),


use rule model_step as reasoning_steps with:
    input:
        problems=f"{REASONING_FOLDER}/problems/{{group}}/samples.npz",
        samples=f"{REASONING_FOLDER}/samples/{{group}}/{{name}}.npz",
    output:
        steps=f"{REASONING_FOLDER}/steps/{{group}}/{{name}}.csv",
        lengths=f"{REASONING_FOLDER}/steps/{{group}}/{{name}}.lengths.csv",
    log:
        f"{RESULTS}/logs/reasoning_steps/{{group}}/{{name}}.log",
    params:
        **script_params("reasoning_steps"),
        seed=CONFIG.seed,


use rule model_step as reasoning_tables with:
    input:
        curves=expand(f"{REASONING_FOLDER}/models/{{reasoner}}.curve.csv", reasoner=REASONERS),
        records=expand(f"{REASONING_FOLDER}/models/{{reasoner}}.json", reasoner=REASONERS),
        steps=expand(f"{REASONING_FOLDER}/steps/{{reasoner}}.csv", reasoner=REASONERS),
        lengths=expand(f"{REASONING_FOLDER}/steps/{{reasoner}}.lengths.csv", reasoner=REASONERS),
        problems=expand(f"{REASONING_FOLDER}/problems/{{group}}/samples.npz", group=REASONING.groups),
    output:
        reasoners=f"{REASONING_FOLDER}/reasoners.csv",
        steps=report_file(
            f"{REASONING_FOLDER}/steps.csv", "reasoning_steps", "Slow thinking", table="Steps of the reasoners"
        ),
        lengths=f"{REASONING_FOLDER}/lengths.csv",
        laws=f"{REASONING_FOLDER}/laws.csv",
        claims=f"{SLOW_FOLDER}/claims/reasoning.csv",
        provenance=f"{REASONING_FOLDER}/reasoners.provenance.json",
    log:
        f"{RESULTS}/logs/reasoning_tables.log",
    params:
        **script_params("reasoning_tables"),
        seed=CONFIG.seed,
        reasoners=REASONERS,
        groups=REASONING.groups,


use rule model_step as search_tables with:
    input:
        searches=expand(f"{REASONING_FOLDER}/searches/{{reasoner}}.npz", reasoner=SEARCHED_REASONERS),
        reliability=expand(f"{REASONING_FOLDER}/reliability/{{reasoner}}.csv", reasoner=SEARCHED_REASONERS),
    output:
        searches=report_file(f"{REASONING_FOLDER}/searches.csv", "searches", "Slow thinking", table="Searches"),
        matched=f"{REASONING_FOLDER}/matched.csv",
        reliability=f"{REASONING_FOLDER}/reliability.csv",
        claims=f"{SLOW_FOLDER}/claims/search.csv",
        provenance=f"{REASONING_FOLDER}/searches.provenance.json",
    log:
        f"{RESULTS}/logs/search_tables.log",
    params:
        **script_params("search_tables"),
        reasoners=SEARCHED_REASONERS,


use rule step as figure_reasoners with:
    input:
        steps=f"{REASONING_FOLDER}/steps.csv",
        lengths=f"{REASONING_FOLDER}/lengths.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_reasoners"),
    log:
        f"{RESULTS}/logs/figure_reasoners.log",
    params:
        **figure_script("reasoning.reasoners_figure"),


use rule step as figure_searches with:
    input:
        f"{REASONING_FOLDER}/searches.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_searches"),
    log:
        f"{RESULTS}/logs/figure_searches.log",
    params:
        **figure_script("reasoning.searches_figure"),


use rule step as figure_costs with:
    input:
        f"{REASONING_FOLDER}/searches.csv",
    output:
        **figure_files(f"{SLOW_FOLDER}/figure_costs"),
    log:
        f"{RESULTS}/logs/figure_costs.log",
    params:
        **figure_script("reasoning.costs_figure"),
