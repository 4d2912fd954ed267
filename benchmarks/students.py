"""Time students: packed records against padded ones, and Trainer against a bare loop."""

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import HERE, fill_readme, machine, say, sentence, table, verdict
from torch.utils.data import Subset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer

from ggmi.random import stream
from ggmi.students.base import quiet
from ggmi.students.batching import packed, padded, padding, updates
from ggmi.students.finetune import trainer_arguments
from ggmi.students.sets import IGNORED, Examples
from ggmi.students.settings import TrainingSettings
from ggmi.students.trainer import Watch, response_nats, train, update_loss

REPEATS = 3
LONGEST = 1500


def to_maximum(records):
    """One record a row, every batch padded to the longest record there may be."""
    batch = padded(records)
    return {
        name: torch.nn.functional.pad(value, (0, LONGEST - value.shape[1]), value=IGNORED if name == "labels" else 0)
        for name, value in batch.items()
    }


def dolly_like(records, vocabulary):
    """Random tokens in records with a median of about 100 tokens and a heavy tail to 1,500; half is response."""
    random = stream(0, "benchmark", "students")
    lengths = np.clip(random.lognormal(np.log(100), 0.9, records), 10, LONGEST).astype(int)
    whole = [random.integers(0, vocabulary, n).tolist() for n in lengths]
    return Examples.of(
        [str(i) for i in range(records)], [w[: len(w) // 2] for w in whole], [w[len(w) // 2 :] for w in whole]
    )


def fixed(records, length, prompt, vocabulary):
    """Records of one length, as those of the embedded world."""
    whole = stream(0, "benchmark", "fixed").integers(0, vocabulary, (records, length)).tolist()
    return Examples.of([str(i) for i in range(records)], [w[:prompt] for w in whole], [w[prompt:] for w in whole])


def gpt2(width, layers, heads, window, vocabulary):
    """A GPT-2 of random weights."""
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_positions=window,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            use_cache=False,
            **ends,
        )
    )


def seconds(model, examples, order, collate, settings):
    """Seconds of a training by Trainer."""
    with tempfile.TemporaryDirectory() as work, quiet():
        trainer = Trainer(
            model=model,
            args=trainer_arguments(settings, Path(work), len(order), 0),
            train_dataset=Subset(examples.features(), order.ravel().tolist()),
            data_collator=collate,
            compute_loss_func=update_loss,
            callbacks=[Watch(settings.learning_rate, None)],
        )
        started = time.perf_counter()
        train(trainer, settings.batch_size)
        return time.perf_counter() - started


def bare_loop(model, examples, order, settings):
    """Seconds of the same updates in a loop that does nothing else."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / len(order))
    rows = examples.features()
    started = time.perf_counter()
    for chosen in order:
        batch = padded([rows[i] for i in chosen])
        labels = batch.pop("labels")
        response_nats(model(**batch).logits, labels).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    return time.perf_counter() - started


def packing():
    """Tokens a second of packed rows, of batches padded to their own longest, and to the maximum."""
    say("packed against padded")
    settings = TrainingSettings(batch_size=8, device="cpu", log_every=1000)
    examples = dolly_like(1000, 4096)
    order = updates(len(examples), 3, settings.batch_size, 0)
    tokens = int(examples.lengths[order].sum())
    collators = {"packed": packed, "own longest": padded, "maximum": to_maximum}
    best = dict.fromkeys(collators, float("inf"))
    for _ in range(REPEATS):
        for name, collate in collators.items():
            best[name] = min(best[name], seconds(gpt2(256, 2, 4, 1536, 4096), examples, order, collate, settings))
    whole = updates(len(examples), 1000, 16, 0)
    waste = {
        "packed": 0.0,
        "own longest": padding(whole, examples.lengths, 16),
        "maximum": 1 - float(examples.lengths.mean()) / LONGEST,
    }
    return {
        "median_tokens": float(np.median(examples.lengths)),
        "tokens_per_second": {name: tokens / taken for name, taken in best.items()},
        "padding": waste,
    }


def overhead():
    """Seconds of the embedded world's student by Trainer and by a bare loop."""
    say("Trainer against a bare loop")
    settings = TrainingSettings(batch_size=16, learning_rate=1e-3, device="cpu", log_every=50)
    examples = fixed(400, 11, 7, 40)
    order = updates(400, 200, 16, 0)
    ours, bare = [], []
    for _ in range(REPEATS):
        bare.append(bare_loop(gpt2(128, 1, 4, 64, 40), examples, order, settings))
        ours.append(seconds(gpt2(128, 1, 4, 64, 40), examples, order, padded, settings))
    return {"steps": 200, "trainer_seconds": min(ours), "bare_seconds": min(bare)}


def main():
    """Measure in turn, print, and write students.json and this section of README.md."""
    torch.set_num_threads(1)
    loads = [os.getloadavg()[0]]
    packed, costs = packing(), overhead()
    loads.append(os.getloadavg()[0])
    found = {
        "machine": {**machine(), "load_before_and_after": loads},
        "packing": packed,
        "overhead": costs,
    }
    speed, waste = packed["tokens_per_second"], packed["padding"]
    ratio = speed["packed"] / speed["maximum"]
    cost = costs["trainer_seconds"] / costs["bare_seconds"]
    rows = [
        [
            "Fine-tuning tokens a second, Dolly-like lengths (GPT-2, 2 × 256, one thread)",
            f"{speed['packed']:,.0f}",
            f"padded to the maximum: {speed['maximum']:,.0f}",
            f"{ratio:.1f}×",
            "≥ 2×",
            verdict(ratio >= 2),
        ],
        [
            "Padding in what is computed (batches of 16)",
            f"{100 * waste['packed']:.0f} %",
            f"each batch's longest: {100 * waste['own longest']:.0f} %, maximum: {100 * waste['maximum']:.0f} %",
            "–",
            "< 20 %",
            verdict(waste["packed"] < 0.2),
        ],
        [
            f"{costs['steps']} updates of the embedded world's student (1 × 128)",
            f"{costs['trainer_seconds']:.2f} s",
            f"bare loop: {costs['bare_seconds']:.2f} s",
            f"{cost:.2f}×",
            "< 2×",
            verdict(cost < 2),
        ],
    ]
    header = ["what", "ggmi", "against", "ratio", "target", "reached"]
    text = f"{sentence(found['machine'])}\n\n{table(header, rows)}"
    (HERE / "students.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "students", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
