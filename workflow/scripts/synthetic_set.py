"""Draw the synthetic data of every round from its generator mixture."""

from ggmi.io import block_writer, read_blocks
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.worlds import synthetic_points
from ggmi.random import round_streams
from ggmi.workflow.segments import Segment

p, w = snakemake.params, snakemake.wildcards
with block_writer(snakemake.output[0]) as writer:
    for condition in Segment.parse(w.segment).conditions:
        for first, world in read_blocks(
            snakemake.input[0], condition.name, ("generator_means", "generator_covariances")
        ):
            generator = Mixtures.equal_weights(world["generator_means"], world["generator_covariances"])
            rounds = range(first, first + generator.rounds)
            streams = round_streams(p.seed, w.study, w.covariance, condition.name, "synthetic", rounds=rounds)
            writer.write(condition.name, first, {"points": synthetic_points(generator, p.synthetic_size, streams)})
