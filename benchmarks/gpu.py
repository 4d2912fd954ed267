"""What a GPU is used for, and how well: gpu.py [try].

Five parts of eight minutes in all at most (`BUDGETS`; a part that takes longer is cut, which is said): fine-tuning
GPT-2 (124M) in bfloat16, local generation against transformers' own (and vLLM where it is installed), embedding against
sentence-transformers, pretraining the small GPTs of the study of data quality against one CPU thread, and `ggmi pilot`
within five minutes on 100,000 records. Weights are random: speeds do not depend on what they are, and nothing is
downloaded. ``try`` goes through all parts on the CPU at sizes that say nothing, to see that they run.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import HERE, fill_readme, machine, say, sentence, table, verdict
from students import dolly_like, gpt2, seconds
from transformers import AutoModelForCausalLM, AutoTokenizer

from ggmi.data_quality.trained.gpt import GptSize
from ggmi.data_quality.trained.gpt_study import GptWorld, Pretraining, pretrain
from ggmi.data_quality.trained.lsa_study import World
from ggmi.information.local_encoder import LocalEncoder, default_encoder
from ggmi.models.local import LocalBackend
from ggmi.models.requests import Request, Sampling, Usage
from ggmi.models.settings import LocalSettings
from ggmi.pilot.proxy import make_proxies
from ggmi.random import stream
from ggmi.students.batching import dealt_out, packed, sorted_by_length, updates
from ggmi.students.settings import TrainingSettings
from ggmi.text.records import Record, write_records

SEED = 20241001
# Seconds of each part at most, loading included.
BUDGETS = {"finetuning": 45, "generation": 40, "embedding": 25, "pretraining": 45, "pilot": 300}
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty", "knoll", "larch"]
# Peak of dense bfloat16 arithmetic in operations a second, by the makers' data sheets.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12}
TRY = sys.argv[1:] == ["try"]
DEVICE = "cpu" if TRY else "cuda"
# GPT-2 (124M): width, layers, heads.
GPT2 = (64, 2, 2) if TRY else (768, 12, 12)
TOKENS = 2048 if TRY else 50257


def wait():
    """Until the GPU has done what it was given."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def clocked(run):
    """Seconds of a call, and what it gave."""
    wait()
    started = time.perf_counter()
    found = run()
    wait()
    return time.perf_counter() - started, found


def drawn_set(name, number):
    """Records that ask for six words backwards or sorted."""
    random = stream(SEED, "benchmark", "gpu", name)
    drawn = random.choice(WORDS, (number, 6)).tolist()
    tasks = {"backwards": lambda words: words[::-1], "sorted": sorted}
    names = random.choice([*tasks], number).tolist()
    return [
        Record(f"{name}{i}", f"{task}: {' '.join(words)}", "", " ".join(tasks[task](words)))
        for i, (task, words) in enumerate(zip(names, drawn, strict=True))
    ]


def finetuning():
    """Tokens a second of fine-tuning GPT-2, and the share of the card's peak."""
    per = 4 if TRY else 16
    # 16 records a row: attention across records, which is useless, grows with the row.
    settings = TrainingSettings(batch_size=8 * per, per_device=per, log_every=1000, device=DEVICE)
    examples = dolly_like(500 if TRY else 5000, TOKENS)
    model = gpt2(*GPT2, 1536, TOKENS)
    taken = {}
    for steps in (1, 2) if TRY else (5, 60):  # the difference leaves out what comes before the first updates
        order = updates(len(examples), steps, settings.batch_size, 0)
        order = dealt_out(sorted_by_length(order, examples.lengths), per)
        taken[steps] = int(examples.lengths[order].sum()), seconds(model, examples, order, packed, settings)
    (few, start), (many, end) = taken.values()
    speed = (many - few) / (end - start)
    # 6 operations a parameter and token; attention to one's own record is left out of the count.
    operations = 6 * sum(p.numel() for p in model.parameters()) * speed
    peak = next((value for name, value in PEAKS.items() if name in card()), None)
    share = operations / peak if peak else None
    return {"tokens_per_second": speed, "operations_per_second": operations, "share_of_peak": share}


def saved_gpt2(folder):
    """GPT-2 with random weights and a tokenizer of the tasks' words, in Hugging Face's layout."""
    make_proxies({"t": drawn_set("tokenizer", 2000)}, [folder], SEED)
    gpt2(*GPT2, 1024, TOKENS).save_pretrained(folder)
    return folder


def generation(folder):
    """Tokens a second of 512 answers of 128 tokens: ours, transformers' generate on one batch, vLLM where it is."""
    answers, length, batch = (8, 8, 4) if TRY else (512, 128, 128)
    texts = [record.instruction for record in drawn_set("prompts", answers)]
    backend = LocalBackend(LocalSettings(model=str(folder), batch_size=batch, device=DEVICE))

    def ask(name, tokens):
        """Our backend on prompts of its own, so that nothing is at hand."""
        sampling = Sampling(max_tokens=tokens)
        requests = [Request(backend.identity, text, sampling, name, i) for i, text in enumerate(texts)]
        written = []
        backend.generate(requests, kept=(), spent=Usage(), on_response=lambda one: written.append(one) and None)
        return sum(one.completion_tokens for one in written)

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32 if TRY else torch.bfloat16).to(DEVICE)

    def own(tokens):
        """Transformers' generate, in the same batches."""
        total = 0
        for first in range(0, len(texts), batch):
            given = tokenizer(texts[first : first + batch], return_tensors="pt", padding=True).to(DEVICE)
            made = model.generate(**given, do_sample=True, max_new_tokens=tokens, pad_token_id=tokenizer.pad_token_id)
            new = made[:, given["input_ids"].shape[1] :]
            # A row counts up to and with its end, as ours do.
            ends = (new == tokenizer.eos_token_id).cumsum(1).cumsum(1)
            total += int((ends <= 1).sum())
        return total

    ask("warm", 4), own(4)
    (ours, ours_tokens), (theirs, their_tokens) = clocked(lambda: ask("a", length)), clocked(lambda: own(length))
    found = {"ours": ours_tokens / ours, "transformers": their_tokens / theirs, "vllm": None}
    if DEVICE == "cuda" and importlib.util.find_spec("vllm"):
        from vllm import LLM, SamplingParams

        engine = LLM(str(folder), dtype="bfloat16", gpu_memory_utilization=0.5)
        engine.generate(texts[:8], SamplingParams(max_tokens=4))
        took, made = clocked(lambda: engine.generate(texts, SamplingParams(max_tokens=length)))
        found["vllm"] = sum(len(one.outputs[0].token_ids) for one in made) / took
    return found


def embedding():
    """Records a second of the default embedding model: ours, and sentence-transformers' encode."""
    from sentence_transformers import SentenceTransformer

    number = 200 if TRY else 20_000
    random = stream(SEED, "benchmark", "gpu", "texts")
    words = np.array(["plan", "river", "seven", "carefully", "writes", "under", "green", "model", "and", "the", "of"])
    lengths = np.clip(random.lognormal(np.log(60), 0.8, number), 4, 150).astype(int)
    texts = [" ".join(random.choice(words, n)) for n in lengths]
    root = default_encoder().root
    ours = LocalEncoder(root, device=DEVICE)
    theirs = SentenceTransformer(str(root), device=DEVICE, local_files_only=True).eval()
    ours.encode(texts[:64]), theirs.encode(texts[:64], show_progress_bar=False)
    own, vectors = clocked(lambda: ours.encode(texts))
    other, expected = clocked(lambda: theirs.encode(texts, show_progress_bar=False))
    apart = float(np.abs(vectors - expected).max())
    return {"ours": number / own, "sentence_transformers": number / other, "largest_difference": apart}


def pretraining():
    """Steps a second of pretraining five GPTs at once, at the published size: the card against one CPU thread."""
    speeds = {"cpu": None}
    size = GptSize(20, 2, 32, 2, 88) if TRY else GptSize(20, 12, 256, 8, 88)
    try:
        for device, steps in ((DEVICE, (1, 3) if TRY else (10, 110)), ("cpu", (1, 2))):
            gpts = GptWorld(World(SEED, 5, 20, 0.5, 0.1, test_prompts=0, device=device), size)
            taken = []
            for number in steps:
                plan = Pretraining([10, 20, 40, 80], 8, 0.2, number, 64, 1e-4)
                taken.append(clocked(lambda gpts=gpts, plan=plan: pretrain(gpts, plan))[0])
            speeds[device] = (steps[1] - steps[0]) / (taken[1] - taken[0])
    except CutError:
        if DEVICE not in speeds:
            raise
    return {"steps_per_second": speeds[DEVICE], "cpu_steps_per_second": speeds["cpu"]}


def piloting(folder, work):
    """`ggmi pilot --base` within a budget: seconds taken, trainings, the recommendation."""
    budget, number = ("200000tokens", 400) if TRY else ("4m", 100_000)
    files = {name: work / f"{name}.jsonl" for name in "tab"}
    for name, file in files.items():
        write_records(file, drawn_set(name, max(200, number // 20) if name == "t" else number))
    command = [Path(sys.executable).with_name("ggmi"), "pilot", "--base", folder, "--budget", budget]
    command += ["--train", files["t"], "--synthetic", files["a"], files["b"], "--out", work / "pilot"]
    took, _ = clocked(lambda: subprocess.run(command, check=True, stdout=sys.stderr))
    found = json.loads((work / "pilot" / "pilot.json").read_text(encoding="utf-8"))
    return {"seconds": took, "records": number, "choice": found["choice"]}


def card():
    """What the accelerator calls itself."""
    return torch.cuda.get_device_name() if DEVICE == "cuda" else "no GPU"


def rows_of(found):
    """Rows of the table in README.md, of the parts that ran."""
    rows = []
    if one := found.get("finetuning"):
        share = one["share_of_peak"] or 0
        shown = f"{100 * share:.0f} % of its peak" if share else f"{one['operations_per_second']:.3g} operations/s"
        speed = f"{one['tokens_per_second']:,.0f} tokens/s"
        rows.append(["Fine-tuning GPT-2 (124M), bfloat16", shown, speed, "–", "≥ 40 %", verdict(share >= 0.4)])
    if one := found.get("generation"):
        name = "vllm" if one["vllm"] else "transformers"
        rows.append(["Generation, tokens/s", *against(one["ours"], name, one[name]), "–", "–"])
    if one := found.get("embedding"):
        ours, theirs = one["ours"], one["sentence_transformers"]
        compared = against(ours, "sentence-transformers", theirs)
        rows.append(["Embedding, records/s", *compared, "≥ 1×", verdict(ours >= theirs)])
    if one := found.get("pretraining"):
        compared = against(one["steps_per_second"], "one CPU thread", one["cpu_steps_per_second"])
        rows.append(["Pretraining five GPTs of 12 layers, steps/s", *compared, "–", "–"])
    if one := found.get("pilot"):
        what = f"`ggmi pilot`, GPT-2, {one['records']:,} records a set"
        rows.append([what, f"{one['seconds']:.0f} s", "–", "–", "≤ 300 s", verdict(one["seconds"] <= 300)])
    return rows


def against(ours, name, theirs):
    """Three cells: our speed, another's, their ratio; the other one may have been cut."""
    if theirs is None:
        return [f"{ours:,.4g}", f"{name}: cut", "–"]
    return [f"{ours:,.4g}", f"{name}: {theirs:,.4g}", f"{ours / theirs:.2f}×"]


class CutError(Exception):
    """A part took longer than it may; no error that libraries catch."""


def cut(*_):
    """End a part that takes longer than it may."""
    raise CutError("cut, since it took longer than it may")


def main():
    """Measure in turn, print, and write gpu.json and this section of README.md; a part that fails says so."""
    if not (TRY or torch.cuda.is_available()):
        print("There is no GPU here, so nothing was measured; `python benchmarks/gpu.py try` shows that the parts run.")
        return
    signal.signal(signal.SIGALRM, cut)
    loads, found, failed = [os.getloadavg()[0]], {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = saved_gpt2(Path(scratch) / "gpt2")
        parts = {
            "finetuning": finetuning,
            "generation": lambda: generation(folder),
            "embedding": embedding,
            "pretraining": pretraining,
            "pilot": lambda: piloting(folder, Path(scratch)),
        }
        for name, measure in parts.items():
            say(f"{name}, at most {BUDGETS[name]} s")
            signal.alarm(BUDGETS[name])
            try:
                found[name] = measure()
            except Exception as error:  # the other parts' minutes on a card are not thrown away
                failed[name] = f"{type(error).__name__}: {error}"
            finally:
                signal.alarm(0)
            print(json.dumps({name: found.get(name, failed.get(name))}), flush=True)
    loads.append(os.getloadavg()[0])
    versions = {"card": card(), "torch": torch.__version__, "cuda": torch.version.cuda}
    result = {"machine": {**machine(), **versions, "load_before_and_after": loads}, **found, "failed": failed}
    rows = rows_of(found)
    about = f"{versions['card']}, torch {versions['torch']}, CUDA {versions['cuda']}. {sentence(result['machine'])}"
    missing = "".join(f" Not measured: {name} ({reason})." for name, reason in failed.items())
    text = f"{about}{missing}\n\n{table(['what', 'ggmi', 'against', 'ratio', 'target', 'reached'], rows)}"
    print(f"\n{text}")
    if TRY:
        sys.exit(1 if failed else 0)
    (HERE / "gpu.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "gpu", text)


if __name__ == "__main__":
    main()
