"""Mergeable, bounded summaries of the values of one column."""
