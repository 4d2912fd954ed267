"""Embed sets of records, each by itself; what an endpoint embeds is kept for good."""

from ggmi.information.local_encoder import named_encoder
from ggmi.io import block_writer, read_json
from ggmi.models.embedding_endpoint import EndpointEncoder
from ggmi.models.settings import EmbeddingSettings
from ggmi.pipeline.embedded_sets import embedded
from ggmi.text.samples import read_made

p = snakemake.params
if p.endpoint:
    manner = read_json(p.manner)
    encoder = EndpointEncoder(EmbeddingSettings(**p.endpoint, **manner["settings"]))
    cache = f"{manner['stores']}/embeddings"
else:
    encoder, cache = named_encoder(p.encoder, device=p.device), None
with block_writer(snakemake.output[0]) as writer:
    for name, path in zip(p.names, snakemake.input.sets, strict=True):
        found = embedded(read_made(path), encoder, cache=cache)
        writer.write(name, 0, {"vectors": found.vectors.astype("float32"), "seen": found.seen})
