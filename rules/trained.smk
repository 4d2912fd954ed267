# Trained transformers: linear self-attention and a small GPT after SFT and outcome supervision, policy gradients.
#
# All models of a setting and of all repetitions are one tensor. At the default sizes they are far too small to gain
# from a GPU and run in one thread each, so that their bytes do not depend on the machine's cores; where the
# configuration asks for a GPU, so do the jobs. Memory: a job takes some 550 MB, most of it torch. Time: 10 to 40 s of one
# core each at the default, about a day of a GPU at the published sizes; pretraining comes first, since two jobs wait.
TRAINED = QUALITY.trained
TRAINED_FOLDER = f"{QUALITY_FOLDER}/trained"
TRAINED_RESOURCES = {
    **growing(mem_mb=2500, runtime=60 if TRAINED.device == "cpu" else 2880),
    "gpu": int(TRAINED.device != "cpu"),
}
TRAINED_METHODS = ("SFT", "OS")
QUALITY_CLAIMS.append(f"{QUALITY_FOLDER}/claims/trained.csv")
QUALITY_FIGURES += [f"{TRAINED_FOLDER}/{name}" for name in ("figure3", "figure4", "figure_rewards", "figure_balance")]


TRAINED_WORLD = {"seed": CONFIG.seed, "rho": QUALITY.rho, "share": TRAINED.share}
GPT_WORLD = {**TRAINED_WORLD, **TRAINED.gpt.world()}
GPT_SIZE = {
    **TRAINED.gpt.model_dump(include={"d", "layers", "width", "heads"}),
    "positions": max(*TRAINED.gpt.lengths, *TRAINED.gpt.base_lengths) + TRAINED.gpt.pretraining_chain,
}
REWARDS = TRAINED.rewards
REWARD_PARAMS = {
    "world": {**TRAINED_WORLD, **REWARDS.world()},
    "device": TRAINED.device,
    "updates": REWARDS.updates(),
    "base": [REWARDS.base_length, REWARDS.base_prompts, REWARDS.base_chain],
}


localrules:
    data_quality_trained_claims,


use rule model_step as data_quality_pretraining with:
    output:
        weights=f"{TRAINED_FOLDER}/gpt.safetensors",
        curve=f"{TRAINED_FOLDER}/gpt.curve.csv",
        provenance=f"{TRAINED_FOLDER}/gpt.provenance.json",
    log:
        f"{RESULTS}/logs/data_quality_pretraining.log",
    priority: 10
    resources:
        **TRAINED_RESOURCES,
    params:
        **script_params("data_quality_pretraining"),
        world={**GPT_WORLD, "test_prompts": 0},
        device=TRAINED.device,
        size=GPT_SIZE,
        pretraining={
            "lengths": TRAINED.gpt.lengths,
            "batch": TRAINED.gpt.batch,
            **{name: getattr(TRAINED.gpt, f"pretraining_{name}") for name in ("chain", "eta", "steps", "rate")},
        },


use rule model_step as data_quality_gpt with:
    input:
        f"{TRAINED_FOLDER}/gpt.safetensors",
    output:
        f"{TRAINED_FOLDER}/gpt_{{method}}.csv",
    log:
        f"{RESULTS}/logs/data_quality_gpt/{{method}}.log",
    priority: 5
    resources:
        **TRAINED_RESOURCES,
    params:
        **script_params("data_quality_gpt"),
        world=GPT_WORLD,
        device=TRAINED.device,
        size=GPT_SIZE,
        plan=lambda w: TRAINED.gpt.plan(w.method),


use rule model_step as data_quality_lsa with:
    output:
        f"{TRAINED_FOLDER}/lsa_{{method}}.csv",
    log:
        f"{RESULTS}/logs/data_quality_lsa/{{method}}.log",
    priority: 5
    resources:
        **TRAINED_RESOURCES,
    params:
        **script_params("data_quality_lsa"),
        world={**TRAINED_WORLD, **TRAINED.lsa.world()},
        device=TRAINED.device,
        plan=lambda w: TRAINED.lsa.plan(w.method),


use rule model_step as data_quality_rewards with:
    output:
        f"{TRAINED_FOLDER}/rewards.csv",
    log:
        f"{RESULTS}/logs/data_quality_rewards.log",
    resources:
        **TRAINED_RESOURCES,
    params:
        **REWARD_PARAMS,
        **script_params("data_quality_rewards"),
        grid=REWARDS.model_dump(include={"lengths", "prompts", "chains"}),


use rule model_step as data_quality_balance with:
    output:
        f"{TRAINED_FOLDER}/balance.csv",
    log:
        f"{RESULTS}/logs/data_quality_balance.log",
    resources:
        **TRAINED_RESOURCES,
    params:
        **REWARD_PARAMS,
        **script_params("data_quality_balance"),
        grid=REWARDS.model_dump(include={"floors", "scales", "alignments"}),


use rule step as data_quality_trained_claims with:
    input:
        lsa=expand(f"{TRAINED_FOLDER}/lsa_{{method}}.csv", method=TRAINED_METHODS),
        gpt=expand(f"{TRAINED_FOLDER}/gpt_{{method}}.csv", method=TRAINED_METHODS),
        rewards=f"{TRAINED_FOLDER}/rewards.csv",
        balance=f"{TRAINED_FOLDER}/balance.csv",
    output:
        claims=f"{QUALITY_FOLDER}/claims/trained.csv",
        provenance=f"{TRAINED_FOLDER}/claims.provenance.json",
    log:
        f"{RESULTS}/logs/data_quality_trained_claims.log",
    params:
        **script_params("data_quality_trained_claims"),
        base=REWARD_PARAMS["base"],


use rule step as data_quality_trained_figures with:
    input:
        lsa=expand(f"{TRAINED_FOLDER}/lsa_{{method}}.csv", method=TRAINED_METHODS),
        gpt=expand(f"{TRAINED_FOLDER}/gpt_{{method}}.csv", method=TRAINED_METHODS),
        rewards=f"{TRAINED_FOLDER}/rewards.csv",
        balance=f"{TRAINED_FOLDER}/balance.csv",
    output:
        [
            f"{TRAINED_FOLDER}/{name}.{kind}"
            for name in ("figure3", "figure4", "figure_rewards", "figure_balance")
            for kind in ("svg", "png", "csv")
        ],
    log:
        f"{RESULTS}/logs/data_quality_trained_figures.log",
    params:
        **script_params("data_quality_trained_figures"),
        figures=CONFIG.figures.model_dump(),
