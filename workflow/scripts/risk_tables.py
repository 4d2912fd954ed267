"""Gather sets, risks and loss curves of all students of a task, with generalization errors and gains."""

from pathlib import Path

from ggmi.io import read_arrays, read_csv, read_json, write_csv, write_json
from ggmi.pipeline.risk_tables import curves_table, generalization_table, risks_table, sets_table
from ggmi.provenance import record
from ggmi.workflow.seeds import numbers_of

p, given, made = snakemake.params, snakemake.input, snakemake.output
tables, arrays, curves = ({condition: [] for condition in p.conditions} for _ in range(3))
for folder, table, losses in zip(given.students, given.risks, given.losses, strict=True):
    condition = Path(folder).parent.name
    if Path(table).stat().st_size > 1:  # an empty set has no students, and their table no columns
        tables[condition].append(read_csv(table))
    arrays[condition].append(read_arrays(losses))
    for number in numbers_of(Path(folder).name):
        curve = Path(folder) / f"seed{number}.curve.csv"
        if curve.exists():
            curves[condition].append((number, read_csv(curve)))
risks = risks_table(tables, p.seeds)
exact = risks if "exact_risk_nats_per_record" in risks else None
summaries = {Path(path).parent.name: read_json(path) for path in given.sets}
write_csv(made.sets, sets_table(summaries))
write_csv(made.risks, risks)
write_csv(made.generalization, generalization_table(arrays, p.seeds, exact))
write_csv(made.curves, curves_table(curves, p.seeds))
write_json(made.provenance, record("risk_tables", p, [*given.risks, *given.losses, *given.sets]))
