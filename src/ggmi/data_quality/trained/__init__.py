"""Trained transformers: linear self-attention and a small GPT after supervised, outcome and reward training."""
