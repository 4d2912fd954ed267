"""Generalization Gain via Mutual Information: whether synthetic data helps, and whether the theory is true."""
