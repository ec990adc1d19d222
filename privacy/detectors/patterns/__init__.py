"""Detectors by the form of what is written: a file for each kind of personal data."""
