"""Train linear self-attention after a balanced pretraining or not, and on data of several difficulties."""

from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.rewards import Updates, quality_table
from ggmi.io import write_csv
from ggmi.loading import chosen_device, threads

with threads(1):
    p = snakemake.params
    world = World(**p.world, device=chosen_device(p.device, "data_quality.trained.device"))
    write_csv(snakemake.output[0], quality_table(world, Updates(**p.updates), **p.grid, base=tuple(p.base)))
