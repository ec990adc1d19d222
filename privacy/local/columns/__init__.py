"""Columns and their values: what role each has, its leaves, its rows, its new texts."""
