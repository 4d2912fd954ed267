"""Estimate everything there is to say of a synthetic set."""

from ggmi.io import read_rounds, write_json
from ggmi.models.settings import EntailmentSettings
from ggmi.pipeline.embedded_sets import Embedded, chosen
from ggmi.pipeline.estimation import EstimationSettings, estimates
from ggmi.text.samples import read_made


def embedded(path, archive, name):
    found = read_rounds(archive, name, ("vectors", "seen"))
    return Embedded(read_made(path), found["vectors"].astype(float), seen=found["seen"])


def by_entailment(values):
    # transformers takes seconds to import, and most jobs ask no model.
    from ggmi.models.entailment import EntailmentModel

    return EntailmentModel(EntailmentSettings(**values)).mutual


p, given = snakemake.params, snakemake.input
synthetic = chosen(embedded(given.parsed, given.vectors, "parsed"), read_made(given.synthetic))
train, anchors = (embedded(given[name], given.real, name) for name in ("train", "pool"))
settings = EstimationSettings(**p.settings)
same = by_entailment(p.entailment) if p.entailment else None
write_json(snakemake.output[0], estimates(synthetic, train, settings, seed=p.seed, anchors=anchors, same=same))
