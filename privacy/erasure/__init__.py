"""Erasure of subjects: an index of their rows, kept by keyed hashes, and what goes by it."""
