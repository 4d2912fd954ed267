"""Train linear self-attention by policy gradients, outcomes and targets."""

from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.rewards import Updates, reward_table
from ggmi.io import write_csv
from ggmi.loading import chosen_device, threads

with threads(1):
    p = snakemake.params
    world = World(**p.world, device=chosen_device(p.device, "data_quality.trained.device"))
    write_csv(snakemake.output[0], reward_table(world, Updates(**p.updates), **p.grid, base=tuple(p.base)))
