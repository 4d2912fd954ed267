"""Embed the records of sets that estimates look at, each set by itself; what an endpoint embeds is kept for good."""

from ggmi.information.local_encoder import named_encoder
from ggmi.io import block_writer, read_json
from ggmi.models.embedding_endpoint import EndpointEncoder
from ggmi.models.settings import EmbeddingSettings
from ggmi.pipeline.drawn_sets import embedded_rows
from ggmi.pipeline.embedded_sets import embedded
from ggmi.pipeline.subsets import part_of
from ggmi.text.samples import read_made

p = snakemake.params
if p.endpoint:
    manner = read_json(p.manner)
    encoder = EndpointEncoder(EmbeddingSettings(**p.endpoint, **manner["settings"]))
    cache = f"{manner['stores']}/embeddings"
else:
    encoder, cache = named_encoder(p.encoder, device=p.device), None
sets = {name: read_made(path) for name, path in snakemake.input.items()}
with block_writer(snakemake.output[0]) as writer:
    for name, rows in embedded_rows(sets, p.pairing, p.records, p.seed).items():
        found = embedded(part_of(sets[name], rows), encoder, cache=cache)
        writer.write(name, 0, {"rows": rows, "vectors": found.vectors.astype("float32"), "seen": found.seen})
