"""Estimate the terms of Theorem 4.10 in every round of a segment's conditions."""

from ggmi.io import block_writer, read_blocks
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.terms import round_terms
from ggmi.random import round_streams
from ggmi.workflow.segments import Segment

p, w = snakemake.params, snakemake.wildcards
names = ("truth_means", "truth_covariances", "generator_means", "generator_covariances")
with block_writer(snakemake.output[0]) as writer:
    for condition in Segment.parse(w.segment).conditions:
        readers = [
            read_blocks(snakemake.input.worlds, condition.name, names),
            *(read_blocks(path, condition.name, Mixtures.ARRAYS) for path in snakemake.input.fits),
        ]
        for (first, world), *fitted in zip(*readers, strict=True):
            truth = Mixtures.equal_weights(world["truth_means"], world["truth_covariances"])
            generator = Mixtures.equal_weights(world["generator_means"], world["generator_covariances"])
            fits = {name: Mixtures(**arrays) for name, (_, arrays) in zip(p.fits, fitted, strict=True)}
            rounds = range(first, first + truth.rounds)
            streams = round_streams(p.seed, w.study, w.covariance, condition.name, "terms", rounds=rounds)
            sizes = (condition.K, p.anchors_per_component)
            writer.write(condition.name, first, round_terms(truth, generator, fits, *sizes, streams, **p.settings))
