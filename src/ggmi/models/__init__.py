"""Backends that turn prompts into raw responses, every response kept."""
