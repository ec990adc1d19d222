"""Transformations: what becomes of a value, one file for each kind."""
