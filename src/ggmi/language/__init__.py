"""Which records, how many and how hard: fine-tuning and reinforcement of small language models."""
