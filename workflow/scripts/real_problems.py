"""Read the problems of a search and their right answers."""

from ggmi.io import write_json
from ggmi.real_search.problems import read_problems, write_problems

p, w, made = snakemake.params, snakemake.wildcards, snakemake.output
problems, report = read_problems(p.source, p.answer, p.most, p.seed, w.name)
write_problems(made.problems, problems)
write_json(made.report, report)
