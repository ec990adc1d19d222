"""Runs whose input has no end: windows, subscriptions, draining, the closing table."""
