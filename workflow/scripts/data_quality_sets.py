"""Compare small sets with everything else, and sets of several difficulties."""

from ggmi.data_quality.curves import Curves
from ggmi.data_quality.difficulty import difficulty_table
from ggmi.data_quality.small_sets import small_sets
from ggmi.io import write_csv

p, made, sets = snakemake.params, snakemake.output, snakemake.params.sets
d = sets["d"]
# Half of the repetitions choose a size, half measure it.
curves = Curves(**p.sizes | {"seeds": 2 * p.sizes["seeds"]}, d=d, m=d // 2)
write_csv(made.small_sets, small_sets(curves, sets["ratios"], sets["lengths_over_d"]))
shares = [sets[f"difficulty_{name}_over_d"] for name in ("lengths", "prompts")]
write_csv(made.difficulty, difficulty_table(curves, *([round(x * d) for x in share] for share in shares)))
