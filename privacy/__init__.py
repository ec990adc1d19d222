"""Finds, redacts, pseudonymises and re-identifies personal data, with Cloud DLP or without."""
