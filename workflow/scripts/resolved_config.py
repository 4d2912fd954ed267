"""Write the whole configuration, every default filled in."""

import yaml

from ggmi.io import write_text

text = yaml.safe_dump(snakemake.params.config, sort_keys=False, allow_unicode=True, width=100)
write_text(snakemake.output[0], text)
