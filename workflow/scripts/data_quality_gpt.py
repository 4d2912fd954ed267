"""Post-train the pretrained GPTs over prompts, lengths and chains."""

from safetensors.torch import load_file

from ggmi.data_quality.trained.gpt import GptSize
from ggmi.data_quality.trained.gpt_study import GptWorld, gpt_table
from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.plan import Plan
from ggmi.io import write_csv
from ggmi.loading import chosen_device, loading, threads
from ggmi.workflow.job import steps_shown

with threads(1):
    p, w, path = snakemake.params, snakemake.wildcards, snakemake.input[0]
    world = World(**p.world, device=chosen_device(p.device, "data_quality.trained.device"))
    with loading(f"{path}: cannot be loaded as pretrained weights"):
        weights = load_file(path, device=world.device)
    plan = Plan.of(p.plan, w.method, one_pretraining=True)
    gpts = GptWorld(world, GptSize(**p.size))
    write_csv(snakemake.output[0], gpt_table(gpts, weights, plan, w.method, steps_shown(f"GPT, {w.method}")))
