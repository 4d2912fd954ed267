"""Finite worlds in which every inequality of the theory is computed exactly, searched and certified."""
