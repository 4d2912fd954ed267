"""Say of every record of a set how hard it is, by what subsets are chosen by."""

from ggmi.config.students import BASE_LOSS, SKILL
from ggmi.embedded.language import Language, Sizes
from ggmi.io import write_csv
from ggmi.pipeline.scores import base_losses, column_scores, skill_losses
from ggmi.pipeline.students import form_of
from ggmi.pipeline.training_sets import gathered, read_set

p, by, given = snakemake.params, snakemake.wildcards.by, snakemake.input
if by in (BASE_LOSS, SKILL):
    files = dict(zip(p.sources, given.sets, strict=True))
    records = [record for _, record in gathered(p.made, files, read_set(given.test), p.overlap, p.seed)[0]]
    model = given.get("base") or p.base
if by == BASE_LOSS:
    table = base_losses(records, model, p.revision, form_of(p.form), p.device, p.threads)
elif by == SKILL:
    table = skill_losses(records, model, Language.draw(p.seed, Sizes(**p.world)))
else:
    table = column_scores(given.sets[0], by, p.source)
write_csv(snakemake.output[0], table)
