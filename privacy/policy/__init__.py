"""Policies: what is looked for, what is done to it, and in which columns."""
