"""Estimate the divergence of every round's fitted mixtures from the truth."""

from ggmi.io import block_writer, read_blocks
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.study import divergences
from ggmi.random import round_streams
from ggmi.workflow.segments import Segment

p, w = snakemake.params, snakemake.wildcards
with block_writer(snakemake.output[0]) as writer:
    for condition in Segment.parse(w.segment).conditions:
        readers = [
            read_blocks(snakemake.input.worlds, condition.name, ("truth_means", "truth_covariances")),
            *(read_blocks(path, condition.name, Mixtures.ARRAYS) for path in snakemake.input.fits),
        ]
        for (first, world), *fitted in zip(*readers, strict=True):
            truth = Mixtures.equal_weights(world["truth_means"], world["truth_covariances"])
            fits = {name: Mixtures(**arrays) for name, (_, arrays) in zip(p.fits, fitted, strict=True)}
            rounds = range(first, first + truth.rounds)
            purpose = (w.study, w.covariance, condition.name, "divergences", w.estimator)
            streams = {n: round_streams(p.seed, *purpose, n, rounds=rounds) for n in ("truth", "null", *fits)}
            writer.write(condition.name, first, divergences(w.estimator, p.settings, truth, fits, streams))
