"""Embed sets of records, each by itself."""

from ggmi.information.embedding import named_encoder
from ggmi.io import block_writer
from ggmi.pipeline.embedded_sets import embedded
from ggmi.text.samples import read_made
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    encoder = named_encoder(p.encoder, device=p.device)
    with block_writer(snakemake.output[0]) as writer:
        for name, path in zip(p.names, snakemake.input.sets, strict=True):
            writer.write(name, 0, {"vectors": embedded(read_made(path), encoder).vectors.astype("float32")})
