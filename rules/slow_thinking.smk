# Slow thinking: its theory in finite worlds, the exact calculus of search, the published points read again.
#
# Memory: a block of 1,000 chains of three steps takes some 50 MB beside the interpreter's 150 MB.
# Time: a searched statement takes about a second here, all other jobs a second or two.
SLOW = CONFIG.slow_thinking
SLOW_FOLDER = f"{RESULTS}/slow_thinking"
SLOW_RESOURCES = growing(mem_mb=1500, runtime=10)
# Tables of claims that are corrected together, and what the page shows; further rules of the study add theirs.
SLOW_CLAIMS = []
SLOW_SHOWN = {}


localrules:
    slow_thinking_claims,
    slow_thinking_page,


rule slow_thinking_claims:
    input:
        lambda w: SLOW_CLAIMS,
    output:
        f"{SLOW_FOLDER}/claims.csv",
    log:
        f"{RESULTS}/logs/slow_thinking_claims.log",
    conda:
        "../envs/ggmi.yaml"
    resources:
        **SLOW_RESOURCES,
    params:
        code=code("slow_thinking_claims"),
    script:
        "../workflow/scripts/slow_thinking_claims.py"
