"""Run one of the workflow's scripts by itself, as Snakemake would, and print its peak memory in MB.

The argument is JSON: `script`, and what the script finds in `snakemake` (params, wildcards, input, output, log).
"""

import json
import resource
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace


class Files(dict):
    """Named files, as Snakemake gives them to a script: by attribute, by name, and the first by its place."""

    __getattr__ = dict.__getitem__

    def __getitem__(self, name):
        return next(iter(self.values())) if name == 0 else super().__getitem__(name)


def main():
    """Run the script named on the command line and print the largest resident set of this process."""
    request = json.loads(sys.argv[1])
    script = request.pop("script")
    for name in ("params", "wildcards"):
        request[name] = SimpleNamespace(**request[name])
    for name in ("input", "output"):
        request[name] = Files(request[name]) if isinstance(request[name], dict) else request[name]
    runpy.run_path(script, init_globals={"snakemake": SimpleNamespace(**request)})
    print(json.dumps(peak() / 1e6))


def peak():
    """Most bytes that this program held; on Linux, what getrusage tells begins with the size of who started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
