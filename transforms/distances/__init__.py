"""Distances between distributions, and where the mass of a column lies."""
