"""Write down the embedded world: its skills and its latent domains."""

from ggmi.embedded.domains import Domains
from ggmi.embedded.language import Language, Sizes
from ggmi.io import write_json
from ggmi.pipeline.world import description

p = snakemake.params
sizes = Sizes(**p.sizes)
write_json(snakemake.output[0], description(Language.draw(p.seed, sizes), Domains.draw(p.seed, sizes)))
