# A set given in files is read and curated in shards, some of its files a job, and settled from what they sum up: the
# same set, to the byte, as in one piece. rules/synthesis.smk joins what is made here.
#
# Memory: of records of 400 bytes, a megabyte of a shard's files takes 3.5 MB when read, as much when screened or indexed;
# of all files, 0.2 MB for keys and places in shards_merged, for lengths in shard_pairs, and for what is dropped. Every job
# asks for half as much again. A group of jobs would ask for the time of all, so none is in one.
SHARDS = f"{RESULTS}/{{task}}/shards/{{generator}}"
CURATED_SHARDS = f"{RESULTS}/{{task}}/shards/{{generator}}/{{curation}}"
ROWS = f"{SHARDS}/rows/{{shard}}"
SCREENED = f"{CURATED_SHARDS}/screened/{{shard}}"
MERGED = f"{CURATED_SHARDS}/merged"
JOINED = f"{CURATED_SHARDS}/index"
PAIRS = f"{CURATED_SHARDS}/pairs/{{shard}}.npz"
SHARD_RESOURCES = by_files(
    lambda w: generator_of(w).files_of(int(w.shard)), mem_mb=2000, mb_each=5, runtime=20, minutes_each=0.1
)
SET_OF_SHARDS_RESOURCES = by_files(
    lambda w: generator_of(w).watched, mem_mb=2000, mb_each=0.5, runtime=20, minutes_each=0.02
)


wildcard_constraints:
    shard=r"\d+",


use rule model_step as shard_rows with:
    input:
        lambda w: generator_of(w).files_of(int(w.shard)),
    output:
        directory(ROWS),
    log:
        f"{RESULTS}/logs/shard_rows/{{task}}-{{generator}}-{{shard}}.log",
    resources:
        **SHARD_RESOURCES,
    params:
        **script_params("shard_rows"),
        source=lambda w: generator_of(w).read_settings(),
        several=lambda w: len(generator_of(w).watched) > 1,


use rule model_step as shard_screened with:
    input:
        rows=ROWS,
        references=references_of,
    output:
        directory(SCREENED),
    log:
        f"{RESULTS}/logs/shard_screened/{{task}}-{{generator}}-{{curation}}-{{shard}}.log",
    resources:
        **SHARD_RESOURCES,
    params:
        **script_params("shard_screened"),
        curation=filters_of,


use rule model_step as shards_merged with:
    input:
        shard_files(SCREENED),
    output:
        directory(MERGED),
    log:
        f"{RESULTS}/logs/shards_merged/{{task}}-{{generator}}-{{curation}}.log",
    resources:
        **SET_OF_SHARDS_RESOURCES,
    params:
        **script_params("shards_merged"),
        curation=filters_of,


use rule model_step as shard_index with:
    input:
        screened=SCREENED,
        merged=MERGED,
    output:
        temp(directory(f"{CURATED_SHARDS}/indexes/{{shard}}")),
    log:
        f"{RESULTS}/logs/shard_index/{{task}}-{{generator}}-{{curation}}-{{shard}}.log",
    resources:
        **SHARD_RESOURCES,
    params:
        **script_params("shard_index"),
        near=lambda w: filters_of(w)["near"],


use rule model_step as joined_index with:
    input:
        shard_files(f"{CURATED_SHARDS}/indexes/{{shard}}"),
    output:
        temp(directory(JOINED)),
    log:
        f"{RESULTS}/logs/joined_index/{{task}}-{{generator}}-{{curation}}.log",
    resources:
        **SET_OF_SHARDS_RESOURCES,
    params:
        **script_params("joined_index"),


use rule model_step as shard_pairs with:
    input:
        index=JOINED,
        merged=MERGED,
    output:
        PAIRS,
    log:
        f"{RESULTS}/logs/shard_pairs/{{task}}-{{generator}}-{{curation}}-{{shard}}.log",
    resources:
        **SET_OF_SHARDS_RESOURCES,
    params:
        **script_params("shard_pairs"),
        near=lambda w: filters_of(w)["near"],
        shards=lambda w: generator_of(w).shards,
