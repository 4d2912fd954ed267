"""The model that stands for one's own where none is named: a small GPT with a tokenizer of the pilot's texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from ggmi.random import stream
from ggmi.text.records import Record

# One layer of 0.3 million weights: of 256 records of grade-school mathematics it learned more than two or three
# layers did in more time. What is larger leaves a budget of minutes too few trainings to tell sets apart.
WIDTH, LAYERS, HEADS, POSITIONS, TOKENS = 128, 1, 4, 256, 1024
# Records of each set that the tokenizer is made from.
MOST = 5000
END = "<|end|>"


def make_proxies(sets: Mapping[str, Sequence[Record]], folders: Sequence[Path], seed: int) -> None:
    """Make a tokenizer from equally many records of each set, and for each folder a GPT-2 with random weights.

    Parameters
    ----------
    sets
        What will be trained on, by name; no test record.
    folders
        Where each model is written, in Hugging Face's layout.
    seed
        Of the records, and of the weights.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

    from ggmi.loading import quiet
    from ggmi.training import gpt2_config

    texts: list[str] = []
    for name, records in sets.items():
        order = stream(seed, "pilot", "tokenizer", name).permutation(len(records))[:MOST]
        texts += [records[i].text for i in sorted(order)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # An embedding's rows do not depend on how many merges the texts gave.
    config = gpt2_config(
        WIDTH,
        LAYERS,
        HEADS,
        POSITIONS,
        vocab_size=TOKENS,
        bos_token_id=0,
        eos_token_id=0,
        # transformers' own 0.02 is meant for wide models
        initializer_range=WIDTH**-0.5 / 2,
    )
    saved = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=END, model_max_length=POSITIONS
    )
    for replicate, folder in enumerate(folders):
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(stream(seed, "pilot", "weights", replicate).integers(2**31)))
            GPT2LMHeadModel(config).save_pretrained(folder)
        saved.save_pretrained(folder)
