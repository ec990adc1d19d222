"""Drift: counts of frozen cells, window by window, compared with a baseline."""
