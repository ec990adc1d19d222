"""Finds personal data in columns of texts, and decides which findings count."""
