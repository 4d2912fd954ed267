"""Find what the smallest of a task's sets has, for the others to be matched to it."""

from ggmi.io import write_json
from ggmi.pipeline.students import form_of, response_lengths
from ggmi.pipeline.training_sets import gathered, read_set, smallest

p, given = snakemake.params, snakemake.input
test = read_set(given.test)
sets = {
    name: [record for _, record in gathered(made, files, test, p.overlap, p.seed)[0]]
    for name, (made, files) in p.conditions.items()
}
lengths = {}
if p.by == "tokens":
    how = (given.get("base") or p.base, p.revision, form_of(p.form))
    lengths = {name: response_lengths(records, *how) for name, records in sets.items() if records}
sizes = {name: len(records) for name, records in sets.items()}
write_json(snakemake.output[0], smallest(sizes, lengths, p.by, p.training))
