"""Checks of single rows against a tensorflow-metadata Schema, a whole column at a time."""
