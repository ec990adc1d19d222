"""Detectors: what each finds in texts, and the table of them."""
