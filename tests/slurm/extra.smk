# Rules that misbehave on demand, in the frame of the project's own.
FAULTY_RESOURCES = growing(mem_mb=500, runtime=1)
EAT = "import sys, time; held = b'x' * (int(sys.argv[1]) * 2**20); time.sleep(8); print(len(held))"


# Takes so many MiB for eight seconds: SLURM looks every two.
rule hungry:
    output:
        f"{RESULTS}/extra/hungry-{{size}}.txt",
    log:
        f"{RESULTS}/logs/extra/hungry-{{size}}.log",
    resources:
        **FAULTY_RESOURCES,
    shell:
        "python -c \"{EAT}\" {wildcards.size} > {output} 2> {log}"


# The same with others in one job of SLURM.
rule crowd:
    output:
        f"{RESULTS}/extra/crowd-{{size}}.txt",
    log:
        f"{RESULTS}/logs/extra/crowd-{{size}}.log",
    group:
        "crowd"
    resources:
        **FAULTY_RESOURCES,
    shell:
        "python -c \"{EAT}\" {wildcards.size} > {output} 2> {log}"


rule slow:
    output:
        f"{RESULTS}/extra/slow-{{seconds}}.txt",
    log:
        f"{RESULTS}/logs/extra/slow-{{seconds}}.log",
    resources:
        **FAULTY_RESOURCES,
    shell:
        "sleep {wildcards.seconds}; echo slept > {output} 2> {log}"
