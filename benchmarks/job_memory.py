"""Run one of the workflow's scripts by itself, as Snakemake would, and print its peak memory in MB.

The argument is JSON: `script`, and what the script finds in `snakemake` (params, wildcards, input, output, log).
"""

import json
import resource
import runpy
import sys
from types import SimpleNamespace


def main():
    """Run the script named on the command line and print the largest resident set of this process."""
    request = json.loads(sys.argv[1])
    script = request.pop("script")
    for name in ("params", "wildcards"):
        request[name] = SimpleNamespace(**request[name])
    runpy.run_path(script, init_globals={"snakemake": SimpleNamespace(**request)})
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6))


if __name__ == "__main__":
    main()
