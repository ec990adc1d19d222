"""Frozen cells, and how many rows are in them."""
