"""Draw problems of one group for one use."""

from ggmi.random import stream
from ggmi.reasoning.problems import Problems, group_table, save_problems

p, w = snakemake.params, snakemake.wildcards
table = group_table(w.group)
save_problems(
    snakemake.output[0],
    {
        n: Problems.draw(table, n, count, stream(p.seed, "reasoning", w.group, "problems", w.use, n))
        for n, count in p.counts.items()
    },
)
