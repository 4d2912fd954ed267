"""A tiny model directory, and requests to ask of it."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from ggmi.models.requests import Request, Sampling

WORDS = ["[PAD]", "[END]", "[UNK]", "user", "assistant", *(f"w{i}" for i in range(45))]
CHAT = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}assistant"


def llama(words, window, **changes):
    """The configuration of a tiny Llama over some words."""
    return LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=window,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        **changes,
    )


def make_model(directory, *, chat=False, window=256, seed=0, words=WORDS):
    """A Llama of random weights over 50 words, saved in Hugging Face format."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(llama(words, window))
    # What comes with a model must not decide how it is sampled here, and does in transformers' server.
    model.generation_config = GenerationConfig(do_sample=True, top_k=3, eos_token_id=1, pad_token_id=0)
    model.save_pretrained(directory)
    tokenizer = tokenizer_of(words)
    if chat:
        tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(directory)
    return directory


def make_reward(directory, *, window=256, seed=0, words=WORDS, outputs=1):
    """A reward model of random weights, saved in Hugging Face format."""
    torch.manual_seed(seed)
    LlamaForSequenceClassification(llama(words, window, num_labels=outputs)).save_pretrained(directory)
    tokenizer_of(words).save_pretrained(directory)
    return directory


def tokenizer_of(words, **settings):
    """A word a token."""
    whole = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    whole.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"eos_token": "[END]", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    return PreTrainedTokenizerFast(tokenizer_object=whole, **names, **settings)


def make_classifier(directory, labels=("entailment", "neutral", "contradiction"), *, words=WORDS, window=64, seed=0):
    """A RoBERTa of random weights that labels pairs of texts, saved in Hugging Face format."""
    torch.manual_seed(seed)
    config = RobertaConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        # Positions are numbered from behind that of the padding token, which is 0.
        max_position_embeddings=window + 1,
        type_vocab_size=1,
        initializer_range=0.5,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    RobertaForSequenceClassification(config).save_pretrained(directory)
    tokenizer_of(words, model_input_names=["input_ids", "attention_mask"]).save_pretrained(directory)
    return directory


def prompt(number):
    return " ".join(f"w{(3 * number + i) % 45}" for i in range(1 + 2 * number))


def asks(identity, prompts=6, draws=4, **sampling):
    """Requests of prompts of different lengths, several draws each."""
    drawn = Sampling(**{"max_tokens": 24, "seed": 7} | sampling)
    return [
        Request(identity, prompt(number), drawn, "", draw, f"p{number}")
        for number in range(prompts)
        for draw in range(draws)
    ]
