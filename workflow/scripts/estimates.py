"""Estimate everything there is to say of a synthetic set."""

from ggmi.io import write_json
from ggmi.models.settings import EntailmentSettings
from ggmi.pipeline.drawn_sets import drawn_of, read_embedded
from ggmi.pipeline.estimation import estimates
from ggmi.pipeline.estimators import EstimationSettings
from ggmi.text.samples import read_made


def by_entailment(values):
    # transformers takes seconds to import, and most jobs ask no model.
    from ggmi.models.entailment import EntailmentModel

    return EntailmentModel(EntailmentSettings(**values)).mutual


p, given = snakemake.params, snakemake.input
settings = EstimationSettings(**p.settings)
made, pool, train = (read_made(given[name]) for name in ("synthetic", "pool", "train"))
synthetic, prompted = drawn_of(read_embedded(made, "synthetic", given.vectors), settings.records, p.seed)
train, anchors = read_embedded(train, "train", given.real), read_embedded(pool, "pool", given.real, given.vectors)
same = by_entailment(p.entailment) if p.entailment else None
found = estimates(synthetic, train, settings, seed=p.seed, anchors=anchors, prompted=prompted, same=same)
write_json(snakemake.output[0], found)
