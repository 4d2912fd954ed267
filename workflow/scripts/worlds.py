"""Draw truth, anchor data and generator mixture of every round of a segment's conditions."""

from ggmi.io import block_writer, read_rounds
from ggmi.mixtures.worlds import LabelledPoints, data_worlds, random_worlds, rounds_per_block
from ggmi.random import round_streams
from ggmi.workflow.segments import Segment

p, w = snakemake.params, snakemake.wildcards
data = None
if snakemake.input:
    data = LabelledPoints.from_arrays(read_rounds(snakemake.input[0], "points", LabelledPoints.ARRAYS))
with block_writer(snakemake.output[0]) as writer:
    for condition in Segment.parse(w.segment).conditions:
        step = rounds_per_block(condition, p.dimensions, p.anchors_per_component)
        for first in range(0, p.rounds, step):
            rounds = range(first, min(first + step, p.rounds))
            streams = round_streams(p.seed, w.study, w.covariance, condition.name, "world", rounds=rounds)
            if data is None:
                worlds = random_worlds(condition, p.dimensions, p.anchors_per_component, w.covariance, streams)
            else:
                worlds = data_worlds(condition, data, p.anchors_per_component, streams)
            writer.write(condition.name, first, worlds.arrays())
