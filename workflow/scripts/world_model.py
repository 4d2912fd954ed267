"""Train one of the embedded world's models and keep it in Hugging Face's layout."""

from pathlib import Path

import pandas as pd

from ggmi.embedded.recipes import Recipe
from ggmi.embedded.training import save, train
from ggmi.io import write_csv, write_json
from ggmi.pipeline.world import documents_of
from ggmi.provenance import record
from ggmi.workflow.job import steps_shown

p, name = snakemake.params, snakemake.wildcards.model
documents = documents_of(p.seed, p.sizes, p.most_anchors, p.further)
trained = train(Recipe(**p.recipe), documents, p.seed, name, steps_shown(name))
save(trained, documents, Path(snakemake.output.model))
write_csv(snakemake.output.curve, pd.DataFrame(trained.rows))
write_json(snakemake.output.record, {**record("world_model", p, []), "criterion_reached": trained.reached})
