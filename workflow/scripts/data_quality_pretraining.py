"""Pretrain a small GPT of every repetition."""

from safetensors.torch import save_file

from ggmi.data_quality.trained.gpt import GptSize
from ggmi.data_quality.trained.gpt_study import GptWorld, Pretraining, pretrain
from ggmi.data_quality.trained.lsa_study import World
from ggmi.io import atomic, write_csv, write_json
from ggmi.loading import chosen_device, threads
from ggmi.provenance import record
from ggmi.workflow.job import steps_shown

with threads(1):
    p, made = snakemake.params, snakemake.output
    world = World(**p.world, device=chosen_device(p.device, "data_quality.trained.device"))
    gpts = GptWorld(world, GptSize(**p.size))
    weights, curve = pretrain(gpts, Pretraining(**p.pretraining), steps_shown("GPT"))
    with atomic(made.weights) as beside:
        save_file({name: value.cpu().contiguous() for name, value in weights.items()}, beside)
    write_csv(made.curve, curve)
    write_json(made.provenance, record("data_quality_pretraining", p, []))
