#!/bin/sh
# Make sure that the cluster's tests find SLURM's daemons and commands.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
missing() { for program in slurmctld slurmd munged sbatch squeue scontrol; do command -v $program >/dev/null 2>&1 || echo $program; done; }
if [ -z "$(missing)" ]; then exit 0; fi
echo "Installing SLURM for the tests of the cluster"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
fi
if [ -n "$(missing)" ]; then
    echo "the cluster's tests need SLURM and munge; not found: $(missing | tr '\n' ' ')" >&2
    exit 1
fi
