"""Slow thinking: chains of thoughts and steps, search over them, and the published points."""
