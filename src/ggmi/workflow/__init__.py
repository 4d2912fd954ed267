"""What lies between Snakemake and the library: plans of jobs, digests of code, the frame of a script."""
