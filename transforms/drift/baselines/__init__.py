"""What is done with baselines that are made: shown, compared, joined, planned with, imported."""
