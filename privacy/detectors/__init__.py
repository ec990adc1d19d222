"""Detectors: one file for each kind of personal data, and the table of them."""
