"""Gaussian mixtures in batches: sampling, densities, fitting, divergences, and the study's worlds."""
