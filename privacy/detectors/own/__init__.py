"""Detectors of the user: patterns, lists of words, functions."""
