"""Tiny bases of several architectures over bytes, and records for them."""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from ggmi.random import stream
from ggmi.text.records import Record

END = "<|end|>"
CHAT = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}<assistant>"


def byte_tokenizer(*, end=True, chat=False):
    """One token a byte, and an end token if wanted."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate([*([END] if end else []), *letters])}
    core = Tokenizer(models.BPE(vocabulary, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token=END if end else None)
    tokenizer.chat_template = CHAT if chat else None
    return tokenizer


def make_base(directory, kind="gpt2", *, window=128, dropout=0.0, end=True, chat=False, tokenizer=None):
    """A base of random weights, saved in Hugging Face format."""
    torch.manual_seed(0)
    tokenizer = tokenizer or byte_tokenizer(end=end, chat=chat)
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id}
    if kind == "gpt2":
        drop = {"attn_pdrop": dropout, "embd_pdrop": dropout, "resid_pdrop": dropout}
        config = GPT2Config(
            vocab_size=len(tokenizer), n_positions=window, n_embd=32, n_layer=2, n_head=2, **drop, **ends
        )
        model = GPT2LMHeadModel(config)
    elif kind == "llama":
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=window,
            **ends,
        )
        model = LlamaForCausalLM(config)
    else:
        config = BloomConfig(vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=2, **ends)
        model = BloomForCausalLM(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def records(count=12, seed=0, longest=12):
    """Records of different lengths, some without context."""
    random = stream(seed, "test records")

    def text(least, most):
        return "".join(chr(c) for c in random.integers(97, 123, size=random.integers(least, most + 1)))

    return [Record(f"r{i}", text(3, 8), text(1, 9) if i % 3 else "", text(1, longest)) for i in range(count)]
