"""Write exact rational instances that decide what the paper's formulas say."""

from pathlib import Path

from ggmi.data_quality.certificates import CERTIFICATES
from ggmi.io import write_json

folder = Path(snakemake.output[0])
folder.mkdir()
for slug, certificate in CERTIFICATES.items():
    write_json(folder / f"{slug}.json", certificate.as_json())
