"""Judges data as a whole: statistics, anomalies and broken rules to files, a page and a verdict."""
