"""Rows without end to files: a log, and a commit for each window."""
