"""Generalization Gain via Mutual Information: does synthetic data help, and is the theory true?"""
