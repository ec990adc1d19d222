"""Incidents: verdicts of window after window, confirmed, recovered, told once."""
