"""Gather every round's KL gap from the divergences of all segments."""

from ggmi.io import block_writer, read_rounds
from ggmi.workflow.segments import Segment, parts_of

wanted = set(snakemake.params.conditions)
with block_writer(snakemake.output[0]) as writer:
    for path in snakemake.input:
        covariance, segment, file = parts_of(path)
        estimator = file.removeprefix("divergences_").removesuffix(".npz")
        for condition in Segment.parse(segment).conditions:
            if condition.name not in wanted:
                continue
            names = ("synthetic_value", *(f"anchors_{a}_value" for a in snakemake.params.anchor_components))
            values = read_rounds(path, condition.name, names)
            for variant, anchors in zip(snakemake.params.anchor_components, names[1:], strict=True):
                gap = {"gap_nats": values[anchors] - values["synthetic_value"]}
                writer.write(f"{covariance}-{variant}-{estimator}-{condition.name}", 0, gap)
