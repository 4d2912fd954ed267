"""Estimators of dependence, entropy, information gain and distance, each with its null, ceiling and interval."""
