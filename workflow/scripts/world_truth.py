"""Measure the world's generators against exact Bayes."""

from transformers import AutoModelForCausalLM

from ggmi.io import read_json, write_csv, write_json
from ggmi.pipeline.world import documents_of, generators_table
from ggmi.provenance import record

p, given = snakemake.params, snakemake.input
documents = documents_of(p.seed, p.sizes, p.most_anchors, p.further)
models = {path.rpartition("/")[2]: AutoModelForCausalLM.from_pretrained(path) for path in given.models}
reached = {path.rpartition("/")[2].removesuffix(".json"): read_json(path) for path in given.records}
flags = {name: found["criterion_reached"] for name, found in reached.items()}
write_csv(snakemake.output.table, generators_table(models, flags, documents, p.instances, p.seed))
write_json(snakemake.output.provenance, record("world_truth", p, given.records))
