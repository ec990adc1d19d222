"""Schemas inferred from statistics, with ranges suggested."""
