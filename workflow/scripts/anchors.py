"""Read or draw a task's real records and split them."""

from ggmi.embedded.language import Language, Sizes
from ggmi.io import write_json
from ggmi.pipeline.anchors import embedded_sets, source_sets
from ggmi.text.records import write_records

p, made = snakemake.params, snakemake.output
if p.world is None:
    sets, report = source_sets(p.source, p.seed)
else:
    language = Language.draw(p.seed, Sizes(**p.world["sizes"]))
    sets, report = embedded_sets(language, p.world["counts"], p.seed)
for name in ("pool", "train", "test"):
    write_records(made[name], getattr(sets, name))
write_json(made.report, report)
