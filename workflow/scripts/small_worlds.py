"""Count the violations of every searched statement among all small worlds."""

import pandas as pd

from ggmi.io import write_csv
from ggmi.theory.catalogue import SEARCHED, find_statements
from ggmi.theory.enumeration import count_violations

write_csv(snakemake.output[0], pd.DataFrame(count_violations(find_statements(SEARCHED))))
