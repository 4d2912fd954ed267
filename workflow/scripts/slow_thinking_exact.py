"""Write exact accuracies of search, crossovers, and the N that matches."""

from ggmi.io import write_csv
from ggmi.slow_thinking.calculus import crossover_table, exact_table, matching_table

p, made = snakemake.params, snakemake.output
grid = (p.log_lambdas, p.lengths, p.widths)
write_csv(made.exact, exact_table(*grid, p.reliabilities))
write_csv(made.crossover, crossover_table(*grid))
write_csv(made.matching, matching_table(*grid, p.reliabilities))
