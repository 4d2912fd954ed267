"""Searches with real models: problems, methods at matched cost, tables and claims."""
