"""Fit a mixture by EM to every round's anchor data or synthetic data."""

from ggmi.io import block_writer, read_blocks
from ggmi.mixtures.em import fit
from ggmi.random import round_streams
from ggmi.workflow.segments import Segment

p, w = snakemake.params, snakemake.wildcards
name = "points" if w.source == "synthetic" else "anchors"
with block_writer(snakemake.output[0]) as writer:
    for condition in Segment.parse(w.segment).conditions:
        components = condition.K if w.source == "anchors_released" else condition.total
        for first, data in read_blocks(snakemake.input[0], condition.name, (name,)):
            points = data[name].reshape(len(data[name]), -1, data[name].shape[-1])
            rounds = range(first, first + len(points))
            streams = round_streams(p.seed, w.study, w.covariance, condition.name, "fit", w.source, rounds=rounds)
            writer.write(condition.name, first, fit(points, components, streams, **p.em).arrays())
