"""The report of drift: a timeline of windows by column, and what moved."""
