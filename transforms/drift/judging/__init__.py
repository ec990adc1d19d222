"""Counts against a baseline: tests, measures and verdicts."""
