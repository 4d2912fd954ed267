"""Train linear self-attention over prompts, lengths and chains."""

from ggmi.data_quality.trained.lsa_study import World, lsa_table
from ggmi.data_quality.trained.plan import Plan
from ggmi.io import write_csv
from ggmi.loading import chosen_device, threads
from ggmi.workflow.job import steps_shown

with threads(1):
    p, w = snakemake.params, snakemake.wildcards
    world = World(**p.world, device=chosen_device(p.device, "data_quality.trained.device"))
    plan = Plan.of(p.plan, w.method)
    write_csv(snakemake.output[0], lsa_table(world, plan, w.method, steps_shown(f"LSA, {w.method}")))
